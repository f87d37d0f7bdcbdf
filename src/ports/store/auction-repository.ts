import type { AuctionPhase, AuctionStatus, OpenedAuction } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Head } from '../../domain/commit.js'
import type { Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { Secrets } from '../../domain/pricing.js'

export interface AuctionRecord {
  readonly auctionId: string
  readonly head: Head
  readonly state: OpenedAuction
}

export interface AuctionQuery {
  readonly statuses?: readonly AuctionPhase[]
  /** The time, UTC milliseconds, by which an open auction counts as ended. */
  readonly now: number
  /** Part of the title, in any case. */
  readonly text?: string
  /** A party's id: only what it sells, or only what it has bid on. Not both, and not with `sort: 'ending'`. */
  readonly seller?: string
  readonly bidder?: string
  /**
   * `ending`: auctions that are open in their logs and have an end, whatever `statuses` says: those whose end is ahead,
   * soonest first, then those that have ended and wait for their homes, in the same order.
   */
  readonly sort?: 'newest' | 'ending'
  /** `next` of a page in the same order: strictly past its place there, whatever has become of its last auction. */
  readonly cursor?: string
  /** 1 to 1,000. */
  readonly limit: number
}

/** A live auction's next moment that its home has to act on. */
export interface DueAuction {
  readonly auctionId: string
  /** UTC milliseconds. */
  readonly dueAt: number
}

export interface BidRecord {
  readonly auctionId: string
  readonly seq: number
  readonly at: number
  readonly bidId: string
  readonly bidder: Party
  readonly kind: 'plain' | 'max' | 'max-change' | 'buy-now'
  /** Null for a maximum that has not been revealed. */
  readonly amount: Minor | null
  readonly price: Minor
  readonly leads: boolean
}

/** The read models: auctions and bids as of the last durable commit. */
export interface AuctionRepository {
  find(auctionId: string): Promise<AuctionRecord | null>
  /** Up to `limit` ids that start with the prefix, ascending. */
  idsByPrefix(prefix: string, limit: number): Promise<string[]>
  /**
   * Newest opened first, unless sorted otherwise. `next` is the cursor of the page after, null at the end. Rejects with
   * a `RangeError` where the cursor is none of this order (see application/log/list-order.ts).
   */
  list(query: AuctionQuery): Promise<{ auctions: AuctionRecord[]; next: string | null }>
  /** Live auctions of this home that have a start or an end ahead or overdue, soonest first. */
  due(homeNodeId: string): Promise<DueAuction[]>
  /** Closed auctions of this home whose commitments are not all opened yet. */
  unrevealed(homeNodeId: string): Promise<string[]>
  /** An auction's accepted bids, newest first, strictly before `beforeSeq` where given. */
  bids(auctionId: string, beforeSeq: number | null, limit: number): Promise<BidRecord[]>
  /** Those of the given auctions that the party has bid on. */
  bidOnBy(bidderId: string, auctionIds: readonly string[]): Promise<Set<string>>
  /** How many auctions of this home are scheduled or open. */
  liveOf(homeNodeId: string): Promise<number>
  /** Any auction whose terms name the picture: of this home, where one is given. */
  withPicture(hash: string, homeNodeId: string | null): Promise<AuctionRecord | null>
  counts(): Promise<{ auctions: Record<AuctionStatus, number>; bids: number }>
}

/** What the home keeps to itself. No RPC, export or replica ever shows it. */
export interface SecretRepository {
  /** Null where this node keeps none: it has not been the auction's home, nor got what goes with it. */
  secrets(auctionId: string): Promise<Secrets | null>
  /** The auction's sealed maxima that no event has revealed and that the close did not keep secret, up to `limit`. */
  sealed(auctionId: string, limit: number): Promise<SealedMaximum[]>
}
