import type { SealedMaximum } from '../../../src/domain/commands.js'
import { isRevealed } from '../../../src/domain/decide.js'
import type { Secrets } from '../../../src/domain/pricing.js'
import type { SecretRepository } from '../../../src/ports/store/auction-repository.js'
import type { MemoryAuction, MemoryTables } from './memory-tables.js'

export class MemorySecretRepository implements SecretRepository {
  readonly #tables: MemoryTables

  constructor({ tables }: { tables: MemoryTables }) {
    this.#tables = tables
  }

  async secrets(auctionId: string): Promise<Secrets | null> {
    return this.#tables.auctions.get(auctionId)?.secrets ?? null
  }

  async sealed(auctionId: string, limit: number): Promise<SealedMaximum[]> {
    const auction = this.#tables.auctions.get(auctionId)
    return auction === undefined ? [] : unrevealedOf(auction).slice(0, limit)
  }
}

/** The sealed maxima that are still to be revealed, or may have to be. */
export function unrevealedOf({ state, sealed }: MemoryAuction): SealedMaximum[] {
  const all = [...sealed.values()].sort((a, b) => (a.bidId < b.bidId ? -1 : 1))
  return state.status === 'closed' ? all.filter((maximum) => isRevealed(state.result, maximum)) : all
}
