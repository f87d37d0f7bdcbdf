/** Room `handover`: how an auction moves to another home. */

import type { Head } from '../../domain/commit.js'
import type { Home } from '../../domain/party.js'
import type { Consent, SubmitResult } from '../../ports/mesh/home-messages.js'
import { PeerCallError } from '../../ports/mesh/peer-call-error.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { AuctionView } from '../../ports/node/node-answers.js'
import { NodeError, nodeErrorCode } from '../../ports/node/node-error.js'
import type { HandoverParcel, HandoverRepository } from '../../ports/store/handover-repository.js'
import type { ClusterSigner } from '../../ports/system/cluster-signer.js'
import type { Logger } from '../../ports/system/logger.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import type { AuctionHouse } from '../home/auction-house.js'
import { isConsentOf } from '../log/handover-consent.js'
import type { PeerTable } from '../mesh/peer-table.js'
import type { Replication } from '../replication/replication.js'
import { submitFailure } from '../submissions/submit-failure.js'
import { signParcel } from './handover-parcel.js'

export interface HandoverGiverDeps {
  readonly auctionHouse: Pick<AuctionHouse, 'handOver'>
  /** The nodes of this node's cluster. */
  readonly clusterNodes: { has(nodeId: string): boolean }
  readonly clusterSigner: Pick<ClusterSigner, 'rotationsSince'> | null
  readonly handovers: Pick<HandoverRepository, 'page'>
  readonly peerClient: Pick<PeerClient, 'passHandover'>
  readonly peerTable: Pick<PeerTable, 'get' | 'whereabouts'>
  readonly replication: Pick<Replication, 'reached'>
  readonly signer: Signer
  readonly verifier: SignatureVerifier
  readonly logger: Logger
}

/** Outcomes and maxima in one parcel. */
const PARCEL_ITEMS = 1_000
/** The receiver stores each parcel and, with the last, may have commits to pull. */
const PARCEL_TIMEOUT_MS = 15_000

/**
 * Hands an auction of this home over to another node: first what the home keeps beside the log, while bidding goes on;
 * then, with the auction held, the rest; then the signed event. Up to that event this node is the home, from it on the
 * other one is: whatever gets lost or dies in between, the log names exactly one.
 */
export class HandoverGiver {
  readonly #deps: HandoverGiverDeps
  readonly #nodeId: string

  constructor(deps: HandoverGiverDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
  }

  /**
   * Resolves once the auction has moved and the new home knows, or with why it has not: it goes on here then.
   * NOT_REPLICATED: it has moved, and the new home has not said yet that it knows.
   */
  async handOver(auctionId: string, to: Home): Promise<SubmitResult> {
    try {
      const result = await this.#deps.auctionHouse.handOver(auctionId, to, {
        stored: () => this.#passStored(auctionId, to),
        rest: (rest, head) => this.#passRest(auctionId, to, rest, head),
      })
      return await this.#known(auctionId, to, result)
    } catch (error) {
      this.#deps.logger.warn({ err: error, auctionId, to: to.nodeId }, 'an auction could not be handed over')
      if (!(error instanceof PeerCallError || error instanceof NodeError)) return submitFailure(error)
      const unanswered = error instanceof PeerCallError && !error.answered
      const code = unanswered ? 'NODE_UNREACHABLE' : nodeErrorCode(error.code)
      const why = unanswered ? `${this.#nameOf(to)} does not answer` : error.message
      return submitFailure(code, `the auction stays where it is: ${why}`)
    }
  }

  /** Until the new home has the event, only this node knows whose the auction is: it had better not go away before. */
  async #known(auctionId: string, to: Home, result: SubmitResult): Promise<SubmitResult> {
    if (!result.ok || result.outcome.status !== 'accepted') return result
    if (await this.#deps.replication.reached(to.nodeId, auctionId, result.outcome.seq)) return result
    const message = `the auction has moved, and ${this.#nameOf(to)} has not confirmed yet that it knows; keep this node running until it has`
    return submitFailure('NOT_REPLICATED', message)
  }

  #nameOf({ nodeId }: Home): string {
    return this.#deps.peerTable.get(nodeId)?.info.name ?? nodeId
  }

  async #passStored(auctionId: string, to: Home): Promise<void> {
    let after: string | null = null
    do {
      const page = await this.#deps.handovers.page(auctionId, after, PARCEL_ITEMS)
      const { outcomes, sealed } = page
      if (outcomes.length + sealed.length > 0)
        await this.#pass(auctionId, to, { outcomes, sealed, secrets: null }, null)
      after = page.next
    } while (after !== null)
  }

  async #passRest(auctionId: string, to: Home, rest: HandoverParcel, head: Head): Promise<Consent> {
    const { outcomes, sealed, secrets } = rest
    let at = 0
    for (; Math.max(outcomes.length, sealed.length) - at > PARCEL_ITEMS; at += PARCEL_ITEMS) {
      const part = [at, at + PARCEL_ITEMS] as const
      const parcel = { outcomes: outcomes.slice(...part), sealed: sealed.slice(...part), secrets: null }
      await this.#pass(auctionId, to, parcel, null)
    }
    const last = { outcomes: outcomes.slice(at), sealed: sealed.slice(at), secrets }
    const consent = await this.#pass(auctionId, to, last, head)
    const move = { auctionId, seq: head.seq + 1, prevHash: head.hash, from: this.#nodeId, to: to.nodeId }
    if (consent === null || !isConsentOf(to.publicKey, move, consent, this.#deps.verifier))
      throw new NodeError('NOT_MOVED', `${this.#nameOf(to)} has not agreed to be its home`)
    this.#checkCluster(to, consent)
    return consent
  }

  /** A home of the cluster speaks for sellers, on the word of this home. */
  #checkCluster(to: Home, { cluster }: Consent): void {
    const { clusterNodes, clusterSigner } = this.#deps
    const isOwn = cluster !== null && clusterSigner !== null && clusterSigner.rotationsSince(cluster) !== null
    if (isOwn && !clusterNodes.has(to.nodeId))
      throw new NodeError('NOT_MOVED', `${this.#nameOf(to)} says it is of this cluster, whose log does not know it`, {
        field: 'to',
        next: 'see `vendue cluster nodes`: it has to be started with the shared log of the cluster first',
      })
  }

  async #pass(auctionId: string, to: Home, parcel: HandoverParcel, head: Head | null): Promise<Consent | null> {
    const { peerClient, peerTable, signer } = this.#deps
    const address = peerTable.whereabouts(to.nodeId)?.address
    if (address === undefined) throw new NodeError('NODE_UNREACHABLE', `${this.#nameOf(to)} cannot be reached`)
    const signed = signParcel(auctionId, { to: to.nodeId, ...parcel, head }, signer)
    return peerClient.passHandover(address, this.#nodeId, signed, { timeoutMs: PARCEL_TIMEOUT_MS })
  }
}

/** Throws `NodeError` if the auction cannot move from here at all. */
export function mayMove({ homeState, homeName, state }: AuctionView): void {
  if (state.status === 'closed' || state.status === 'cancelled')
    throw new NodeError('NOT_MOVED', `the auction is ${state.status}: there is nothing left to hand over`, {
      field: 'auction',
      next: 'see `vendue list --status open,scheduled` for those that can move',
    })
  if (homeState !== 'self')
    throw new NodeError('NOT_HOME', `its home is ${homeName ?? state.home.nodeId}, not this node`, {
      field: 'auction',
      next: 'only its home can hand it over: say so there',
    })
}
