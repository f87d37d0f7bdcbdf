import type {
  EquivocationProof,
  EquivocationRepository,
} from '../../../src/ports/store/equivocation-repository.js'

export class MemoryEquivocationRepository implements EquivocationRepository {
  readonly #proofs = new Map<string, EquivocationProof>()

  async save(proof: EquivocationProof): Promise<boolean> {
    if (this.#proofs.has(proof.auctionId)) return false
    this.#proofs.set(proof.auctionId, proof)
    return true
  }

  async find(auctionId: string): Promise<EquivocationProof | null> {
    return this.#proofs.get(auctionId) ?? null
  }

  async list(limit: number): Promise<EquivocationProof[]> {
    return [...this.#proofs.values()].slice(-limit)
  }

  async among(auctionIds: readonly string[]): Promise<Set<string>> {
    return new Set(auctionIds.filter((id) => this.#proofs.has(id)))
  }
}
