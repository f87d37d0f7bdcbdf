import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { needScope } from '../../application/accounts/roles.js'
import {
  type Authenticator,
  type Caller,
  CallerError,
  type Credentials,
  type Scope,
} from '../../ports/caller.js'
import type { Limits } from './limits.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where no credentials came along; bad ones are refused before a handler runs. */
    caller: Caller | null
  }
  interface FastifyContextConfig {
    /** For routes that a client reaches with whatever old token it has, in order to get a new one. */
    credentials?: 'ignored'
  }
}

/** Turns the credentials of every request of this instance into `request.caller`, and counts calls. */
export function installAuthentication(
  app: FastifyInstance,
  { authenticator, limits }: { authenticator: Authenticator; limits?: Pick<Limits, 'callFrom' | 'callBy'> },
): void {
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request) => {
    await limits?.callFrom(request.ip)
    if (request.routeOptions.config.credentials === 'ignored') return
    const credentials = credentialsOf(request.headers)
    if (credentials === null) return
    request.caller = await authenticator.authenticate(credentials)
    await limits?.callBy(request.caller.party.id)
  })
}

/** A hook before handlers: rejects with `CallerError` unless the caller may do this. */
export function requireScope(scope: Scope): (request: FastifyRequest) => Promise<void> {
  return async ({ caller }) => needScope(caller, scope)
}

/** From `Authorization: Bearer` or `x-api-key`; null where there is neither. Throws `CallerError`. */
export function credentialsOf(headers: IncomingHttpHeaders): Credentials | null {
  const { authorization, 'x-api-key': apiKey } = headers
  if (authorization !== undefined && apiKey !== undefined)
    throw unreadable('both Authorization and x-api-key were sent')
  if (typeof apiKey === 'string') return { kind: 'api-key', key: apiKey }
  if (apiKey !== undefined) throw unreadable('x-api-key was sent twice')
  if (authorization === undefined) return null
  const token = /^Bearer +([^\s,]+) *$/i.exec(authorization)?.[1]
  if (token === undefined) throw unreadable('the Authorization header is not "Bearer TOKEN"')
  return { kind: 'access-token', token: token }
}

/**
 * Of the request that opens a WebSocket: as above, or by the query parameter `access_token`, since browsers set no
 * headers there. `url` is the request's, with its query. Throws `CallerError`.
 */
export function credentialsOfUpgrade({
  headers,
  url = '',
}: {
  readonly headers: IncomingHttpHeaders
  readonly url?: string | undefined
}): Credentials | null {
  const given = credentialsOf(headers)
  const query = url.includes('?') ? new URLSearchParams(url.slice(url.indexOf('?') + 1)) : null
  const tokens = query?.getAll('access_token') ?? []
  if (tokens.length === 0) return given
  if (given !== null || tokens.length > 1) throw unreadable('credentials were sent in two places')
  return { kind: 'access-token', token: tokens[0] as string }
}

/**
 * Of a first message, which keeps tokens out of addresses and so out of the logs of proxies:
 * `{"type": "authenticate", "access_token": "..."}` or `"api_key"`. Null for another message. Throws `CallerError`.
 */
export function credentialsOfMessage(message: unknown): Credentials | null {
  if (typeof message !== 'object' || message === null || !('type' in message)) return null
  if (message.type !== 'authenticate') return null
  const { access_token, api_key } = message as { access_token?: unknown; api_key?: unknown }
  if (typeof access_token === 'string' && api_key === undefined)
    return { kind: 'access-token', token: access_token }
  if (typeof api_key === 'string' && access_token === undefined) return { kind: 'api-key', key: api_key }
  throw unreadable('the message has neither an access_token nor an api_key, or both')
}

/** A request's address as it may be logged. */
export function withoutCredentials(url: string): string {
  return url.replace(/([?&](?:access_token|api_key|token)=)[^&#]*/gi, '$1[redacted]')
}

function unreadable(what: string): CallerError {
  return new CallerError('TOKEN_INVALID', what, {
    next: 'send one access token ("Authorization: Bearer TOKEN") or one API key ("x-api-key: KEY")',
  })
}
