import type { Party } from '../../domain/party.js'

/** What an account may do: `bidder` places bids, `seller` opens auctions too, `admin` may do everything. */
export const ROLES = ['bidder', 'seller', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** What a credential may be used for; an access token has all that its account's roles allow. */
export const SCOPES = ['read', 'bid', 'sell', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** Who stands behind a request to a gateway. */
export interface Caller {
  /** As it appears in auctions. */
  readonly party: Party
  readonly roles: readonly Role[]
  readonly scopes: readonly Scope[]
}

export type Credentials =
  | { readonly kind: 'access-token'; readonly token: string }
  | { readonly kind: 'api-key'; readonly key: string }

/** Identifies whom a request comes from. */
export interface Authenticator {
  /** Rejects with `CallerError` where the credentials are not good, or not any longer. */
  authenticate(credentials: Credentials): Promise<Caller>
}

export const CALLER_ERROR_CODES = [
  'UNAUTHENTICATED',
  'TOKEN_INVALID',
  'TOKEN_EXPIRED',
  'ACCOUNT_DISABLED',
  'FORBIDDEN',
] as const
export type CallerErrorCode = (typeof CALLER_ERROR_CODES)[number]

export class CallerError extends Error {
  readonly next: string | undefined
  constructor(
    readonly code: CallerErrorCode,
    message: string,
    info: { next?: string; cause?: unknown } = {},
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'CallerError'
    this.next = info.next
  }
}
