import type { Commit } from '../../domain/commit.js'
import type { AuctionHead } from './event-log.js'

/** The logs of all auctions as one node has them: this process's own, or one that is asked over the mesh. */
export interface AuctionLogs {
  /**
   * Calls `grown` with each auction whose log grows, and by how many events, from when this resolves on until the
   * signal aborts. Calls `lost` at most once, where it cannot go on: what grows then is not heard of.
   */
  follow(hear: LogsListener, signal: AbortSignal): Promise<void>

  /** Heads of all auctions, each once, from after the page that ended with `next` on (null: from the start). */
  heads(after: string | null): Promise<{ heads: readonly AuctionHead[]; next: string | null }>

  /** The auction's commits from the one that holds `fromSeq` on, in order, a page; empty past the head. */
  read(auctionId: string, fromSeq: number): Promise<readonly Commit[]>
}

export interface LogsListener {
  grown(auctionId: string, events: number): void
  lost(error: unknown): void
}
