/** Room `http/routes`: each route of the HTTP API: its path, its schemas, what it asks the gateway. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Call } from '../../../application/gateway/auction-calls.js'
import { ANONYMOUS, allowed } from '../../../application/gateway/callers.js'
import { acceptedJson } from '../../../application/gateway/outcome-shapes.js'
import { auctionReference, pageSize } from '../../../application/log/input-schemas.js'
import type { Party } from '../../../domain/party.js'
import type { Caller, Scope } from '../../../ports/accounts/caller.js'
import type { CommandResult } from '../../../ports/node/node-answers.js'
import { RequestError, rejectionProblem } from '../problem.js'
import { auctionResource, type outcomeSchema, problemSchema } from '../resources.js'
import type { ServingDeps } from '../serving-deps.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Null: nobody said who they are. */
    caller: Caller | null
    /** Whose request it is, as far as trusted proxies say. */
    address: string
    /** It has come to where calls are recorded. */
    called: boolean
    /** The code of the problem that it was answered with; `ok` otherwise. */
    problem: string
  }
  interface FastifyContextConfig {
    /** For routes that a client reaches with whatever old token it has, in order to get a new one. */
    credentials?: 'ignored'
  }
}

export type GatewayApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

export type RouteDeps = Pick<
  ServingDeps,
  'api' | 'bidders' | 'callers' | 'calls' | 'clock' | 'commandIds' | 'desk' | 'guard' | 'hub' | 'logger' | 'metrics'
>

export interface RouteOptions {
  /** Of auctions whose opening names none. */
  readonly defaultCurrency: string
}

export const auctionParams = z.object({ id: auctionReference })
export const limitIn = z.coerce.number().pipe(pageSize).exactOptional()
/** Of every query: who asks, on a gateway that takes names on trust, and tokens where headers cannot be set. */
export const whoQuery = {
  user_id: z.string().max(256).exactOptional(),
  access_token: z.string().max(4_096).exactOptional(),
}
export const whoBody = { user_id: z.string().max(256).exactOptional() }
export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .optional()
    .meta({ description: 'Yours, new for each command: the same one again does nothing twice.' }),
})

/** What is sent piece by piece. */
export const streamOfText = z.custom<Readable>().meta({ type: 'string' })

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
})
/** What every route may answer. */
export const problems = {
  '4xx': problem('The request was refused; `code` and `next` say why, and what to do.'),
  '5xx': problem('Not now, or not known: `Retry-After` says when to ask again.'),
}

export function callerWith(request: FastifyRequest, scope: Scope, { callers }: Pick<RouteDeps, 'callers'>): Caller {
  return allowed(request.caller, scope, callers.mode)
}

/** Programs that sell need no name where names are taken on trust anyway. */
export function sellerOf(request: FastifyRequest, { callers }: Pick<RouteDeps, 'callers'>): Caller {
  const caller = request.caller ?? (callers.mode === 'open' ? ANONYMOUS : null)
  return allowed(caller, 'sell', callers.mode)
}

/** Whom auctions are shown to: never the node's own user. */
export function viewer({ caller }: FastifyRequest): Party {
  return caller?.party ?? ANONYMOUS.party
}

export function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  return Array.isArray(key) ? key[0] : key
}

/** As the gateway takes it, whatever protocol it comes in. */
export function callOf(request: FastifyRequest): Call {
  request.called = true
  return { via: 'http', caller: request.caller, address: request.address, requestId: request.id, key: keyOf(request) }
}

/** The answer to a command that was accepted; one that was refused is thrown as its problem. */
export function acceptedResource({ outcome, auction }: CommandResult): z.output<typeof outcomeSchema> {
  const currency = auction?.state.terms.currency ?? null
  if (outcome.status === 'accepted')
    return { ...acceptedJson(outcome, currency), auction: auction && auctionResource(auction) }
  const { type: _, title: __, status, detail, code, field, next, ...more } = rejectionProblem(outcome, currency)
  const known = Object.entries(more).filter((entry): entry is [string, NonNullable<(typeof entry)[1]>] => {
    return entry[1] !== undefined
  })
  throw new RequestError(status, code, detail, {
    ...(field !== undefined && { field }),
    ...(next !== undefined && { next }),
    more: Object.fromEntries(known),
  })
}
