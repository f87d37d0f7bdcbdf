import { z } from 'zod'
import { reasonIn, timeIn } from '../../../application/log/input-schemas.js'
import { RequestError } from '../problem.js'
import { outcomeSchema } from '../resources.js'
import {
  acceptedResource,
  auctionParams,
  type GatewayApp,
  idempotencyHeaders,
  keyOf,
  problems,
  type RouteDeps,
  sellerOf,
  whoBody,
} from './route.js'

/** What `extend` adds where its caller does not say. */
const DEFAULT_EXTENSION_SECONDS = 30

const extendBody = z
  .strictObject({
    ...whoBody,
    closes_at: timeIn.exactOptional(),
    end_time: timeIn.exactOptional(),
    by_seconds: z.number().positive().max(1e9).exactOptional(),
  })
  .nullish()
  .meta({ description: `The new end, or by how much; ${DEFAULT_EXTENSION_SECONDS} s later otherwise.` })

/** What sellers do with their auctions. */
export function sellerRoutes(app: GatewayApp, deps: RouteDeps): void {
  const { api, desk } = deps
  const common = {
    tags: ['selling'],
    params: auctionParams,
    headers: idempotencyHeaders,
    response: { 200: outcomeSchema, ...problems },
  }

  app.post(
    '/api/v1/auctions/:id/close',
    { schema: { ...common, summary: 'Close: the leader wins', body: z.strictObject(whoBody).nullish() } },
    async (request) => {
      const auction = request.params.id
      const caller = sellerOf(request, deps)
      const commandId = deps.commandIds.of('cmd', keyOf(request), caller.party)
      const admit = async () => {
        const as = await desk.sellerFor(auction, caller)
        return { commandId, call: () => api.close({ auction, commandId, as, requestId: request.id }) }
      }
      return acceptedResource(await desk.command(auction, admit))
    },
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
      const auction = request.params.id
      const caller = sellerOf(request, deps)
      const commandId = deps.commandIds.of('cmd', keyOf(request), caller.party)
      const reason = request.body?.reason
      const more = { requestId: request.id, ...(reason !== undefined && { reason }) }
      const admit = async () => {
        const as = await desk.sellerFor(auction, caller)
        return { commandId, call: () => api.cancel({ auction, commandId, as, ...more }) }
      }
      return acceptedResource(await desk.command(auction, admit))
    },
  )

  app.post(
    '/api/v1/auctions/:id/extend',
    { schema: { ...common, summary: 'Move the end later', body: extendBody } },
    async (request) => {
      const auction = request.params.id
      const caller = sellerOf(request, deps)
      const commandId = deps.commandIds.of('cmd', keyOf(request), caller.party)
      const given = Object.keys(request.body ?? {}).filter((key) => key !== 'user_id')
      if (given.length > 1)
        throw new RequestError(400, 'INVALID_INPUT', `${given.join(' and ')} exclude each other`, {
          field: given[1] as string,
          next: 'give one of them',
        })
      const named = request.body?.closes_at ?? request.body?.end_time
      const bySeconds = request.body?.by_seconds ?? DEFAULT_EXTENSION_SECONDS
      const end = named === undefined ? { addedMs: Math.ceil(bySeconds * 1_000) } : { closesAt: named }
      const admit = async () => {
        const as = await desk.sellerFor(auction, caller)
        return {
          commandId,
          call: () => api.extend({ auction, commandId, as, ...end, requestId: request.id }),
        }
      }
      return acceptedResource(await desk.command(auction, admit))
    },
  )
}
