import { type Auction, UNOPENED } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'
import { evolve } from '../../domain/evolve.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { NodeInfo } from '../../ports/node/node-info.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { EquivocationProof, EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { Logger } from '../../ports/system/logger.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import type { Budget, Budgets } from '../budgets/budgets.js'
import { isSigned, MAX_BODY_BYTES } from '../log/commit.js'
import type { HeldAuctions } from '../log/held-auctions.js'
import { nodeIdOf } from '../log/ids.js'
import { readBodyAgain } from '../log/written-body.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { type Equivocation, judgeProof, proofOf } from './equivocation.js'
import type { SignatureMender } from './signature-mender.js'

export interface EquivocationWatchDeps {
  readonly budgets: Budgets
  readonly eventLog: Pick<EventLog, 'read'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly equivocations: EquivocationRepository
  readonly heldAuctions: Pick<HeldAuctions, 'hold'>
  readonly peerClient: Pick<PeerClient, 'reportEquivocation'>
  readonly peerTable: PeerTable
  readonly signatureMender: Pick<SignatureMender, 'mend'>
  readonly verifier: SignatureVerifier
  readonly logger: Logger
}

const ONE = { commits: 1, bytes: 1 }
const PAGE = { commits: 256, bytes: 1024 * 1024 }
/**
 * The most bytes of a proof: two commits and an opening of the largest size, and handovers, which are small. It fits
 * into a request.
 */
export const MAX_PROOF_BYTES = 3 * MAX_BODY_BYTES + 128 * 1024
/** Proofs that are sent to a peer when it appears. */
const PROOFS_SENT = 100
const SPREAD_TIMEOUT_MS = 5_000
/** Why such an auction is held. */
export const OWN_FORK = 'this node has signed two histories of it, and peers hold the proof'
const CLUSTER_FORK = 'its cluster took it over in the place of what another home had signed, and peers hold the proof'

/**
 * Notices homes that write two histories: whoever offers a commit that contradicts a stored one brings the proof
 * along. It is stored, the auction is disputed from then on, and the proof is sent to every peer, which checks it.
 */
export class EquivocationWatch {
  readonly #deps: EquivocationWatchDeps
  readonly #nodeId: string
  readonly #kept: Budget
  #counted: Promise<void> | null = null
  #unlisten: (() => void) | null = null

  constructor(deps: EquivocationWatchDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
    this.#kept = deps.budgets.of('kept-proofs')
  }

  /** Peers that appear later get it as well. */
  start(): void {
    this.#unlisten ??= this.#deps.peerTable.onChange(({ peer, before }) => {
      if (peer.state === 'alive' && before !== 'suspect') void this.#notifyAll(peer.info)
    })
  }

  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
  }

  /**
   * Checks a commit that this node does not store because of what it holds already. Rejects only if the store
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
      if (stored.signer !== commit.signer && !isTakeover(stored) && !isTakeover(commit)) continue
      if (!isSigned(commit, verifier)) return
      if ((await equivocations.among([auctionId])).has(auctionId)) return
      // Its author is already convicted.
      if (await this.#isSpent(nodeIdOf(stored.signer))) return
      const [own = stored] = await this.#deps.signatureMender.mend([stored])
      const proof = proofOf(await this.#authority(auctionId, stored.firstSeq), own, commit)
      const judged = judgeProof(proof, verifier)
      if (judged.proven) return this.#keep(proof, judged.by, this.#nodeId)
    }
  }

  /** What made somebody the home before event `seq`. Rarely asked for, so that it is read from the log itself. */
  async #authority(auctionId: string, seq: number): Promise<Commit[]> {
    let state: Auction = UNOPENED
    while (state.seq < seq - 1) {
      const page = await this.#deps.eventLog.read(auctionId, state.seq + 1, PAGE)
      if (page.length === 0) break
      for (const { body, firstSeq } of page)
        if (firstSeq < seq) state = readBodyAgain(body).events.reduce<Auction>(evolve, state)
    }
    const seqs = [1, ...(state.status === 'unopened' ? [] : state.moves)]
    return (await Promise.all(seqs.map((move) => this.#deps.eventLog.read(auctionId, move, ONE)))).flat()
  }

  /**
   * Checks the proof of a peer, which may be about an auction that this node does not know yet. Resolves with why
   * it proves nothing, or null. Rejects with BUSY if the peer has used up its budget.
   */
  async checkReport(proof: EquivocationProof, from: string): Promise<string | null> {
    const { budgets, equivocations, logger } = this.#deps
    if ((await equivocations.among([proof.auctionId])).has(proof.auctionId)) return null
    const bytes = bytesOf(proof)
    if (bytes > MAX_PROOF_BYTES) return `it holds ${bytes} bytes; at most ${MAX_PROOF_BYTES} are taken`
    if ((await this.#isSpent(from)) || !budgets.of('checked-proofs').take(from))
      throw new NodeError('BUSY', 'this member has brought too many proofs; try again later')
    const judged = judgeProof(proof, this.#deps.verifier)
    if (judged.proven) {
      await this.#keep(proof, judged.by, from)
      return null
    }
    logger.warn({ auctionId: proof.auctionId, rule: judged.rule }, 'a peer accuses a home without proof')
    return judged.rule
  }

  async #isHome(auctionId: string): Promise<boolean> {
    return (await this.#deps.auctions.find(auctionId))?.state.home.nodeId === this.#nodeId
  }

  async #isSpent(nodeId: string): Promise<boolean> {
    this.#counted ??= this.#deps.equivocations.owners().then((owners) => {
      for (const { author, sender, bytes } of owners) {
        this.#kept.charge(author, bytes)
        if (sender !== this.#nodeId && sender !== author) this.#kept.charge(sender, bytes)
      }
    })
    await this.#counted
    return this.#kept.isSpent(nodeId)
  }

  /** Proofs without room are not stored: their authors are convicted by others already. */
  async #keep(proof: EquivocationProof, by: Equivocation, sender: string): Promise<void> {
    const { equivocations, logger } = this.#deps
    const author = by.author.nodeId
    // The first to act on it is whoever wrote both: every further commit of one makes it worse.
    if (author === this.#nodeId) this.#deps.heldAuctions.hold(proof.auctionId, 'forked', OWN_FORK)
    if (by.by === 'cluster' && (await this.#isHome(proof.auctionId)))
      this.#deps.heldAuctions.hold(proof.auctionId, 'forked', CLUSTER_FORK)
    if (await this.#isSpent(author)) return
    const bytes = bytesOf(proof)
    const owners = new Set(sender === this.#nodeId ? [author] : [author, sender])
    for (const owner of owners) this.#kept.charge(owner, bytes)
    const isNew = await equivocations.save(proof, { author, sender, bytes }).catch((error: unknown) => {
      for (const owner of owners) this.#kept.give(owner, bytes)
      throw error
    })
    if (!isNew) {
      for (const owner of owners) this.#kept.give(owner, bytes)
      return
    }
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
    for (const { info } of this.#deps.peerTable.reachable()) void this.#notify(info, proof)
  }

  async #notifyAll(peer: NodeInfo): Promise<void> {
    const { equivocations, logger } = this.#deps
    try {
      for (const auctionId of await equivocations.newest(PROOFS_SENT)) {
        const proof = await equivocations.find(auctionId)
        if (proof !== null) await this.#notify(peer, proof)
      }
    } catch (error) {
      logger.error({ err: error }, 'the proofs of equivocation could not be read')
    }
  }

  async #notify(peer: NodeInfo, proof: EquivocationProof): Promise<void> {
    const { peerClient, logger } = this.#deps
    const { auctionId } = proof
    if (bytesOf(proof) > MAX_PROOF_BYTES) {
      logger.warn({ auctionId }, 'a proof is too large to be sent; it can be exported')
      return
    }
    try {
      await peerClient.reportEquivocation(peer.address, proof, { timeoutMs: SPREAD_TIMEOUT_MS })
    } catch (error) {
      logger.debug({ err: error, peer: peer.name, auctionId }, 'a peer did not take a proof')
    }
  }
}

/** Or something that speaks of one: what it is worth is judged with the rest. */
function isTakeover({ body }: Commit): boolean {
  return body.includes('"AuctionTakenOver"')
}

function bytesOf({ authority, first, second }: EquivocationProof): number {
  return [...authority, first, second].reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
}
