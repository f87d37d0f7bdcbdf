import type {
  EquivocationProof,
  EquivocationRepository,
  ProofOwners,
} from '../../../src/ports/store/equivocation-repository.js'

export class MemoryEquivocationRepository implements EquivocationRepository {
  readonly #proofs = new Map<string, EquivocationProof>()
  readonly #owners: ProofOwners[] = []

  async save(proof: EquivocationProof, owners: ProofOwners): Promise<boolean> {
    if (this.#proofs.has(proof.auctionId)) return false
    this.#proofs.set(proof.auctionId, proof)
    this.#owners.push(owners)
    return true
  }

  async find(auctionId: string): Promise<EquivocationProof | null> {
    return this.#proofs.get(auctionId) ?? null
  }

  async newest(limit: number): Promise<string[]> {
    return [...this.#proofs.keys()].slice(-limit)
  }

  async owners(): Promise<ProofOwners[]> {
    return this.#owners
  }

  async among(auctionIds: readonly string[]): Promise<Set<string>> {
    return new Set(auctionIds.filter((id) => this.#proofs.has(id)))
  }
}
