import type { AuctionPhase, OpenedAuction } from '../../domain/auction.js'
import type { Commit, Head } from '../../domain/commit.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { Minor } from '../../domain/money.js'
import type { BidRecord } from '../store/auction-repository.js'
import type { AutoBid } from '../store/auto-bid-repository.js'
import type { Breach } from '../store/breach-repository.js'
import type { Outcome } from '../store/outcome-repository.js'
import type { PeerState } from './node-info.js'

export interface HistoryPage {
  readonly auction: AuctionView
  readonly bids: BidRecord[]
  /** `beforeSeq` of the next page; null if there is none. */
  readonly next: number | null
}

export interface LogPage {
  readonly auctionId: string
  readonly commits: readonly Commit[]
  /** Of the whole log. */
  readonly head: Head
}

/** That a commit stands in this node's copy of a log, in the format of C2SP tlog-proof. */
export interface TlogProof {
  readonly proof: string
  /** The key that its checkpoint is signed with, as a note's verifier key. */
  readonly verifierKey: string
  /** Of the commit among those of the log, from 0. */
  readonly index: number
  /** Commits of the log. */
  readonly size: number
}

export interface CommandResult {
  readonly outcome: Outcome
  /** As it stands after the command, as far as this node has heard; null if it does not exist. */
  readonly auction: AuctionView | null
}

export type HomeState = 'self' | PeerState | 'unknown'

export interface AuctionView {
  readonly auctionId: string
  readonly head: Head
  readonly state: OpenedAuction
  /** As of now: `ended` where the end has come and the home has not closed it yet. */
  readonly phase: AuctionPhase
  /**
   * The least a new bid must offer; null if no bid would do: nobody can bid any more, or the lot can be bought for
   * no more.
   */
  readonly minimum: Minor | null
  readonly buyNowAvailable: boolean
  readonly homeState: HomeState
  /** Null if this node has never heard of it. */
  readonly homeName: string | null
  /** Its home has signed two histories, provably, or does not keep to what it has signed for bids of this node. */
  readonly disputed: boolean
  /** The latter. */
  readonly breach: Breach | null
  /** How this node's user, or whom it was asked for, stands: null if not involved. */
  readonly mine: 'seller' | 'leading' | 'outbid' | 'won' | 'lost' | null
  readonly autoBid: AutoBid | null
}

export interface AutoBidView {
  readonly autoBid: AutoBid
  readonly auction: AuctionView
}

/** An event as it stands in the log; what everybody hears is made of it (`application/gateway/public-events.ts`). */
export interface FeedItem {
  readonly auctionId: string
  readonly seq: number
  readonly event: AuctionEvent
  /** As in `AuctionView`. */
  readonly disputed: boolean
  /** Goes on past this very event in the list of all; not in one auction's list, where its seq does. */
  readonly cursor?: string
}

/** What came of taking an auction back from peers. */
export interface TakenBack {
  readonly auctionId: string
  /** The events that this node had lost. None if `untilSeq` is less. */
  readonly fromSeq: number
  readonly untilSeq: number
  /** Names of those that were asked, and of members that could not be. */
  readonly peers: readonly string[]
  readonly absent: readonly string[]
  readonly lost: LostSecrets
  /** It can only be given up. */
  readonly isHeld: boolean
}

/** What a home has lost with its database, and no peer holds. */
export interface LostSecrets {
  readonly reserve: boolean
  /** How many maxima, and whose bids' (the first 100). */
  readonly maxima: number
  readonly maximaOf: readonly string[]
  /** Whether the leader's is among them. */
  readonly leading: boolean
}

/** Auctions of a cluster whose home does not answer this node, until it does or another one is known. */
export interface Moving {
  /** Of the list: changes with it. */
  readonly version: number
  /** `since`: UTC milliseconds. */
  readonly auctions: readonly { readonly auctionId: string; readonly since: number }[]
}

export interface AuditLines {
  readonly lines: readonly AuditEntry[]
  /** For the next page's `afterSeq`. Null: this was the newest one. */
  readonly next: number | null
  /** The newest line that was looked at: what comes later has a higher number. */
  readonly seq: number
}

export interface AuditEntry {
  /** JSON, as it was hashed. */
  readonly text: string
  readonly hash: string
}
