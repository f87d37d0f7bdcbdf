import type { AuctionPhase } from '../../domain/auction.js'
import type { AmountInput } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { BidderNames } from '../../domain/terms.js'

/** On whose behalf a request is made; the node's own user's otherwise. */
export interface OnBehalf {
  readonly as?: Party
  /** Of the request that it comes from: goes with it to the home, into the log lines of both nodes. */
  readonly requestId?: string | undefined
}

export interface OpenRequest extends OnBehalf {
  readonly commandId: string
  /** As in `AuctionCommand`. */
  readonly replicas?: number
  readonly title: string
  readonly description?: string
  readonly currency: string
  readonly start: AmountInput
  readonly reserve?: AmountInput
  /** A flat step ("0.50") or bands ("0:5,100:10,500:25"); the default table otherwise. */
  readonly increment?: AmountInput
  readonly buyNow?: AmountInput
  /** UTC milliseconds. */
  readonly opensAt?: number
  /** A duration from now, instead of `opensAt`. */
  readonly opensInMs?: number
  /** An `opensAt` that has passed means at once; it is refused otherwise. */
  readonly openLate?: true
  readonly closesAt?: number
  /** A duration from the opening, instead of `closesAt`. */
  readonly closesInMs?: number
  readonly softClose?: { readonly windowMs: number; readonly extensionMs: number }
  readonly hardStopAt?: number
  /** A duration past the end, instead of `hardStopAt`. */
  readonly hardStopInMs?: number
  /** Public, unless said otherwise. */
  readonly bidderNames?: BidderNames
  /** An end that falls within a time in which nobody could bid is moved; true unless said otherwise. */
  readonly givesTimeBack?: boolean
  /** Each was added before (`addPicture`). */
  readonly pictures?: readonly NamedPicture[]
}

export interface NamedPicture {
  readonly hash: string
  /** What it shows, for whoever cannot see it. */
  readonly alt?: string
}

export interface AuctionCommand extends OnBehalf {
  readonly auction: string
  readonly commandId: string
  /**
   * Where it comes from, such as a connection: commands of one lane for one auction are decided in the order of the
   * calls.
   */
  readonly lane?: object | undefined
  /** Acknowledge only once this many replicas have stored it as well: 1 to 16. */
  readonly replicas?: number
}

export interface BidRequest extends AuctionCommand {
  /** `max`: kept by the auction's home, which bids up to it; `plain`: this amount, at once. */
  readonly kind: 'plain' | 'max'
  readonly amount: AmountInput
  /** The answer's `auction` is left null: for callers that follow the auction's events anyway. */
  readonly brief?: boolean
}

export interface ShowRequest extends OnBehalf {
  readonly auction: string
}

export interface ListRequest extends OnBehalf {
  readonly statuses?: readonly AuctionPhase[]
  readonly text?: string
  /** The id of a party: only what it sells, or only what it has bid on. Not both. */
  readonly seller?: string
  readonly bidder?: string
  /**
   * Newest opened first otherwise. `ending`: open auctions that have an end, soonest first, and behind them those that
   * have ended and wait for their homes; takes no seller or bidder.
   */
  readonly sort?: ListSort
  /** `next` of a page of the same list. One of another order, or made up, is INVALID_INPUT. */
  readonly cursor?: string
  /** 1 to 1,000; 50 by default. */
  readonly limit?: number
}

export type ListSort = 'newest' | 'ending'

export interface HistoryRequest extends OnBehalf {
  readonly auction: string
  readonly beforeSeq?: number
  /** 1 to 1,000; 50 by default. */
  readonly limit?: number
}

export interface LogRequest {
  readonly auction: string
  /** From 1. */
  readonly fromSeq: number
}

export interface TlogProofRequest {
  readonly auction: string
  /** An event of the commit; the last one otherwise. */
  readonly seq?: number
}

export interface ReceiptsRequest {
  /** Those of one auction only. */
  readonly auction?: string
  /** The id of a party: those of its commands alone, with what was signed together with them. Of one auction only. */
  readonly party?: string
  /** `next` of the last answer. */
  readonly after?: number
}

export interface MaximaRequest {
  /** Auctions, each with the id of the party that may lead it. */
  readonly of: readonly { readonly auction: string; readonly party: string }[]
}

export interface EventsRequest {
  /** One auction only. */
  readonly auction?: string
  /** From the last answer. Absent: only what happens from now on, or from `fromSeq` on for one auction. */
  readonly cursor?: string
  readonly fromSeq?: number
  /** 0 to 30,000. */
  readonly waitMs: number
  /** 1 to 1,000; 200 by default. */
  readonly limit?: number
}

export interface MovingRequest {
  /** The version that the caller knows; null: none. */
  readonly after: number | null
  /** 0 to 30,000. */
  readonly waitMs: number
}

export interface RecoveryRequest {
  readonly auction: string
  readonly withoutPeers?: boolean
}

/** What of the audit record is asked for: lines that match all that is given. */
export interface AuditRequest {
  /** Id of an account, a guest or a node, or the start of one. */
  readonly who?: string
  readonly auction?: string
  /** Name of an act, or the start of one that ends before a dot: `auction` for all about auctions. */
  readonly act?: string
  /** UTC milliseconds. */
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Lines after this one. */
  readonly afterSeq?: number
  readonly limit?: number
}
