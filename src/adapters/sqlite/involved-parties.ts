/** Pairs of an auction and a party that are remembered; beyond this, all are forgotten. */
const MAX_PAIRS = 50_000

/**
 * Who is known to have bid where: with most bids there is nothing to write down. It is in the file once the append that
 * brought it is; appends of one auction follow one another, so where one fails, so do those that relied on it.
 */
export class InvolvedParties {
  readonly #known = new Map<string, Set<string>>()
  #pairs = 0

  /** Whether the party is new there, as far as is known. */
  add(auctionId: string, partyId: string): boolean {
    let parties = this.#known.get(auctionId)
    if (parties?.has(partyId)) return false
    if (this.#pairs >= MAX_PAIRS) {
      this.#known.clear()
      this.#pairs = 0
      parties = undefined
    }
    if (parties === undefined) {
      parties = new Set()
      this.#known.set(auctionId, parties)
    }
    parties.add(partyId)
    this.#pairs += 1
    return true
  }

  /** An append of this auction has failed. */
  forget(auctionId: string): void {
    this.#pairs -= this.#known.get(auctionId)?.size ?? 0
    this.#known.delete(auctionId)
  }
}
