import { z } from 'zod'
import { DEFAULT_EXTENSION_SECONDS, extendFields, newEndOf } from '../../../application/gateway/auction-requests.js'
import { reasonIn } from '../../../application/log/input-schemas.js'
import { outcomeSchema } from '../resources.js'
import {
  acceptedResource,
  auctionParams,
  callOf,
  type GatewayApp,
  idempotencyHeaders,
  problems,
  type RouteDeps,
  whoBody,
} from './route.js'

const extendBody = z
  .strictObject({ ...whoBody, ...extendFields })
  .nullish()
  .meta({ description: `The new end, or by how much; ${DEFAULT_EXTENSION_SECONDS} s later otherwise.` })

/** What sellers do with their auctions. */
export function sellerRoutes(app: GatewayApp, deps: RouteDeps): void {
  const { calls } = deps
  const common = {
    tags: ['selling'],
    params: auctionParams,
    headers: idempotencyHeaders,
    response: { 200: outcomeSchema, ...problems },
  }

  app.post(
    '/api/v1/auctions/:id/close',
    { schema: { ...common, summary: 'Close: the leader wins', body: z.strictObject(whoBody).nullish() } },
    async (request) => acceptedResource(await calls.close(callOf(request), request.params.id)),
  )

  app.post(
    '/api/v1/auctions/:id/cancel',
    {
      schema: {
        ...common,
        summary: 'Cancel, before the first bid',
        body: z.strictObject({ ...whoBody, reason: reasonIn.exactOptional() }).nullish(),
      },
    },
    async (request) => {
      return acceptedResource(await calls.cancel(callOf(request), request.params.id, request.body?.reason))
    },
  )

  app.post(
    '/api/v1/auctions/:id/extend',
    { schema: { ...common, summary: 'Move the end later', body: extendBody } },
    async (request) => {
      const { user_id: _, ...terms } = request.body ?? {}
      return acceptedResource(await calls.extend(callOf(request), request.params.id, newEndOf(terms)))
    },
  )
}
