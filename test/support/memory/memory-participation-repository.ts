import { setImmediate } from 'node:timers/promises'
import type { ParticipationRepository } from '../../../src/ports/store/participation-repository.js'

export class MemoryParticipationRepository implements ParticipationRepository {
  readonly #auctionIds = new Set<string>()

  async add(auctionId: string): Promise<void> {
    await setImmediate()
    this.#auctionIds.add(auctionId)
  }

  async among(auctionIds: readonly string[]): Promise<Set<string>> {
    return new Set(auctionIds.filter((id) => this.#auctionIds.has(id)))
  }
}
