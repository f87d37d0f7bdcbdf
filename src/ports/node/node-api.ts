import type { AuctionPhase, AuctionStatus, OpenedAuction } from '../../domain/auction.js'
import type { NewEnd } from '../../domain/commands.js'
import type { Commit, Head } from '../../domain/commit.js'
import type { Currency } from '../../domain/currency.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { AmountInput, Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { BidderNames } from '../../domain/terms.js'
import type { MemberLogConflict } from '../members/member-directory.js'
import { MESH_ERROR_CODES } from '../members/mesh-error.js'
import type { NodeInfo } from '../mesh/peer-client.js'
import type { BidRecord } from '../store/auction-repository.js'
import type { AutoBid } from '../store/auto-bid-repository.js'
import type { Breach } from '../store/breach-repository.js'
import type { EquivocationProof } from '../store/equivocation-repository.js'
import type { Outcome } from '../store/outcome-repository.js'
import type { SignedReceipts } from '../store/receipt-repository.js'

/**
 * What a node does for its own user: in the same process (the interactive client) and from elsewhere (the command
 * line, over RPC with the operator's token).
 *
 * `auction` in a request is an id or an unambiguous prefix of one, with or without `auc_`. Amounts in requests are
 * decimal text or JSON numbers in the auction's currency; in answers they are minor units beside their currency. Every method
 * rejects with `NodeError`. A rejection by a rule is an outcome, not an error. A command may be repeated with the
 * same `commandId`: it takes effect at most once, and the first outcome is returned. All that it asks for has to be the same,
 * as it was asked ("ends in 2 h"); otherwise it is refused with COMMAND_ID_REUSED.
 *
 * Whoever holds this has the operator's rights, and may speak for others with them: `as` in a request is the party on
 * whose behalf it is made (a gateway's account); the node's own user otherwise.
 */
export interface NodeApi {
  status(): Promise<NodeStatus>
  peers(): Promise<PeerView[]>

  open(request: OpenRequest): Promise<CommandResult>
  bid(request: BidRequest): Promise<CommandResult>
  buyNow(request: AuctionCommand): Promise<CommandResult>
  /** Only the seller's node may close, cancel and extend. */
  close(request: AuctionCommand): Promise<CommandResult>
  cancel(request: AuctionCommand & { readonly reason?: string }): Promise<CommandResult>
  /** `closesAt`: the new end, UTC milliseconds; `addedMs`: so much later than it is when the home decides. */
  extend(request: AuctionCommand & NewEnd): Promise<CommandResult>

  /**
   * Makes another node the home of an auction of this one: `peer` is its name, its id or an unambiguous prefix of that.
   * Rejects where the auction did not move; it goes on here then.
   */
  handover(request: { readonly auction: string; readonly peer: string }): Promise<AuctionView>

  /** Sets (or changes the limit of) the standing order that bids for this user step by step. */
  autoBid(request: { readonly auction: string; readonly limit: AmountInput }): Promise<AutoBidView>
  stopAutoBid(request: { readonly auction: string }): Promise<AutoBidView>
  autoBids(): Promise<AutoBidView[]>

  list(request: ListRequest): Promise<{ auctions: AuctionView[]; next: string | null }>
  show(request: ShowRequest): Promise<AuctionView>
  /** Accepted bids, newest first; a page of them. */
  history(request: HistoryRequest): Promise<HistoryPage>
  /**
   * The next events past a cursor; waits up to `waitMs` for the first. No gap and no duplicate from one cursor to
   * the next.
   */
  events(request: EventsRequest): Promise<{ items: FeedItem[]; cursor: string }>

  /** An auction's commits as they are stored, from the one that holds `fromSeq` on; a page of them. */
  log(request: LogRequest): Promise<LogPage>

  /** The proof that an auction's home has signed two histories; null where there is none. */
  proof(request: { readonly auction: string }): Promise<EquivocationProof | null>
  /** What homes have signed for this node's user's own commands, in the order in which it came; a page of it. */
  receipts(request: ReceiptsRequest): Promise<{ signed: SignedReceipts[]; next: number | null }>

  /** Asks the node to stop; resolves once it has agreed to. */
  stop(): Promise<void>
}

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
}

