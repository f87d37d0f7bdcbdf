import type { Commit } from '../../domain/commit.js'
import type { NodeInfo, PeerClient } from '../../ports/mesh/peer-client.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { EquivocationProof, EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { Logger } from '../../ports/system/logger.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { isSigned } from '../log/commit.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { judgeProof, proofOf } from './equivocation.js'

export interface EquivocationWatchDeps {
  readonly eventLog: Pick<EventLog, 'read'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly equivocations: EquivocationRepository
  readonly peerClient: Pick<PeerClient, 'tellEquivocation'>
  readonly peerTable: PeerTable
  readonly verifier: SignatureVerifier
  readonly logger: Logger
}

const ONE = { commits: 1, bytes: 1 }
/** So that a proof fits into a request, JSON included. Bodies of that size take a home that means harm. */
export const MAX_PROOF_BYTES = 3 * 1024 * 1024
const MAX_PROOFS_OF_UNKNOWN = 1_000
/** Proofs that a peer is told of when it appears. */
const PROOFS_TOLD = 100
const SPREAD_TIMEOUT_MS = 5_000

/**
 * Notices homes that write two histories: whoever offers a commit that contradicts a stored one has brought the proof
 * along. It is kept, the auction is disputed from then on, and every peer is told, who checks before it believes.
 */
export class EquivocationWatch {
  readonly #deps: EquivocationWatchDeps
  #unlisten: (() => void) | null = null

  constructor(deps: EquivocationWatchDeps) {
    this.#deps = deps
  }

  /** Peers that appear later are told as well. */
  start(): void {
    this.#unlisten ??= this.#deps.peerTable.onChange(({ peer, before }) => {
      if (peer.state === 'alive' && before !== 'suspect') void this.#tellAll(peer.info)
    })
  }

  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
  }

  /**
   * Looks at a commit that this node does not store because of what it holds already. Rejects only where the store
   * fails. Cheap for one that is stored as it is.
   */
  async offered(commit: Commit): Promise<void> {
    const { auctionId, firstSeq } = commit
    const { eventLog, equivocations, verifier } = this.#deps
    // At the number before, if the offered one claims to follow upon another commit than ours.
    for (const seq of [firstSeq, firstSeq - 1]) {
      const [stored] = seq >= 1 ? await eventLog.read(auctionId, seq, ONE) : []
      if (stored === undefined || stored.firstSeq > seq) continue
      if (stored.hash === commit.hash) return
      if (stored.signer !== commit.signer || !isSigned(commit, verifier)) return
      if ((await equivocations.among([auctionId])).has(auctionId)) return
      const proof = proofOf(await this.#authority(stored), stored, commit)
      if (judgeProof(proof, verifier).proven) return this.#keep(proof)
    }
  }

  /** What made the stored commit's author the home. */
  async #authority({ auctionId, firstSeq }: Commit): Promise<Commit[]> {
    const handovers = (await this.#deps.auctions.find(auctionId))?.state.handovers ?? []
    const seqs = [1, ...handovers.filter((seq) => seq < firstSeq)]
    return (await Promise.all(seqs.map((seq) => this.#deps.eventLog.read(auctionId, seq, ONE)))).flat()
  }

  /** A peer's proof. Resolves with why it is not believed, or null. */
  async told(proof: EquivocationProof): Promise<string | null> {
    const { auctions, equivocations, logger } = this.#deps
    if ((await equivocations.among([proof.auctionId])).has(proof.auctionId)) return null
    // This node may hear of the auction itself a moment later; but anybody can make auctions by the million.
    const unknown = (await auctions.find(proof.auctionId)) === null
    if (unknown && (await equivocations.list(MAX_PROOFS_OF_UNKNOWN)).length === MAX_PROOFS_OF_UNKNOWN)
      return 'this node knows no such auction, and has heard of many that it does not'
    const judged = judgeProof(proof, this.#deps.verifier)
    if (judged.proven) {
      await this.#keep(proof)
      return null
    }
    logger.warn({ auctionId: proof.auctionId, rule: judged.rule }, 'a peer accuses a home without proof')
    return judged.rule
  }

  async #keep(proof: EquivocationProof): Promise<void> {
    const { equivocations, logger } = this.#deps
    if (!(await equivocations.save(proof))) return
    const { auctionId, first, second } = proof
    logger.error(
      {
        auctionId,
        author: first.signer,
        seqs: [first.lastSeq, second.lastSeq],
        hashes: [first.hash, second.hash],
      },
      'the home of an auction has signed two histories: the auction is disputed',
    )
    for (const { info } of this.#deps.peerTable.reachable()) void this.#tell(info, proof)
  }

  async #tellAll(peer: NodeInfo): Promise<void> {
    const proofs = await this.#deps.equivocations.list(PROOFS_TOLD).catch((error: unknown) => {
      this.#deps.logger.error({ err: error }, 'the proofs of equivocation could not be read')
      return []
    })
    for (const proof of proofs) await this.#tell(peer, proof)
  }

  async #tell(peer: NodeInfo, proof: EquivocationProof): Promise<void> {
    const { peerClient, logger } = this.#deps
    const { auctionId, authority, first, second } = proof
    const bytes = [...authority, first, second].reduce((sum, { body }) => sum + body.length, 0)
    if (bytes > MAX_PROOF_BYTES) {
      logger.warn({ auctionId }, 'a proof is too large to be sent; it can be exported')
      return
    }
    try {
      await peerClient.tellEquivocation(peer.address, proof, { timeoutMs: SPREAD_TIMEOUT_MS })
    } catch (error) {
      logger.debug({ err: error, peer: peer.name, auctionId }, 'a peer did not take a proof')
    }
  }
}
