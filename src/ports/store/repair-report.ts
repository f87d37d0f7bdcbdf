export interface LostAuction {
  readonly auctionId: string
  readonly why: string
}

/** What became of a damaged database file. */
export interface RepairReport {
  readonly path: string
  /** What is wrong with it; null: nothing, and nothing was done. */
  readonly damage: string | null
  /** Where the damaged file lies now; null where nothing was done. */
  readonly movedTo: string | null
  readonly saved: {
    /** Of this node, whole: it goes on with them. */
    readonly auctions: readonly string[]
    readonly events: number
    readonly outcomes: number
    readonly autoBids: number
    readonly receipts: number
  }
  readonly lost: {
    /** Of this node: it cannot go on with them. Peers keep what they have of them. */
    readonly auctions: readonly LostAuction[]
    /** Rows of the log, of whatever auction, that could not be read or were not what their hash says. */
    readonly commits: number
    /** Kinds of private rows of which some or all could not be read. */
    readonly incomplete: readonly string[]
  }
}
