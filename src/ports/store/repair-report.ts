/** An own auction whose log ends in what no node reads: it goes on here alone. */
export interface UnacceptedAuction {
  readonly auctionId: string
  /** The first event that nobody takes. */
  readonly seq: number
  /** The rule that it breaks. */
  readonly why: string
  /** Ids of commands that were answered by what nobody takes. */
  readonly commands: readonly string[]
}

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
  /** Of this node: what was found, and not taken back. */
  readonly unaccepted: readonly UnacceptedAuction[]
  /** Of this node: gone back to what other nodes hold, as was asked. */
  readonly takenBack: readonly UnacceptedAuction[]
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
