import type { Head } from '../domain/commit.js'
import type { Home } from '../domain/party.js'
import type { HandoverParcel, HandoverRepository } from '../ports/handover-repository.js'
import type { Logger } from '../ports/logger.js'
import { NodeError } from '../ports/node-api.js'
import { PeerCallError, type PeerClient, type SubmitResult } from '../ports/peer-client.js'
import type { Signer } from '../ports/signer.js'
import type { AuctionHouse } from './auction-house.js'
import { signParcel } from './handover-parcel.js'
import type { PeerTable } from './peer-table.js'
import { submitFailure } from './submit-failure.js'

export interface HandoverGiverDeps {
  readonly auctionHouse: Pick<AuctionHouse, 'handOver'>
  readonly handovers: Pick<HandoverRepository, 'page'>
  readonly peerClient: Pick<PeerClient, 'passHandover'>
  readonly peerTable: Pick<PeerTable, 'whereabouts'>
  readonly signer: Signer
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

  /** Resolves once the auction has moved, or with why it has not: it goes on here then. */
  async handOver(auctionId: string, to: Home): Promise<SubmitResult> {
    try {
      return await this.#deps.auctionHouse.handOver(auctionId, to, {
        stored: () => this.#passStored(auctionId, to),
        rest: (rest, head) => this.#passRest(auctionId, to, rest, head),
      })
    } catch (error) {
      this.#deps.logger.warn({ err: error, auctionId, to: to.nodeId }, 'an auction could not be handed over')
      if (!(error instanceof PeerCallError || error instanceof NodeError)) return submitFailure(error)
      const unanswered = error instanceof PeerCallError && !error.answered
      const code = unanswered ? 'NODE_UNREACHABLE' : error.code
      return submitFailure(code, `the auction stays where it is: ${error.message}`)
    }
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

  async #passRest(auctionId: string, to: Home, rest: HandoverParcel, head: Head): Promise<void> {
    const { outcomes, sealed, secrets } = rest
    let at = 0
    for (; Math.max(outcomes.length, sealed.length) - at > PARCEL_ITEMS; at += PARCEL_ITEMS) {
      const part = [at, at + PARCEL_ITEMS] as const
      const parcel = { outcomes: outcomes.slice(...part), sealed: sealed.slice(...part), secrets: null }
      await this.#pass(auctionId, to, parcel, null)
    }
    await this.#pass(auctionId, to, { outcomes: outcomes.slice(at), sealed: sealed.slice(at), secrets }, head)
  }

  async #pass(auctionId: string, to: Home, parcel: HandoverParcel, head: Head | null): Promise<void> {
    const { peerClient, peerTable, signer } = this.#deps
    const address = peerTable.whereabouts(to.nodeId)?.address
    if (address === undefined) throw new NodeError('NODE_UNREACHABLE', `${to.nodeId} cannot be reached`)
    const signed = signParcel(auctionId, { to: to.nodeId, ...parcel, head }, signer)
    await peerClient.passHandover(address, this.#nodeId, signed, { timeoutMs: PARCEL_TIMEOUT_MS })
  }
}
