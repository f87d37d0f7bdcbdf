import { setImmediate } from 'node:timers/promises'
import type { AutoBid, AutoBidRepository } from '../../../src/ports/store/auto-bid-repository.js'

export class MemoryAutoBidRepository implements AutoBidRepository {
  readonly #autoBids = new Map<string, AutoBid>()

  async save(autoBid: AutoBid): Promise<void> {
    await setImmediate()
    this.#autoBids.set(autoBid.auctionId, autoBid)
  }

  async find(auctionId: string): Promise<AutoBid | null> {
    return this.#autoBids.get(auctionId) ?? null
  }

  async list(): Promise<AutoBid[]> {
    return [...this.#autoBids.values()].sort((a, b) => (a.auctionId < b.auctionId ? -1 : 1))
  }
}
