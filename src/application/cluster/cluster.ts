import type { ClusterStatus } from '../../ports/node/cluster-status.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import { type OwnedAuction, type SharedLog, SharedLogError } from '../../ports/store/shared-log.js'
import type { ClusterSigner } from '../../ports/system/cluster-signer.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timers } from '../../ports/system/timers.js'
import { LogAwayError } from '../home/home-log.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import type { ClusterLog } from './cluster-log.js'
import type { ClusterLook, ClusterMembership } from './cluster-membership.js'
import type { OwnCopies } from './own-copies.js'
import type { PeerComparison } from './peer-comparison.js'
import { reached, type SharedAuctions } from './shared-auctions.js'
import type { SignedRefusals } from './signed-refusals.js'
import type { Takeovers } from './takeovers.js'

export interface ClusterDeps {
  readonly sharedLog: Pick<SharedLog, 'auctionsOf' | 'close' | 'heads' | 'open' | 'status'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly clusterLog: Pick<ClusterLog, 'stop'>
  readonly clusterMembership: ClusterMembership
  readonly clusterSigner: Pick<ClusterSigner, 'firstKey'>
  readonly eventLog: Pick<PublishingEventLog, 'heads' | 'onPublished'>
  readonly sharedAuctions: SharedAuctions
  readonly signedRefusals: SignedRefusals
  readonly ownCopies: Pick<OwnCopies, 'stop'>
  readonly peerComparison: Pick<PeerComparison, 'begin' | 'over'>
  readonly takeovers: Takeovers
  readonly timers: Timers
  readonly logger: Logger
}

const PAGE = 1_000
const RETRY_MS = 1_000

/** A node's part in its cluster, from the start of the node to its stop. */
export class Cluster {
  readonly #deps: ClusterDeps
  readonly #nodeId: string
  #isStopped = false
  #unlisten: (() => void) | null = null
  /** Ids of the nodes that were alive at the last look. */
  #alive: ReadonlySet<string> = new Set()

  constructor(deps: ClusterDeps, { nodeId }: { readonly nodeId: string }) {
    this.#deps = deps
    this.#nodeId = nodeId
  }

  /** Rejects with a `SharedLogError` if only an operator can help; a log that does not answer will do so one day. */
  async open(): Promise<void> {
    const { logger, sharedLog } = this.#deps
    await sharedLog.open().catch((error: unknown) => {
      if (!(error instanceof SharedLogError) || error.code !== 'LOG_UNREACHABLE') throw error
      logger.error({ err: error }, 'the log of the cluster does not answer: nothing is accepted until it does')
    })
  }

  /** From here on this node is alive to the others: to be called once it serves. */
  start(): void {
    const { clusterMembership, eventLog } = this.#deps
    this.#unlisten = eventLog.onPublished(({ commit, events }) => {
      // It has come from elsewhere, and the log of the cluster does not have it yet.
      if (events.some((event) => event.type === 'AuctionHandedOver' && event.to.nodeId === this.#nodeId))
        this.#reconcile(commit.auctionId)
    })
    clusterMembership.start((look) => this.#onLook(look))
    this.#lookThrough()
  }

  /** From here on nothing is taken over. */
  async pause(): Promise<void> {
    this.#isStopped = true
    this.#unlisten?.()
    this.#deps.clusterMembership.pause()
    await this.#deps.takeovers.stop()
  }

  /** Idempotent. To be called when nothing is written any more. */
  async stop(): Promise<void> {
    await this.pause()
    this.#deps.clusterLog.stop()
    this.#deps.ownCopies.stop()
    await this.#deps.clusterMembership.leave()
    await this.#deps.sharedLog.close()
  }

  get status(): ClusterStatus {
    const { clusterMembership, clusterSigner, sharedAuctions, sharedLog, takeovers } = this.#deps
    return {
      cluster: clusterSigner.firstKey,
      log: { connectedTo: sharedLog.status().connectedTo, outage: clusterMembership.outage },
      nodes: clusterMembership.nodes,
      takeovers: takeovers.recent,
      takenOver: takeovers.count,
      disputed: takeovers.disputed,
      healed: sharedAuctions.healed,
    }
  }

  #onLook(look: ClusterLook): void {
    this.#alive = new Set(look.alive)
    if (look.isNewSession) {
      this.#deps.logger.warn({}, 'another server answers for the log of the cluster: what it lacks is put back')
      this.#deps.peerComparison.begin()
      this.#lookThrough()
    }
    this.#deps.takeovers.look(look)
  }

  /**
   * Brings the log and the own store together for all auctions that this node has to care for. Its own store may be a
   * backup, or lack what was written last, and nobody would close those auctions in time; the log may be one, and
   * nobody would take them over.
   */
  #lookThrough(): void {
    if (this.#isStopped) return
    const { logger, peerComparison, signedRefusals, timers } = this.#deps
    const work = async () => {
      await this.#takeUpOwn()
      await reached(() => signedRefusals.putBack())
      await peerComparison.over()
      await this.#putBackLost()
    }
    work().catch((error: unknown) => {
      logger.warn({ err: error }, 'the auctions of the cluster have not all been looked through; trying again')
      timers.after(RETRY_MS, () => this.#lookThrough())
    })
  }

  async #takeUpOwn(): Promise<void> {
    const { auctions, sharedLog } = this.#deps
    for (let after: string | null = null; !this.#isStopped; ) {
      const page: OwnedAuction[] = await sharedLog.auctionsOf(this.#nodeId, after, PAGE)
      for (const { auctionId, hash } of page) {
        if ((await auctions.find(auctionId))?.head.hash !== hash) await this.#care(auctionId)
        await this.#deps.sharedAuctions.putRefusalsBack(auctionId)
      }
      after = page.at(-1)?.auctionId ?? null
      if (page.length < PAGE) return
    }
  }

  async #putBackLost(): Promise<void> {
    const { auctions, eventLog, sharedLog } = this.#deps
    for (let after: string | null = null; !this.#isStopped; ) {
      const own = await eventLog.heads(after, PAGE)
      const heads = await sharedLog.heads(own.map(({ auctionId }) => auctionId))
      for (const { auctionId, seq } of own) {
        if ((heads.get(auctionId)?.seq ?? 0) >= seq) continue
        const home = (await auctions.find(auctionId))?.state.home.nodeId
        // Others look after what is theirs.
        if (home === this.#nodeId || !this.#alive.has(home ?? '')) await this.#care(auctionId)
      }
      after = own.at(-1)?.auctionId ?? null
      if (own.length < PAGE) return
    }
  }

  /** One that must not be written to does not keep the others from being looked at. */
  async #care(auctionId: string): Promise<void> {
    try {
      await this.#deps.sharedAuctions.reconcile(auctionId)
    } catch (error) {
      if (error instanceof LogAwayError) throw error
      this.#deps.logger.warn({ err: error, auctionId }, 'an auction is not the same here and in the log of the cluster')
    }
  }

  #reconcile(auctionId: string): void {
    if (this.#isStopped) return
    this.#deps.sharedAuctions.reconcile(auctionId).catch((error: unknown) => {
      this.#deps.logger.warn({ err: error, auctionId }, 'an auction is not in the log of the cluster yet; trying again')
      this.#deps.timers.after(RETRY_MS, () => this.#reconcile(auctionId))
    })
  }
}
