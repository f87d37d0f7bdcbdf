import type { AuctionEvent } from '../../domain/events.js'

/** Events of one auction that follow each other, as they stand in its log. */
export interface FeedBatch {
  readonly auctionId: string
  /** Of the first of them. */
  readonly firstSeq: number
  readonly events: readonly AuctionEvent[]
  /** Whether the auction is disputed, as in `AuctionView`; looked up when it is asked for. */
  disputed(): Promise<boolean>
  /** Goes on past the first `taken` of them, in the list of all. */
  cursor(taken: number): string
}

/**
 * Everything that happens on a node, as it happens: pushed where the node is in the same process, asked for where it is
 * not. The node's log is the buffer: a listener that falls behind is given what it missed from there, so it costs no
 * memory and loses nothing.
 */
export interface EventFeed {
  /** The cursor past all that has happened so far. Rejects with `NodeError`. */
  now(): Promise<string>
  /**
   * Calls `hear` with what comes past a cursor, in the node's order, without a gap and without a duplicate. What `hear`
   * returns is awaited before the next call. Resolves when the signal aborts, or soon after; rejects with `NodeError`
   * where the node is away (then go on from the last cursor), or with what `hear` throws.
   */
  follow(cursor: string, hear: (batch: FeedBatch) => Promise<void> | null, signal: AbortSignal): Promise<void>
}
