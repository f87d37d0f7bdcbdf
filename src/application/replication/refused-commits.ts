import { printable } from '../../domain/limits.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { RefusedAuction } from '../../ports/node/node-status.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { type BadCommitError, isSigned } from '../log/commit.js'
import { nodeIdOf } from '../log/ids.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import type { PeerTable } from '../mesh/peer-table.js'

export interface RefusedCommitsDeps {
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly equivocations: Pick<EquivocationRepository, 'among'>
  readonly eventLog: Pick<PublishingEventLog, 'onPublished'>
  readonly logger: Logger
  readonly peerClient: Pick<PeerClient, 'reportRefusal'>
  readonly peerTable: Pick<PeerTable, 'get' | 'whereabouts'>
  readonly verifier: SignatureVerifier
}

interface Refusal {
  readonly seq: number
  readonly reason: string
  /** Its author, by its own signature. */
  readonly home: string
  /** Who offers it. */
  readonly sources: Set<string>
}

/** The most auctions that are remembered; beyond this, the oldest are forgotten. */
const MAX_REFUSALS = 1_000
export const MAX_REASON_LENGTH = 300
/** The most that are checked at the same time; others are checked when they are offered again. */
const MAX_LOOKS = 8
/** The home of an auction is informed again after this time, in case it was restarted. */
export const NOTIFY_INTERVAL_MS = 60_000
const NOTIFY_TIMEOUT_MS = 2_000

/**
 * Commits that their homes have signed and this node refuses: what is missing here because of them, and whose fault it
 * is. What somebody else made up is refused as well, but nothing is missing because of it.
 */
export class RefusedCommits {
  readonly #deps: RefusedCommitsDeps
  readonly #nodeId: string
  readonly #refusals = new Map<string, Refusal>()
  readonly #notifiedAt = new Map<string, number>()
  #looks = 0

  constructor(deps: RefusedCommitsDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
    deps.eventLog.onPublished(({ commit: { auctionId, lastSeq } }) => {
      if (lastSeq >= (this.#refusals.get(auctionId)?.seq ?? Number.POSITIVE_INFINITY)) this.#refusals.delete(auctionId)
    })
  }

  /** The peer `from` offers these. */
  note(from: string, errors: readonly BadCommitError[]): void {
    for (const error of errors) {
      const { auctionId, firstSeq } = error.commit
      const known = this.#refusals.get(auctionId)
      if (known?.seq === firstSeq && known.sources.has(from)) this.#notifyHome(auctionId, known)
      else if (this.#looks < MAX_LOOKS) void this.#look(from, error)
    }
  }

  async #look(from: string, { commit, reason }: BadCommitError): Promise<void> {
    const { auctions, equivocations, logger, peerTable, verifier } = this.#deps
    const { auctionId, firstSeq: seq, signer } = commit
    this.#looks += 1
    try {
      const home = (await auctions.find(auctionId))?.state.home.publicKey ?? null
      const author = nodeIdOf(signer)
      const isKnown = home === null ? author === from || peerTable.get(author) !== undefined : home === signer
      if (!isKnown || !isSigned(commit, verifier)) return
      // Two histories are proven elsewhere, and shown as disputed.
      if ((await equivocations.among([auctionId])).has(auctionId)) return
      const known = this.#refusals.get(auctionId)
      const sources = known?.seq === seq ? known.sources.add(from) : new Set([from])
      const refusal = { seq, reason: printable(reason).slice(0, MAX_REASON_LENGTH), home: author, sources }
      this.#refusals.delete(auctionId)
      this.#refusals.set(auctionId, refusal)
      this.#forget()
      this.#notifyHome(auctionId, refusal)
    } catch (error) {
      logger.warn({ err: error, auctionId }, 'it could not be found out whose fault a refused commit is')
    } finally {
      this.#looks -= 1
    }
  }

  #forget(): void {
    for (const entries of [this.#refusals, this.#notifiedAt]) {
      const [oldest] = entries.keys()
      if (entries.size > MAX_REFUSALS && oldest !== undefined) entries.delete(oldest)
    }
  }

  /** Informs its home, since nobody else can mend it. */
  #notifyHome(auctionId: string, { home, seq, reason }: Refusal): void {
    const { clock, logger, peerClient, peerTable } = this.#deps
    const address = home === this.#nodeId ? undefined : peerTable.whereabouts(home)?.address
    const now = clock.monotonicMs()
    if (address === undefined || now - (this.#notifiedAt.get(auctionId) ?? -NOTIFY_INTERVAL_MS) < NOTIFY_INTERVAL_MS)
      return
    this.#notifiedAt.delete(auctionId)
    this.#notifiedAt.set(auctionId, now)
    const refusal = { from: this.#nodeId, auctionId, seq, reason }
    peerClient.reportRefusal(address, refusal, { timeoutMs: NOTIFY_TIMEOUT_MS }).catch((error: unknown) => {
      this.#notifiedAt.delete(auctionId)
      logger.debug({ err: error, home }, 'a home did not hear that its commit is refused')
    })
  }

  /** Only those that a reachable peer still offers. */
  list(): RefusedAuction[] {
    const { peerTable } = this.#deps
    const found: RefusedAuction[] = []
    for (const [auctionId, { home, seq, reason, sources }] of this.#refusals) {
      if (![...sources].some((nodeId) => peerTable.whereabouts(nodeId) !== null)) continue
      const homeName = peerTable.get(home)?.info.name ?? null
      found.push({ auctionId, seq, reason, home, homeName })
    }
    return found
  }
}
