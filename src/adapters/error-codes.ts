import type { AccountErrorCode } from '../application/accounts/account-error.js'
import type { GatewayRefusalCode } from '../application/gateway/gateway-refusal.js'
import type { RejectionCode } from '../domain/rejection.js'
import type { CallerErrorCode } from '../ports/accounts/caller.js'
import type { NodeErrorCode } from '../ports/node/node-error.js'
import type { ConsumerStoreErrorCode } from '../ports/store/consumer-store.js'

export type ErrorCode =
  | NodeErrorCode
  | RejectionCode
  | GatewayRefusalCode
  | CallerErrorCode
  | AccountErrorCode
  | ConsumerStoreErrorCode
  | 'TOO_MANY_REQUESTS'

/** What a code comes to on each surface. Its text, with the numbers, is made where the error is found. */
export interface ErrorCodeRow {
  /** Of an HTTP answer, a WebSocket's or Socket.IO's error. */
  readonly status: number
  /** Of the command line. */
  readonly exit: 'rejected' | 'usage' | 'unreachable' | 'unknown'
  /** When it is worth while to ask again. */
  readonly retryAfterSeconds?: number
  /** What callers of a gateway can do, where the node's own words speak of its command line. */
  readonly next?: string
}

/** Every stable code, sorted by what it says about the command. */
export const ERROR_CODES: { readonly [C in ErrorCode]: ErrorCodeRow } = {
  // The input is wrong.
  INVALID_INPUT: { status: 400, exit: 'usage' },
  AUCTION_NOT_FOUND: {
    status: 404,
    exit: 'usage',
    next: 'see /api/v1/auctions for the auctions that are known here',
  },
  AUCTION_AMBIGUOUS: { status: 409, exit: 'usage' },
  PICTURE_REFUSED: { status: 422, exit: 'usage' },
  PICTURE_NOT_FOUND: { status: 404, exit: 'usage' },
  PICTURES_FULL: { status: 507, exit: 'unreachable', retryAfterSeconds: 3_600 },
  PICTURE_UNAVAILABLE: { status: 503, exit: 'unreachable', retryAfterSeconds: 10 },
  NOT_MOVED: { status: 409, exit: 'usage' },
  NOT_HELD: { status: 409, exit: 'usage' },
  TERMS_INVALID: { status: 422, exit: 'rejected' },
  COMMAND_ID_REUSED: { status: 422, exit: 'rejected' },

  // A rule of the auction refuses it.
  NOT_OPEN_YET: { status: 409, exit: 'rejected' },
  AUCTION_ENDED: { status: 409, exit: 'rejected' },
  AUCTION_CLOSED: { status: 409, exit: 'rejected' },
  AUCTION_CANCELLED: { status: 409, exit: 'rejected' },
  OWN_AUCTION: { status: 403, exit: 'rejected' },
  ALREADY_LEADING: { status: 409, exit: 'rejected' },
  BID_TOO_LOW: { status: 409, exit: 'rejected' },
  MAX_BELOW_PRICE: { status: 409, exit: 'rejected' },
  BUY_NOW_AVAILABLE: { status: 409, exit: 'rejected' },
  NO_BUY_NOW: { status: 409, exit: 'rejected' },
  BUY_NOW_WITHDRAWN: { status: 409, exit: 'rejected' },
  NOT_SELLER: { status: 403, exit: 'rejected' },
  HAS_BIDS: { status: 409, exit: 'rejected' },
  NO_END_TIME: { status: 409, exit: 'rejected' },
  EXTENSION_NOT_LATER: { status: 409, exit: 'rejected' },
  PAST_HARD_STOP: { status: 409, exit: 'rejected' },
  NOT_DUE: { status: 409, exit: 'rejected' },

  // It could not be done now; nothing was done.
  HOME_UNREACHABLE: { status: 503, exit: 'unreachable', retryAfterSeconds: 5 },
  NOT_HOME: { status: 503, exit: 'usage', retryAfterSeconds: 1 },
  BUSY: { status: 503, exit: 'unreachable', retryAfterSeconds: 1 },
  STOPPING: { status: 503, exit: 'unreachable', retryAfterSeconds: 2 },
  DISK_FULL: { status: 507, exit: 'unreachable', retryAfterSeconds: 60 },
  AUCTION_HELD: { status: 503, exit: 'unreachable' },
  PEERS_AWAY: { status: 503, exit: 'unreachable' },
  LOG_IO_ERROR: { status: 503, exit: 'unreachable', retryAfterSeconds: 10 },
  LOG_UNREACHABLE: { status: 503, exit: 'unreachable', retryAfterSeconds: 1 },
  TOO_FEW_REPLICAS: { status: 503, exit: 'unreachable', retryAfterSeconds: 5 },
  MANDATE_OUT_OF_TIME: {
    status: 503,
    exit: 'unreachable',
    next: 'report this to whoever runs this gateway: its clock and that of the auction’s home are far apart',
  },
  NODE_UNREACHABLE: {
    status: 503,
    exit: 'unreachable',
    retryAfterSeconds: 5,
    next: 'try again: the gateway waits for its node',
  },
  TOO_MANY_REQUESTS: { status: 429, exit: 'unreachable' },
  TOO_MANY_SUBSCRIPTIONS: { status: 429, exit: 'usage' },
  INTERNAL: { status: 500, exit: 'unreachable' },

  // The numbers about auctions cannot be read.
  NO_STATISTICS: { status: 404, exit: 'usage' },
  STATS_DB_UNREACHABLE: { status: 503, exit: 'unreachable', retryAfterSeconds: 10 },
  STATS_DB_REFUSED: { status: 503, exit: 'unreachable', retryAfterSeconds: 60 },
  STATS_DB_FULL: { status: 507, exit: 'unreachable', retryAfterSeconds: 60 },
  STATS_DB_VERSION: { status: 503, exit: 'unreachable', retryAfterSeconds: 60 },

  // It is not known what became of it, or not yet as safe as asked for.
  OUTCOME_UNKNOWN: {
    status: 504,
    exit: 'unknown',
    next: 'ask again with the same Idempotency-Key (or bid_id): nothing is done twice',
  },
  NOT_REPLICATED: { status: 504, exit: 'unknown' },

  // Who asks, and what they may do.
  UNAUTHENTICATED: { status: 401, exit: 'usage' },
  TOKEN_INVALID: { status: 401, exit: 'usage' },
  TOKEN_EXPIRED: { status: 401, exit: 'unreachable' },
  FORBIDDEN: { status: 403, exit: 'unreachable' },
  ACCOUNT_NEEDED: { status: 409, exit: 'usage' },
  ACCOUNT_DISABLED: { status: 403, exit: 'usage' },
  ACCOUNT_NOT_FOUND: { status: 404, exit: 'usage' },
  LOGIN_FAILED: { status: 401, exit: 'usage' },
  // Not 401: clients would refresh their token and try the same again.
  PASSWORD_WRONG: { status: 403, exit: 'usage' },
  NAME_TAKEN: { status: 409, exit: 'unreachable' },
  EMAIL_TAKEN: { status: 409, exit: 'usage' },
  REGISTRATION_CLOSED: { status: 403, exit: 'usage' },
  REFRESH_TOKEN_INVALID: { status: 401, exit: 'usage' },
  REFRESH_TOKEN_REUSED: { status: 401, exit: 'usage' },
  SCOPE_NOT_ALLOWED: { status: 403, exit: 'usage' },
  TOO_MANY_API_KEYS: { status: 409, exit: 'usage' },
  API_KEY_NOT_FOUND: { status: 404, exit: 'usage' },

  // The mesh does not let the node in. They concern the gateway's own node, and no caller of a gateway.
  TOKEN_MALFORMED: { status: 502, exit: 'usage' },
  TOKEN_UNKNOWN: { status: 502, exit: 'unreachable' },
  TOKEN_USED: { status: 502, exit: 'unreachable' },
  CA_MISMATCH: { status: 502, exit: 'unreachable' },
  NOT_A_MEMBER: { status: 502, exit: 'unreachable' },
  MEMBER_REVOKED: { status: 502, exit: 'unreachable' },
  CERTIFICATE_EXPIRED: { status: 502, exit: 'unreachable' },
  NO_AUTHORITY: { status: 502, exit: 'unreachable' },
  OTHER_MESH: { status: 502, exit: 'unreachable' },
  MEMBER_LOG_CONFLICT: { status: 502, exit: 'unreachable' },
  NO_CLUSTER: { status: 502, exit: 'usage' },
  OTHER_CLUSTER: { status: 502, exit: 'usage' },
  NOBODY_TAKES_OVER: { status: 502, exit: 'unreachable' },
}
