/** What a home has signed for this node's bids, and its log does not bear out. */
export interface Breach {
  readonly auctionId: string
  /** The event by which it shows. */
  readonly seq: number
  /** What is wrong, for people to read. */
  readonly rule: string
}

/** Alarms that this node has raised by its receipts: one for an auction, which is never taken back. */
export interface BreachRepository {
  /** Durable when it resolves, with whether it is the first one of this auction; a later one is not kept. */
  save(breach: Breach): Promise<boolean>
  find(auctionId: string): Promise<Breach | null>
  /** Those of the given auctions that have one. */
  among(auctionIds: readonly string[]): Promise<Set<string>>
}
