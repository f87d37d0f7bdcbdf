import { z } from 'zod'
import { listFields, openFields, openRequest, statusesIn } from '../../../application/gateway/auction-requests.js'
import { cursorIn } from '../../../application/log/input-schemas.js'
import { auctionResource, auctionSchema, partOfAuction } from '../resources.js'
import {
  acceptedResource,
  auctionParams,
  callOf,
  type GatewayApp,
  idempotencyHeaders,
  limitIn,
  problems,
  type RouteDeps,
  type RouteOptions,
  whoBody,
  whoQuery,
} from './route.js'

const openBody = z.strictObject({ ...whoBody, ...openFields }).meta({
  description:
    'Terms. `starting_bid`, `start_time` (one that has passed: at once) and `end_time` are other names of `start_price`, `opens_at` and `closes_at`. `bidder_names: pseudonyms` shows accounts by names made for this auction; bidders with nodes of their own keep theirs. `gives_time_back` (true): an end that falls within a time in which nobody could bid is moved. `pictures`: hashes of what was added at `/api/v1/pictures`, the first one first.',
  examples: [
    {
      title: 'A chair',
      start_price: '20.00',
      currency: 'EUR',
      reserve: '60.00',
      closes_in_seconds: 7_200,
      soft_close: { window_ms: 30_000, extension_ms: 30_000 },
    },
  ],
})

const pageQuery = { cursor: cursorIn.exactOptional(), limit: limitIn }
/** The most auctions in one answer of `GET /auctions`. */
const PLAIN_LIST_PAGE = 100

const listQuery = z.strictObject({
  ...whoQuery,
  status: z
    .string()
    .transform((text) => text.split(',').map((word) => word.trim()))
    .pipe(statusesIn)
    .exactOptional(),
  ...listFields,
  limit: limitIn,
})

const auctionList = z.object({ auctions: z.array(auctionSchema), next: z.string().nullable() })

/** Opening and finding auctions. */
export function auctionRoutes(app: GatewayApp, deps: RouteDeps, options: RouteOptions): void {
  const { calls } = deps
  const tags = ['auctions']

  app.post(
    '/api/v1/auctions',
    {
      schema: {
        tags,
        summary: 'Open an auction',
        headers: idempotencyHeaders,
        body: openBody,
        response: { 201: partOfAuction.extend({ command_id: z.string() }), ...problems },
      },
    },
    async (request, reply) => {
      const { user_id: _, ...terms } = request.body
      const result = await calls.open(callOf(request), openRequest(terms, options.defaultCurrency))
      const { auction, command_id } = acceptedResource(result)
      const { auctionId: id } = result.outcome
      reply.code(201).header('location', `/api/v1/auctions/${id}`)
      return { ...auction, id, auction_id: id, command_id }
    },
  )

  app.get(
    '/api/v1/auctions',
    {
      schema: {
        tags,
        summary: 'List auctions',
        description:
          'Newest first, or `sort=ending`: open ones, soonest end first, then those that have ended and wait for their homes. `next` is the next page’s cursor.',
        querystring: listQuery,
        response: { 200: auctionList, ...problems },
      },
    },
    async (request) => {
      const { auctions, next } = await calls.list(callOf(request), request.query)
      return { auctions: auctions.map(auctionResource), next }
    },
  )

  app.get(
    '/api/v1/auctions/:id',
    {
      schema: {
        tags,
        summary: 'Look at an auction',
        params: auctionParams,
        querystring: z.strictObject(whoQuery),
        response: { 200: auctionSchema, ...problems },
      },
    },
    async (request) => auctionResource(await calls.show(callOf(request), request.params.id)),
  )

  app.get(
    '/auctions',
    {
      schema: {
        tags,
        summary: 'Auctions that are open or scheduled, as a plain array',
        description: `Newest first, ${PLAIN_LIST_PAGE} unless \`limit\` says otherwise. Where there are more, the \`Link\` header names the next page (\`rel="next"\`).`,
        querystring: z.strictObject({ ...whoQuery, ...pageQuery }),
        response: { 200: z.array(auctionSchema), ...problems },
      },
    },
    async (request, reply) => {
      const { limit = PLAIN_LIST_PAGE } = request.query
      const page = await calls.list(callOf(request), { ...request.query, status: ['open', 'scheduled'], limit })
      if (page.next !== null) {
        const query = new URLSearchParams({ limit: String(limit), cursor: page.next })
        reply.header('link', `</auctions?${query}>; rel="next"`)
      }
      return page.auctions.map(auctionResource)
    },
  )
}
