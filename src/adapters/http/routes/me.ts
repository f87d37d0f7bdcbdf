import { z } from 'zod'
import { cursorIn } from '../../../application/log/input-schemas.js'
import { auctionResource, auctionSchema, receiptResources, receiptSchema } from '../resources.js'
import { auctionParams, callerWith, type GatewayApp, limitIn, problems, type RouteDeps, whoQuery } from './route.js'

const STANDINGS = ['leading', 'outbid', 'won', 'lost'] as const
const MAX_RECEIPTS = 1_000
const auctionList = z.object({ auctions: z.array(auctionSchema), next: z.string().nullable() })
const bidList = auctionList.extend({
  auctions: z.array(
    auctionSchema.extend({
      your_maximum: z.string().nullable().meta({
        description:
          'The most that you may be charged for the lot that you lead; null where you do not, this gateway does not know, anybody could ask in your name (no accounts), or a key may only read.',
      }),
    }),
  ),
})
/** What concerns the caller. */
export function meRoutes(app: GatewayApp, deps: RouteDeps): void {
  const { api } = deps
  const tags = ['me']
  const page = { cursor: cursorIn.exactOptional(), limit: limitIn }

  app.get(
    '/api/v1/me',
    {
      schema: {
        tags,
        summary: 'Who you are to this gateway',
        querystring: z.strictObject(whoQuery),
        response: {
          200: z.object({
            id: z.string(),
            name: z.string(),
            roles: z.array(z.string()),
            scopes: z.array(z.string()),
            auth: z.string(),
          }),
          ...problems,
        },
      },
    },
    async (request) => {
      const { party, roles, scopes } = callerWith(request, 'read', deps)
      return { ...party, roles: [...roles], scopes: [...scopes], auth: deps.callers.mode }
    },
  )

  app.get(
    '/api/v1/me/bids',
    {
      schema: {
        tags,
        summary: 'Auctions that you have bid on, and how you stand',
        description:
          'Those in your own name, newest auction first; then those under pseudonyms, the one that you came to last first. `standing` keeps those of the page that are so; follow `next` for the rest.',
        querystring: z.strictObject({ ...whoQuery, ...page, standing: z.enum(STANDINGS).exactOptional() }),
        response: { 200: bidList, ...problems },
      },
    },
    async (request) => {
      const caller = callerWith(request, 'read', deps)
      const { cursor, limit, standing } = request.query
      const { auctions, next } = await deps.bidders.bidOn(caller, { cursor, limit })
      const wanted = auctions.filter(({ mine }) => standing === undefined || mine === standing)
      const maxima = await deps.bidders.maxima(caller, wanted)
      return {
        auctions: wanted.map((view) => ({
          ...auctionResource(view),
          your_maximum: maxima.get(view.auctionId) ?? null,
        })),
        next,
      }
    },
  )

  app.get(
    '/api/v1/me/auctions',
    {
      schema: {
        tags,
        summary: 'Auctions that you sell',
        querystring: z.strictObject({ ...whoQuery, ...page }),
        response: { 200: auctionList, ...problems },
      },
    },
    async (request) => {
      const { party } = callerWith(request, 'read', deps)
      const { cursor, limit } = request.query
      const { auctions, next } = await api.list({
        as: party,
        seller: party.id,
        ...(cursor !== undefined && { cursor }),
        ...(limit !== undefined && { limit }),
      })
      return { auctions: auctions.map(auctionResource), next }
    },
  )

  app.get(
    '/api/v1/auctions/:id/receipts',
    {
      schema: {
        tags,
        summary: 'What the auction’s home has signed for your commands',
        description:
          'Of homes on other nodes: what the gateway’s own node sequences is on its disk. `signature` is null where the home signed your commands together with others’.',
        params: auctionParams,
        querystring: z.strictObject({ ...whoQuery, after: z.coerce.number().int().min(0).exactOptional() }),
        response: {
          200: z.object({ receipts: z.array(receiptSchema), next: z.int().nullable() }),
          ...problems,
        },
      },
    },
    async (request) => {
      const caller = callerWith(request, 'read', deps)
      const view = await deps.bidders.show(request.params.id, caller)
      const party = deps.bidders.watcher(caller, view) ?? caller.party
      const auction = view.auctionId
      const receipts: ReturnType<typeof receiptResources> = []
      let after: number | null = request.query.after ?? 0
      while (after !== null && receipts.length < MAX_RECEIPTS) {
        const answer: Awaited<ReturnType<typeof api.receipts>> = await api.receipts({
          auction,
          party: party.id,
          after,
        })
        receipts.push(...receiptResources(answer.signed, party.id))
        after = answer.next
      }
      return { receipts, next: after }
    },
  )
}