export interface AuctionCommand extends OnBehalf {
  readonly auction: string
  readonly commandId: string
  /** Where it comes from, such as a connection: commands of one lane for one auction are decided in the order of the calls. */
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
   * Newest opened first otherwise. `ending`: open auctions that have an end, soonest first, and behind them those that have ended and wait for their
   * homes; takes no seller or bidder.
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

export interface HistoryPage {
  readonly auction: AuctionView
  readonly bids: BidRecord[]
  /** `beforeSeq` of the next page; null where there is none. */
  readonly next: number | null
}

export interface LogRequest {
  readonly auction: string
  /** From 1. */
  readonly fromSeq: number
}

export interface LogPage {
  readonly auctionId: string
  readonly commits: readonly Commit[]
  /** Of the whole log. */
  readonly head: Head
}

export interface ReceiptsRequest {
  /** Those of one auction only. */
  readonly auction?: string
  /** The id of a party: those of its commands alone, with what was signed together with them. Of one auction only. */
  readonly party?: string
  /** `next` of the last answer. */
  readonly after?: number
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

export interface CommandResult {
  readonly outcome: Outcome
  /** As it stands after the command, as far as this node has heard; null where it does not exist. */
  readonly auction: AuctionView | null
}

export type HomeState = 'self' | PeerState | 'unknown'
export type PeerState = 'alive' | 'suspect' | 'dead' | 'left'

export interface AuctionView {
  readonly auctionId: string
  readonly head: Head
  readonly state: OpenedAuction
  /** As of now: `ended` where the end has come and the home has not closed it yet. */
  readonly phase: AuctionPhase
  /** The least a new bid must offer; null where no bid would do: nobody can bid any more, or the lot can be bought for no more. */
  readonly minimum: Minor | null
  readonly buyNowAvailable: boolean
  readonly homeState: HomeState
  /** Null where this node has never heard of it. */
  readonly homeName: string | null
  /** Its home has signed two histories, provably, or does not keep to what it has signed for bids of this node. */
  readonly disputed: boolean
  /** The latter. */
  readonly breach: Breach | null
  /** How this node's user, or whom it was asked for, stands: null where not involved. */
  readonly mine: 'seller' | 'leading' | 'outbid' | 'won' | 'lost' | null
  readonly autoBid: AutoBid | null
}

export interface AutoBidView {
  readonly autoBid: AutoBid
  readonly auction: AuctionView
}

export interface FeedItem {
  readonly auctionId: string
  readonly seq: number
  readonly event: AuctionEvent
  readonly title: string
  readonly currency: Currency
  readonly seller: string
  /** As in `AuctionView`. */
  readonly disputed: boolean
  /** Goes on past this very event in the list of all; not in one auction's list, where its seq does. */
  readonly cursor?: string
}

export interface NodeStatus {
  readonly node: NodeInfo
  readonly dataDir: string
  readonly grapeUrl: string
  readonly grape: 'connected' | 'unreachable'
  readonly peers: {
    readonly alive: number
    readonly suspect: number
    readonly dead: number
    readonly left: number
  }
  readonly auctions: Readonly<Record<AuctionStatus, number>>
  /** Scheduled and open auctions whose home is this node: they pause while it is away. */
  readonly ownLive: number
  readonly bids: number
  readonly sync: SyncStatus
  readonly mesh: MeshStatus
  /** Null while the machine's clock keeps step with the time that has passed. */
  readonly clockDoubt: ClockDoubt | null
  /** Auctions of this home that it must not write to, and why; the first 100. */
  readonly held: readonly { readonly auctionId: string; readonly why: string }[]
  /** Null where TLS is switched off. */
  readonly handshakes: HandshakeCounts | null
  /** What members and accounts may use up of this node, and how much they have. */
  readonly budgets: readonly BudgetStatus[]
  readonly uptimeMs: number
  readonly pid: number
}

/** One thing that senders use up; each of them may use as much of it as `limit`. */
export interface BudgetStatus {
  readonly name: string
  /** Of `limit` and of what is used. */
  readonly unit: string
  readonly limit: number
  /** How long until all of it is back; null: it comes back as what is held or kept goes. */
  readonly refillMs: number | null
  /** Who has used most: a node's id, or an account's. Null where nobody has used anything. */
  readonly fullest: { readonly sender: string; readonly used: number } | null
  /** How often somebody was refused or put off for it since the start. */
  readonly refused: number
}

/** The mesh as this node's copy of the member list has it. */
export interface MeshStatus {
  readonly meshId: string
  readonly members: number
  /** The mesh's authority has signed two histories of the member list: its key is used in two places. */
  readonly conflict: MemberLogConflict | null
}

/** The machine's clock was set, or the machine slept: the home goes by the time that has passed. */
export interface ClockDoubt {
  /** How far the clock is ahead of that time; negative: behind. */
  readonly aheadMs: number
  /** When it counts, if it stays so. */
  readonly countsInMs: number
  /** Auctions of this home that would have started or ended by it, and are held. */
  readonly holds: number
}

/** TLS handshakes since the start. */
export interface HandshakeCounts {
  /** With members, as the server and as the client. */
  readonly accepted: number
  readonly dialled: number
  /** Not finished, or with somebody who is not let in. */
  readonly refused: number
  /** Connections of strangers that were closed to make room for others. */
  readonly dropped: number
}

/** How far this node's replicas are behind what its peers hold. */
export interface SyncStatus {
  /**
   * `alone`: there is no live peer to sync with; `synced`: nothing is known to be missing; `incomplete`: nothing is but what
   * this node refuses, which `refusedAuctions` names.
   */
  readonly state: 'syncing' | 'synced' | 'incomplete' | 'alone'
  /** UTC milliseconds. */
  readonly since: number
  /** Events stored in this sync, or in the last one. */
  readonly done: number
  /** Events that it is about, as far as is known. */
  readonly total: number
  readonly eventsPerSecond: number
  /** Null where it cannot be told. */
  readonly msLeft: number | null
  /** Commits refused since the start because they were not what they claimed. */
  readonly refused: number
  /** Auctions that lack what their homes have signed, since this node does not take it. */
  readonly refusedAuctions: readonly RefusedAuction[]
  /** Auctions of this node that peers do not take any further. */
  readonly doubtedAuctions: readonly DoubtedAuction[]
}

/** What is missing of an auction because its home has signed what this node refuses. */
export interface RefusedAuction {
  readonly auctionId: string
  /** The first event that is missing. */
  readonly seq: number
  /** The rule that is broken. */
  readonly reason: string
  /** The node whose fault it is, unless it is this one's. */
  readonly home: string
  readonly homeName: string | null
}

/** An auction of this node's that goes on here alone. */
export interface DoubtedAuction {
  readonly auctionId: string
  /** The first event that the peers refuse. */
  readonly seq: number
  readonly reason: string
  /** Their names. */
  readonly peers: readonly string[]
}

export interface PeerView extends NodeInfo {
  readonly state: PeerState
  /** UTC milliseconds of its last sign of life. */
  readonly lastSeenAt: number
  readonly roundTripMs: number | null
}

/** Why a node could not answer. `field` names the offending input; `next` says what to do. */
export class NodeError extends Error {
  readonly field: string | undefined
  readonly next: string | undefined
  constructor(
    readonly code: NodeErrorCode,
    message: string,
    info: { field?: string; next?: string; cause?: unknown } = {},
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'NodeError'
    this.field = info.field
    this.next = info.next
  }
}

export const NODE_ERROR_CODES = [
  'INVALID_INPUT',
  'AUCTION_NOT_FOUND',
  'AUCTION_AMBIGUOUS',
  'HOME_UNREACHABLE',
  'OUTCOME_UNKNOWN',
  'BUSY',
  'DISK_FULL',
  'AUCTION_HELD',
  'LOG_IO_ERROR',
  'FORBIDDEN',
  'NODE_UNREACHABLE',
  'STOPPING',
  'NOT_HOME',
  'NOT_MOVED',
  'TOO_FEW_REPLICAS',
  'NOT_REPLICATED',
  'ORDER_OUT_OF_TIME',
  'INTERNAL',
  ...MESH_ERROR_CODES,
] as const
export type NodeErrorCode = (typeof NODE_ERROR_CODES)[number]
