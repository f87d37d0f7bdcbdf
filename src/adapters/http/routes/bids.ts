import { z } from 'zod'
import { bidJson } from '../../../application/gateway/json-shapes.js'
import { amountIn, clientKey, length } from '../../../application/log/input-schemas.js'
import { bidSchema, outcomeSchema, partOfAuction } from '../resources.js'
import {
  acceptedResource,
  auctionParams,
  callOf,
  type GatewayApp,
  idempotencyHeaders,
  keyOf,
  limitIn,
  problems,
  type RouteDeps,
  whoBody,
  whoQuery,
} from './route.js'

const bidBody = z
  .strictObject({
    ...whoBody,
    amount: amountIn,
    kind: z
      .enum(['plain', 'max'])
      .default('plain')
      .meta({ description: 'max: kept secret by the auction’s home, which bids up to it' }),
    bid_id: clientKey.exactOptional(),
  })
  .meta({ examples: [{ amount: '105.00' }, { amount: '250.00', kind: 'max' }] })

/** Bidding, and what has been bid. */
export function bidRoutes(app: GatewayApp, deps: RouteDeps): void {
  const tags = ['bids']

  app.post(
    '/api/v1/auctions/:id/bids',
    {
      schema: {
        tags,
        summary: 'Bid',
        description: 'Answered once the bid is on disk. A refused bid is a problem with the rule and the numbers.',
        params: auctionParams,
        headers: idempotencyHeaders,
        body: bidBody,
        response: { 201: outcomeSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { amount, kind, bid_id } = request.body
      const header = keyOf(request)
      const key = header === undefined ? { key: bid_id, keyField: 'bid_id' } : {}
      const bid = { auction: request.params.id, kind, amount }
      const result = await deps.calls.bid({ ...callOf(request), ...key }, bid)
      const answer = acceptedResource(result)
      reply.code(201)
      return { ...answer, bid_id: result.outcome.commandId }
    },
  )

  app.post(
    '/api/v1/auctions/:id/buy-now',
    {
      schema: {
        tags,
        summary: 'Buy the lot at its buy-now price',
        params: auctionParams,
        headers: idempotencyHeaders,
        body: z.strictObject(whoBody).nullish(),
        response: { 201: outcomeSchema, ...problems },
      },
    },
    async (request, reply) => {
      const result = await deps.calls.bid(callOf(request), { auction: request.params.id, kind: 'buy-now' })
      reply.code(201)
      return acceptedResource(result)
    },
  )

  app.get(
    '/api/v1/auctions/:id/bids',
    {
      schema: {
        tags,
        summary: 'Accepted bids, newest first',
        params: auctionParams,
        querystring: z.strictObject({
          ...whoQuery,
          before_seq: z.coerce.number().pipe(length).exactOptional(),
          limit: limitIn,
        }),
        response: {
          200: z.object({
            auction: partOfAuction,
            bids: z.array(bidSchema),
            next: z.int().nullable(),
          }),
          ...problems,
        },
      },
    },
    async (request) => {
      const { before_seq, limit } = request.query
      const page = { beforeSeq: before_seq, limit }
      const { auction, bids, next } = await deps.calls.bids(callOf(request), request.params.id, page)
      const { currency, title } = auction.state.terms
      return {
        auction: { id: auction.auctionId, auction_id: auction.auctionId, title, seq: auction.head.seq },
        bids: bids.map((bid) => bidJson(bid, currency)),
        next,
      }
    },
  )
}
