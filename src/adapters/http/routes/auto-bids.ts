import { z } from 'zod'
import { autoBidJson } from '../../../application/gateway/json-shapes.js'
import { amountIn } from '../../../application/log/input-schemas.js'
import {
  auctionParams,
  callerWith,
  callOf,
  type GatewayApp,
  problems,
  type RouteDeps,
  whoBody,
  whoQuery,
} from './route.js'

const ADMINS =
  'For admins, and not where names are taken on trust: the node bids in its own user’s name, and its limits are shown to nobody else.'
const autoBid = z.looseObject({
  auction_id: z.string(),
  limit: z.string(),
  currency: z.string(),
  state: z.enum(['active', 'outbid', 'won', 'lost', 'stopped', 'paused', 'refused']),
})

/** What the gateway's own node bids by itself, as `vendue bid --up-to` sets it. */
export function autoBidRoutes(app: GatewayApp, deps: RouteDeps): void {
  const common = { tags: ['own node'], description: ADMINS }

  app.get(
    '/api/v1/auto-bids',
    {
      schema: {
        ...common,
        summary: 'The limits up to which the node bids for its user',
        querystring: z.strictObject(whoQuery),
        response: { 200: z.object({ auto_bids: z.array(autoBid) }), ...problems },
      },
    },
    async (request) => {
      callerWith(request, 'admin', deps)
      return { auto_bids: (await deps.api.autoBids()).map(autoBidJson) } as never
    },
  )

  app.post(
    '/api/v1/auctions/:id/auto-bid',
    {
      schema: {
        ...common,
        summary: 'Have the node bid up to a limit, or change the limit',
        params: auctionParams,
        body: z.strictObject({ ...whoBody, limit: amountIn }),
        response: { 200: autoBid, ...problems },
      },
    },
    async (request) => {
      callerWith(request, 'admin', deps)
      const { limit } = request.body
      const { id: auction } = request.params
      const set = () => deps.api.autoBid({ auction, limit })
      return autoBidJson(await deps.calls.recorded('auto-bid.set', callOf(request), { auction }, set)) as never
    },
  )

  app.delete(
    '/api/v1/auctions/:id/auto-bid',
    {
      schema: {
        ...common,
        summary: 'Have the node bid no further',
        params: auctionParams,
        querystring: z.strictObject(whoQuery),
        response: { 200: autoBid, ...problems },
      },
    },
    async (request) => {
      callerWith(request, 'admin', deps)
      const { id: auction } = request.params
      const stop = () => deps.api.stopAutoBid({ auction })
      return autoBidJson(await deps.calls.recorded('auto-bid.stop', callOf(request), { auction }, stop)) as never
    },
  )
}
