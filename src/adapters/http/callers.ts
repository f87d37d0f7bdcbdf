import { createHash } from 'node:crypto'
import {
  type Authenticator,
  type Caller,
  CallerError,
  type Credentials,
  type Scope,
} from '../../ports/caller.js'

/** Where a request may say who it comes from. Header names are lower case. */
export interface Presented {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** `user_id` of the query, or of a JSON body. */
  readonly userId?: string | undefined
  /** `access_token` of the query: browsers cannot set headers on a WebSocket or an event stream. */
  readonly accessToken?: string | undefined
}

/** Tells who stands behind requests to this gateway. */
export interface Callers {
  /** `open`: names are taken on trust. */
  readonly mode: 'open' | 'accounts'
  /** Null: nobody said who they are. Rejects with `CallerError` where what was presented is not good. */
  identify(presented: Presented): Promise<Caller | null>
}

export const USER_HEADER = 'x-vendue-user'
export const API_KEY_HEADER = 'x-api-key'
const MAX_NAME_LENGTH = 64
const NAME = /^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]+$/u
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/
const GUEST = 'guest:'
/** Who sells without a name: system callers that have none, on a gateway that trusts everybody anyway. */
export const ANONYMOUS: Caller = guest('anonymous')

/** Takes bidders' names on trust: whoever reaches the gateway may bid as anybody. */
export class OpenCallers implements Callers {
  readonly mode = 'open'

  async identify({ headers, userId }: Presented): Promise<Caller | null> {
    const header = headers[USER_HEADER]
    const name = (userId ?? (Array.isArray(header) ? header[0] : header))?.trim()
    if (name === undefined) return null
    if (name.length === 0 || name.length > MAX_NAME_LENGTH || !NAME.test(name)) {
      throw new CallerError(
        'UNAUTHENTICATED',
        `user_id must be 1 to ${MAX_NAME_LENGTH} printable characters`,
        {
          next: 'give another name',
        },
      )
    }
    return guest(name)
  }
}

/** Access tokens and API keys, told by an authenticator. */
export class AuthenticatedCallers implements Callers {
  readonly mode = 'accounts'
  readonly #authenticator: Authenticator

  constructor({ authenticator }: { authenticator: Authenticator }) {
    this.#authenticator = authenticator
  }

  async identify(presented: Presented): Promise<Caller | null> {
    const credentials = credentialsOf(presented)
    return credentials && this.#authenticator.authenticate(credentials)
  }
}

function credentialsOf({ headers, accessToken }: Presented): Credentials | null {
  const { authorization, [API_KEY_HEADER]: key } = headers
  if (typeof key === 'string') return { kind: 'api-key', key }
  if (authorization !== undefined) {
    const bearer = /^Bearer +(\S+)$/i.exec(String(authorization))
    if (bearer?.[1] === undefined) {
      throw new CallerError('TOKEN_INVALID', 'the Authorization header holds no bearer token', {
        next: 'send "Authorization: Bearer TOKEN", or an API key in X-Api-Key',
      })
    }
    return { kind: 'access-token', token: bearer[1] }
  }
  return accessToken === undefined ? null : { kind: 'access-token', token: accessToken }
}

/** The caller if it may do this; throws `CallerError` otherwise. */
export function allowed(caller: Caller | null, scope: Scope, mode: Callers['mode']): Caller {
  if (caller === null) {
    throw new CallerError('UNAUTHENTICATED', 'it is not known who you are', {
      next:
        mode === 'open'
          ? `say who you are: user_id in the query or the body, or the header ${USER_HEADER}`
          : 'log in and send the access token as "Authorization: Bearer TOKEN"',
    })
  }
  if (!caller.scopes.includes(scope)) {
    throw new CallerError('FORBIDDEN', `you may not do this: it needs the right to ${scope}`, {
      next: 'use an account or a key that has it',
    })
  }
  return caller
}

/** Guests' ids cannot be mistaken for those of nodes or accounts, and the same name is the same guest everywhere. */
function guest(name: string): Caller {
  const hashed = () => `.${createHash('sha256').update(name).digest('base64url').slice(0, 22)}`
  const id = GUEST + (PLAIN_NAME.test(name) ? name : hashed())
  return { party: { id, name }, roles: ['bidder', 'seller'], scopes: ['read', 'bid', 'sell'] }
}
