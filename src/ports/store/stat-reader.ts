import type { StatQueries } from './stat-queries.js'

/** The numbers that analytics has made of auctions' events. Every method rejects with `ConsumerStoreError`. */
export interface StatReader extends StatQueries {
  /** What the answers are made of. Null: there are none yet. */
  coverage(): Promise<StatCoverage | null>
}

export interface StatCoverage {
  /** Moves when the numbers have been made anew. */
  readonly generation: number
  readonly auctions: number
  readonly events: number
}
