import { CallerError, type Credentials } from '../../ports/accounts/caller.js'
import type { AuditOrigin } from '../../ports/audit/audit.js'

/** The places in which a request may carry credentials. Header names are lower case. */
export interface Presented {
  readonly headers: Headers
  /** Where they come from, for the audit record. */
  readonly origin?: AuditOrigin | undefined
  /** `user_id` of the query, or of a JSON body. */
  readonly userId?: string | undefined
  /** Each `access_token` of the query: browsers cannot set headers on a WebSocket or an event stream. */
  readonly accessTokens?: readonly string[] | undefined
}

export const API_KEY_HEADER = 'x-api-key'

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** From `Authorization: Bearer` or `x-api-key`; null if there is neither. Throws `CallerError`. */
export function credentialsOf(headers: Headers): Credentials | null {
  const { authorization, [API_KEY_HEADER]: apiKey } = headers
  if (authorization !== undefined && apiKey !== undefined)
    throw unreadable('both Authorization and x-api-key were sent')
  if (typeof apiKey === 'string') return { kind: 'api-key', key: apiKey }
  if (apiKey !== undefined) throw unreadable('x-api-key was sent twice')
  if (authorization === undefined) return null
  const token = /^Bearer +([^\s,]+) *$/i.exec(String(authorization))?.[1]
  if (token === undefined) throw unreadable('the Authorization header is not "Bearer TOKEN"')
  return { kind: 'access-token', token: token }
}

/** As above, or from the query. Throws `CallerError` if credentials come from two places. */
export function credentialsOfRequest({ headers, accessTokens = [] }: Presented): Credentials | null {
  const given = credentialsOf(headers)
  const [token, ...more] = accessTokens
  if (token === undefined) return given
  if (given !== null || more.length > 0) throw unreadable('credentials were sent in two places')
  return { kind: 'access-token', token }
}

/**
 * From a message of an open connection, which keeps tokens out of addresses and so out of the logs of proxies, in
 * the form of a request. Throws `CallerError`.
 */
export function presentedInMessage({
  access_token,
  api_key,
  token,
  user_id,
}: {
  readonly access_token?: string | undefined
  readonly api_key?: string | undefined
  /** Of either kind. */
  readonly token?: string | undefined
  readonly user_id?: string | undefined
}): Presented {
  const given = [access_token, api_key, token, user_id].filter((value) => value !== undefined)
  if (given.length !== 1) throw unreadable('the message needs one of access_token, api_key and token')
  if (api_key !== undefined) return { headers: { [API_KEY_HEADER]: api_key } }
  const either = access_token ?? token
  return either === undefined ? { headers: {}, userId: user_id } : { headers: {}, accessTokens: [either] }
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
