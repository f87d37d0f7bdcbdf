import type { Breach, BreachRepository } from '../../../src/ports/store/breach-repository.js'

export class MemoryBreachRepository implements BreachRepository {
  readonly #breaches = new Map<string, Breach>()

  async save(breach: Breach): Promise<boolean> {
    if (this.#breaches.has(breach.auctionId)) return false
    this.#breaches.set(breach.auctionId, breach)
    return true
  }

  async find(auctionId: string): Promise<Breach | null> {
    return this.#breaches.get(auctionId) ?? null
  }

  async among(auctionIds: readonly string[]): Promise<Set<string>> {
    return new Set(auctionIds.filter((id) => this.#breaches.has(id)))
  }
}
