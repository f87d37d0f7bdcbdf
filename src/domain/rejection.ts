import type { Minor } from './money.js'
import type { TermsProblem } from './terms.js'

/**
 * A command refused by a rule: an outcome, not an error. The code is stable; the data say what would have been
 * needed. Text for people is made from it at the edges (application/node/explain-rejection.ts).
 */
export type Rejection =
  | { readonly code: 'TERMS_INVALID'; readonly problems: readonly TermsProblem[] }
  | { readonly code: 'NOT_OPEN_YET'; readonly opensAt: number }
  | { readonly code: 'AUCTION_ENDED'; readonly endedAt: number }
  | { readonly code: 'AUCTION_CLOSED'; readonly closedAt: number }
  | { readonly code: 'AUCTION_CANCELLED'; readonly cancelledAt: number }
  | { readonly code: 'OWN_AUCTION' }
  | { readonly code: 'ALREADY_LEADING'; readonly price: Minor }
  /** `minimum` null: the price is the last amount there is. */
  | { readonly code: 'BID_TOO_LOW'; readonly minimum: Minor | null; readonly price: Minor | null }
  | { readonly code: 'MAX_BELOW_PRICE'; readonly price: Minor }
  /** `minimum` null: no bid would do while the lot can be bought at once. */
  | { readonly code: 'BUY_NOW_AVAILABLE'; readonly buyNow: Minor; readonly minimum: Minor | null }
  | { readonly code: 'NO_BUY_NOW' }
  | { readonly code: 'BUY_NOW_WITHDRAWN'; readonly minimum: Minor | null }
  | { readonly code: 'NOT_SELLER'; readonly seller: string }
  | { readonly code: 'HAS_BIDS'; readonly bidCount: number }
  | { readonly code: 'NO_END_TIME' }
  | { readonly code: 'EXTENSION_NOT_LATER'; readonly closesAt: number }
  | { readonly code: 'PAST_HARD_STOP'; readonly hardStopAt: number }
  | { readonly code: 'COMMAND_ID_REUSED' }
  | { readonly code: 'NOT_DUE'; readonly dueAt: number | null }

export type RejectionCode = Rejection['code']
