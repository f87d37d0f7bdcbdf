import type { OpenedAuction } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Commit, Head } from '../../domain/commit.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { Secrets } from '../../domain/pricing.js'
import type { RecordedOutcome } from './outcome-repository.js'

/** A commit as it lies in this node's log. */
export interface StoredCommit extends Commit {
  /** This log's own order over all auctions: ascending, without gaps, meaningless elsewhere. */
  readonly position: number
}

/** Everything that becomes true with one commit; it is stored as a whole or not at all. */
export interface Append {
  readonly commit: Commit
  /** Hash of the commit before it; null for an opening commit. */
  readonly prevHash: string | null
  /** The events that stand in the body. */
  readonly events: readonly AuctionEvent[]
  /** The auction after them, for the read models. */
  readonly state: OpenedAuction
  /** At the home only: what has to be kept in private beside it. */
  readonly secret?: { readonly secrets: Secrets; readonly sealed: readonly SealedMaximum[] }
  /** At the home only: outcomes to remember with it. */
  readonly outcomes?: readonly RecordedOutcome[]
}

/** What one author has written. */
export interface LogUsage {
  /** Public key. */
  readonly signer: string
  /** Of bodies, in UTF-8. */
  readonly bytes: number
  /** Auctions opened. */
  readonly openings: number
}

export interface AuctionHead extends Head {
  readonly auctionId: string
}

/**
 * The append-only logs of all auctions on this node. One process writes; a reader sees a commit only after it is
 * durable, and then sees its read models as well.
 */
export interface EventLog {
  /**
   * Resolves with the position once the commit is durable: it survives the loss of power from then on. Appends
   * of many auctions share one disk sync. Appends are carried out in the order of the calls.
   *
   * Rejects with `SeqConflictError` where the log's head is not (firstSeq - 1, prevHash), with `LogFullError` where
   * there is no room (nothing stored, later appends may succeed), and with `LogBrokenError` after an I/O error, from
   * when on every append is refused: what was acknowledged before is intact, the process should stop. Rejects with
   * `DuplicateCommandError` where one of its outcomes belongs to a command that already has one, and with
   * `LogBusyError` where too much is waiting to be written; nothing of it is stored then.
   */
  append(entry: Append): Promise<number>

  /**
   * Puts another signature of a stored commit in the place of one that does not hold; nothing else of it changes.
   * Durable when it resolves, with whether there is such a commit, of this hash.
   */
  replaceSignature(commit: Commit): Promise<boolean>

  /**
   * The auction's commits from the one that holds `fromSeq` on, in order; at most `limit.commits`, and no more
   * after `limit.bytes` of bodies have been passed (at least one). Empty past the head or for an unknown auction.
   */
  read(auctionId: string, fromSeq: number, limit: { commits: number; bytes: number }): Promise<StoredCommit[]>

  /** Commits of all auctions past a position, in position order, limited like `read`. */
  readAfter(position: number, limit: { commits: number; bytes: number }): Promise<StoredCommit[]>

  /** The position of the newest commit; 0 for an empty log. */
  position(): Promise<number>

  /** Heads of all auctions in ascending order of id, from after `afterId` on (null: from the start). */
  heads(afterId: string | null, limit: number): Promise<AuctionHead[]>

  /** How much of the log each author has written, by the key that signed it. */
  usage(): Promise<LogUsage[]>

  /** Waits for what is under way, then lets go of every resource. Idempotent. */
  close(): Promise<void>
}

export class SeqConflictError extends Error {
  readonly code = 'SEQ_CONFLICT'
  constructor(
    readonly auctionId: string,
    readonly expected: number,
    /** The log's head; null where it has no such auction. */
    readonly head: Head | null,
  ) {
    super(`${auctionId}: the log stands at seq ${head?.seq ?? 0}, the append expected ${expected}`)
    this.name = 'SeqConflictError'
  }
}

/** One of the append's command ids (a bid's id is one) has an outcome already: nothing of the append was stored. */
export class DuplicateCommandError extends Error {
  readonly code = 'DUPLICATE_COMMAND'
  constructor(
    readonly auctionId: string,
    readonly commandId: string,
  ) {
    super(`${auctionId}: command ${commandId} already has an outcome; nothing was stored`)
    this.name = 'DuplicateCommandError'
  }
}

/** More is waiting to be written than the store takes: nothing was stored, and the same write may be tried again. */
export class LogBusyError extends Error {
  readonly code = 'BUSY'
  constructor(options?: ErrorOptions) {
    super('too much is waiting for the disk: nothing was stored; try again in a moment', options)
    this.name = 'LogBusyError'
  }
}

export class LogFullError extends Error {
  readonly code = 'DISK_FULL'
  constructor(options?: ErrorOptions) {
    super('no room left for the log: nothing was stored; free disk space and try again', options)
    this.name = 'LogFullError'
  }
}

export class LogBrokenError extends Error {
  readonly code = 'LOG_IO_ERROR'
  /** `gone`: a file that was moved, deleted or replaced while it was in use. */
  constructor(options: ErrorOptions & { readonly gone?: string } = {}) {
    const { gone, ...cause } = options
    super(
      gone === undefined
        ? 'the log failed with an I/O error: nothing more is acknowledged; stop the node and check the disk'
        : `${gone} was moved, deleted or replaced while the node ran: nothing more is acknowledged; put it back, or restore the data directory from a backup, before the next start`,
      cause,
    )
    this.name = 'LogBrokenError'
  }
}
