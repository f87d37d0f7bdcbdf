import type { Append } from '../../ports/store/event-log.js'
import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { NotWritableError } from '../log/held-auctions.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'

/**
 * What the homes of this node write to: its own log, or in a cluster the log that its nodes share. There is no other
 * way to write for a home: bids, ends, reveals and handovers, whatever makes them.
 */
export interface HomeLog extends Pick<PublishingEventLog, 'onPublished' | 'read'> {
  /**
   * As `EventLog.append`. Where others may write too, it rejects with `NotHomeError` once another node is the home, and
   * with `LogAwayError` where the shared log cannot be reached; an opening rejects with `OpenedBeforeError`.
   */
  append(entry: Append): Promise<unknown>
  /**
   * Resolves when the own store holds all that decides about the auction: to be called before it is loaded. Rejects
   * with `NotWritableError`.
   */
  prepare(auctionId: string): Promise<void>
  /** Resolves when the own store has what was appended so far, or cannot take it now. */
  settled(auctionId: string): Promise<void>
}

/** The log of a home that nobody else writes to. */
export function ownHomeLog(eventLog: PublishingEventLog): HomeLog {
  return {
    append: (entry) => eventLog.append(entry),
    onPublished: (listener) => eventLog.onPublished(listener),
    read: (auctionId, fromSeq, limit) => eventLog.read(auctionId, fromSeq, limit),
    prepare: () => Promise.resolve(),
    settled: () => Promise.resolve(),
  }
}

/** Another node has become the home; nothing was done. */
export class NotHomeError extends NotWritableError {
  readonly code = 'NOT_HOME'
  constructor() {
    super('this node is not the home of that auction any more; nothing was done')
    this.name = 'NotHomeError'
  }
}

/** The home stops before it has taken the auction up; nothing was done. */
export class HomeStopsError extends NotWritableError {
  readonly code = 'STOPPING'
  constructor() {
    super('the node is stopping; nothing was done')
    this.name = 'HomeStopsError'
  }
}

/** The log that decides cannot be reached; nothing was done. */
export class LogAwayError extends NotWritableError {
  readonly code = 'LOG_UNREACHABLE'
  constructor(cause: Error) {
    super(`the home cannot write to the log of its cluster, and nothing was done: ${cause.message}`, { cause })
    this.name = 'LogAwayError'
  }
}

/** The command has opened an auction at another node of the cluster. */
export class OpenedBeforeError extends Error {
  constructor(readonly earlier: RecordedOutcome) {
    super(`${earlier.outcome.commandId} has opened ${earlier.outcome.auctionId} already`)
    this.name = 'OpenedBeforeError'
  }
}
