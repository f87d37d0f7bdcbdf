import type { SealedMaximum } from '../../domain/commands.js'
import type { Commit, Head } from '../../domain/commit.js'
import type { Secrets } from '../../domain/pricing.js'
import type { Append, AuctionHead } from './event-log.js'
import type { RecordedOutcome } from './outcome-repository.js'

/**
 * The log that the nodes of a cluster share. It is the lock: whoever moves an auction's head has read all before it,
 * and nobody else can have moved it. So leases, clocks and beats decide only who tries, never who is right.
 *
 * Every method opens the log first if it has to, and rejects with a `SharedLogError`. No call waits without end: if the
 * log does not answer in time, the error is `LOG_UNREACHABLE`, or `LOG_OUTCOME_UNKNOWN` where
 * something may have been stored all the same. After any error the next call may succeed.
 */
export interface SharedLog {
  /**
   * Connects, brings the schema to this version, and claims an empty log for this cluster. Idempotent. To be called at
   * the start, so that what only an operator can mend is found there; `LOG_UNREACHABLE` will pass.
   */
  open(): Promise<void>

  /**
   * Appends commits of any number of auctions, each with what has to lie beside it; the results are in the order of
   * the entries. Durable, and on whatever standbys PostgreSQL waits for, when it resolves.
   *
   * - An entry is stored if the head of its auction is (firstSeq - 1, prevHash), and moves it. Otherwise nothing of it
   *   is stored, and its auction alone is concerned.
   * - Entries of one auction that follow each other are stored together or not at all. Entries and calls are carried
   *   out in order for each auction, without waiting in between.
   * - An append that is in the log already, by its hash, has been appended: so the same call may be made again.
   * - An opening is refused as well where its command has opened another auction: asked again at another node, a
   *   client must not sell a thing twice.
   * - Commits that others have written are appended alike. So a home puts back, word for word, what an asynchronous
   *   standby has lost. Without `secret` those kept before remain, as of their seq.
   *
   * Rejects as a whole with `LOG_UNREACHABLE`, `LOG_FULL` and such if nothing was stored, and with
   * `LOG_OUTCOME_UNKNOWN` where any of it may have been, or may yet be.
   */
  append(entries: readonly Append[]): Promise<SharedAppendResult[]>

  /**
   * Keeps outcomes that came without a commit, for as long as `homeNodeId` is the home of their auctions; resolves with
   * the ids of the auctions of which it is not, and of whose outcomes nothing was kept. A command that has an outcome
   * keeps it. Once another node's commit has taken the auction over, nothing more can be recorded by the old home.
   */
  record(homeNodeId: string, outcomes: readonly RecordedOutcome[]): Promise<string[]>

  /** The heads of those of the auctions that the log has, by id. */
  heads(auctionIds: readonly string[]): Promise<Map<string, Head>>

  /** The auction's commits from the one that holds `fromSeq` on, limited like `EventLog.read`. */
  read(auctionId: string, fromSeq: number, limit: { commits: number; bytes: number }): Promise<Commit[]>

  /**
   * What lies beside an auction's log, in pages of the log's own size: outcomes, and sealed maxima that no event has
   * revealed. It is complete where the first page is asked for after the asker's own takeover has been appended.
   */
  beside(auctionId: string, after: string | null): Promise<SharedPage>

  /** Says that this node is alive, by the log's clock; the view is as of then. */
  beat(node: ClusterNode): Promise<ClusterView>

  /** The same without a beat. */
  view(): Promise<ClusterView>

  /** This node is not alive any more, as of now; a beat brings it back. */
  leave(nodeId: string): Promise<void>

  /**
   * Auctions of a home that still need one, in order of id: those that are not over, and closed ones with maxima that
   * have to be revealed.
   */
  auctionsOf(homeNodeId: string, afterId: string | null, limit: number): Promise<OwnedAuction[]>

  /** How it stands, without asking the log. */
  status(): SharedLogStatus

  /** Lets go of every resource; calls under way reject. Idempotent. */
  close(): Promise<void>
}

export type SharedAppendResult =
  | { readonly appended: true }
  /** Another writer was there first; null if the log has no such auction. */
  | { readonly appended: false; readonly head: Head | null }
  /** What the opening's command has come to already. */
  | { readonly appended: false; readonly earlier: RecordedOutcome }

export interface SharedPage {
  readonly outcomes: readonly RecordedOutcome[]
  readonly sealed: readonly SealedMaximum[]
  /** On the last page: null if none were kept. A bid after `seq` may have changed them. */
  readonly secrets: { readonly seq: number; readonly secrets: Secrets } | null
  /** Where to go on; null at the end. */
  readonly next: string | null
}

export interface ClusterNode {
  readonly nodeId: string
  readonly name: string
  /** Where other nodes reach it; empty if they cannot. */
  readonly address: string
}

export interface BeatingNode extends ClusterNode {
  /** By the log's clock, UTC milliseconds, never after the view's `now`; 0 once it has left. */
  readonly lastBeatAt: number
}

export interface ClusterView {
  /** The log's clock, UTC milliseconds. */
  readonly now: number
  /** All that have ever beaten, in order of id. */
  readonly nodes: readonly BeatingNode[]
  /** Homes of auctions that need one, whether they have beaten or not. */
  readonly homes: readonly string[]
  /**
   * Grows with each new server, or life of a server, that this node may be connected to: what was read before it may
   * be gone, and beats before it may have been by another clock.
   */
  readonly session: number
}

export interface OwnedAuction extends AuctionHead {
  /** See `dueAt`. */
  readonly dueAt: number | null
}

export interface SharedLogStatus {
  /** host:port of the primary; null while there is none. */
  readonly connectedTo: string | null
  /** Why the last call failed; null after one that did not. */
  readonly error: SharedLogError | null
}

export type SharedLogErrorCode =
  /** Nothing was stored. It will pass, or needs the operator: the message says which. */
  | 'LOG_UNREACHABLE'
  /** What was asked for may have been stored, or be stored yet. */
  | 'LOG_OUTCOME_UNKNOWN'
  | 'LOG_FULL'
  /** More waits to be stored than this node keeps; nothing was stored. */
  | 'LOG_BUSY'
  | 'LOG_CREDENTIALS'
  | 'LOG_NO_DATABASE'
  | 'LOG_CERTIFICATE'
  | 'LOG_NO_RIGHTS'
  /** The server would lose what it has acknowledged, or cannot hold what is to be stored. */
  | 'LOG_UNSAFE'
  | 'LOG_OF_ANOTHER_CLUSTER'
  | 'LOG_FOREIGN'
  | 'LOG_TOO_OLD'
  | 'LOG_TOO_NEW'
  | 'LOG_BROKEN'

/** Why the shared log cannot be used, or did not answer. The message says what to do, and holds no secret. */
export class SharedLogError extends Error {
  constructor(
    readonly code: SharedLogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'SharedLogError'
  }
}
