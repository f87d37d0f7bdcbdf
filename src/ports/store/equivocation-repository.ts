import type { Commit } from '../../domain/commit.js'

/** Two commits that one author signed and that cannot both stand in one log (see application/proof/equivocation.ts). */
export interface EquivocationProof {
  readonly auctionId: string
  /**
   * Binds the author to the auction: the opening commit, which the id is made of and which names the first home, and
   * each handover from there to the author.
   */
  readonly authority: readonly Commit[]
  /** The one whose last event comes first, or the one with the lower hash. */
  readonly first: Commit
  readonly second: Commit
}

/** For whom a proof takes room. */
export interface ProofOwners {
  /** Node ids: the home that it convicts, and who brought it. */
  readonly author: string
  readonly sender: string
  readonly bytes: number
}

/** Proofs that homes have written two histories. One an auction is enough: the first is kept. */
export interface EquivocationRepository {
  /** Durable when it resolves; false where the auction already had one. */
  save(proof: EquivocationProof, owners: ProofOwners): Promise<boolean>
  find(auctionId: string): Promise<EquivocationProof | null>
  /** The newest ones, up to a limit, newest last. */
  newest(limit: number): Promise<string[]>
  /** Of every proof. */
  owners(): Promise<ProofOwners[]>
  /** Those of the given auctions that have a proof. */
  among(auctionIds: readonly string[]): Promise<Set<string>>
}
