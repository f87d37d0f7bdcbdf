import { NO_SECRETS } from '../../domain/pricing.js'
import type { Takeover } from '../../ports/node/cluster-status.js'
import type { AuctionRecord, AuctionRepository } from '../../ports/store/auction-repository.js'
import type { EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import { type Append, SeqConflictError } from '../../ports/store/event-log.js'
import type { OwnedAuction, SharedLog } from '../../ports/store/shared-log.js'
import type { Clock } from '../../ports/system/clock.js'
import type { ClusterSigner } from '../../ports/system/cluster-signer.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Signer } from '../../ports/system/signer.js'
import { NotHomeError } from '../home/home-log.js'
import { isOfCluster } from '../log/cluster-keys.js'
import { takeOver } from '../log/cluster-takeover.js'
import { sealCommit } from '../log/commit.js'
import { AuctionHeldError } from '../log/held-auctions.js'
import type { ClusterLog } from './cluster-log.js'
import type { ClusterMeasures } from './cluster-measures.js'
import type { ClusterLook, DeadHome } from './cluster-membership.js'
import type { PeerComparison } from './peer-comparison.js'
import { rendezvous } from './rendezvous.js'
import type { SharedAuctions } from './shared-auctions.js'

export interface TakeoversDeps {
  readonly sharedLog: Pick<SharedLog, 'auctionsOf'>
  readonly clusterLog: Pick<ClusterLog, 'takeOver'>
  readonly clusterSigner: ClusterSigner
  readonly sharedAuctions: Pick<SharedAuctions, 'reconcile'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly equivocations: Pick<EquivocationRepository, 'among'>
  readonly measures: ClusterMeasures
  readonly peerComparison: Pick<PeerComparison, 'over'>
  readonly signer: Signer
  readonly clock: Clock
  readonly logger: Logger
}

const PAGE = 1_000
/** Taken over at once, those first that end first. */
const BATCH = 256
/** If the node that should take an auction over does not, the next one in the order does, after this time. */
const NEXT_AFTER_MS = 2_000
const MAX_TRIES = 3
/** Remembered heads. */
const MAX_FOREIGN = 10_000
/** Remembered, for whoever wants to know. */
const MAX_LISTED = 50

/**
 * Takes the auctions of dead nodes over, each node of the cluster its share: reads how far the log goes, and appends
 * the takeover there. Whoever wins that step is the home. If the old home was alive after all and wins it, the auction
 * stays there; the next look shows it.
 */
export class Takeovers {
  readonly #deps: TakeoversDeps
  readonly #nodeId: string
  /** Heads of auctions that have moved out of the cluster: nobody has to look at them again. */
  readonly #foreign = new Set<string>()
  /** Of dead homes, by the last look. */
  #disputed: ReadonlySet<string> = new Set()
  #isBusy = false
  #isStopped = false
  #under: Promise<void> = Promise.resolve()
  readonly #recent: Takeover[] = []
  #count = 0

  constructor(deps: TakeoversDeps, { nodeId }: { readonly nodeId: string }) {
    this.#deps = deps
    this.#nodeId = nodeId
  }

  /** Newest first. */
  get recent(): readonly Takeover[] {
    return this.#recent
  }

  /** Since the start. */
  get count(): number {
    return this.#count
  }

  /** Auctions of dead homes that have two histories: whoever went on with either would make it worse. */
  get disputed(): readonly string[] {
    return [...this.#disputed].slice(0, MAX_LISTED)
  }

  /** Nothing is taken over from here on; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#under
  }

  /** Does nothing while an earlier look is being carried out. */
  look(look: ClusterLook): void {
    if (this.#isBusy || this.#isStopped) return
    if (look.dead.length === 0) {
      this.#disputed = new Set()
      return
    }
    this.#isBusy = true
    this.#under = this.#takeAll(look)
      .catch((error: unknown) => {
        this.#deps.logger.warn({ err: error }, 'auctions of dead nodes could not be taken over; trying again')
      })
      .finally(() => {
        this.#isBusy = false
      })
  }

  async #takeAll(look: ClusterLook): Promise<void> {
    await this.#deps.peerComparison.over()
    const disputed = new Set<string>()
    for (const home of look.dead) {
      const due = (await this.#of(home, look, disputed)).sort((a, b) => (a.dueAt ?? Infinity) - (b.dueAt ?? Infinity))
      for (let i = 0; i < due.length && !this.#isStopped; i += BATCH)
        await this.#take(home, look, due.slice(i, i + BATCH))
    }
    for (const auctionId of disputed)
      if (!this.#disputed.has(auctionId))
        this.#deps.logger.error({ auctionId }, 'an auction of a dead home is disputed: nobody takes it over')
    this.#disputed = disputed
  }

  /** Those that this node is to take. */
  async #of({ nodeId, forMs }: DeadHome, { alive }: ClusterLook, disputed: Set<string>): Promise<OwnedAuction[]> {
    const places = Math.floor(forMs / NEXT_AFTER_MS) + 1
    const own: OwnedAuction[] = []
    for (let after: string | null = null; !this.#isStopped; ) {
      const page: OwnedAuction[] = await this.#deps.sharedLog.auctionsOf(nodeId, after, PAGE)
      const forked = await this.#deps.equivocations.among(page.map(({ auctionId }) => auctionId))
      for (const one of page) {
        if (forked.has(one.auctionId)) disputed.add(one.auctionId)
        else if (
          !this.#foreign.has(one.hash) &&
          rendezvous(one.auctionId, alive).slice(0, places).includes(this.#nodeId)
        )
          own.push(one)
      }
      after = page.at(-1)?.auctionId ?? null
      if (page.length < PAGE) break
    }
    return own
  }

  async #take(home: DeadHome, { view }: ClusterLook, auctions: readonly OwnedAuction[]): Promise<void> {
    const name = view.nodes.find(({ nodeId }) => nodeId === home.nodeId)?.name ?? null
    const taken = await Promise.all(auctions.map((auction) => this.#takeOne(home, auction)))
    for (const auctionId of taken) {
      if (auctionId === null) continue
      this.#count += 1
      this.#deps.measures.takeovers.inc()
      this.#recent.unshift({
        auctionId,
        at: this.#deps.clock.now(),
        from: { nodeId: home.nodeId, name },
        why: home.why,
      })
    }
    this.#recent.splice(MAX_LISTED)
    const count = taken.filter((auctionId) => auctionId !== null).length
    if (count > 0) this.#deps.logger.warn({ from: home.nodeId, name, auctions: count }, 'auctions were taken over')
  }

  /** Null if it stays where it is, or another node has it. */
  async #takeOne(home: DeadHome, { auctionId, seq, hash }: OwnedAuction): Promise<string | null> {
    const { auctions, clusterLog, clusterSigner, logger, sharedAuctions } = this.#deps
    try {
      const own = await auctions.find(auctionId)
      let record = own?.head.seq === seq && own.head.hash === hash ? own : await sharedAuctions.reconcile(auctionId)
      for (let tries = 1; ; tries++) {
        if (record === null || record.state.home.nodeId !== home.nodeId) return null
        if (!isOfCluster(record.state, clusterSigner)) {
          this.#leave(hash)
          return null
        }
        try {
          await clusterLog.takeOver(this.#commit(home, record))
          return auctionId
        } catch (error) {
          if (!(error instanceof SeqConflictError) || tries === MAX_TRIES) throw error
        }
        record = await sharedAuctions.reconcile(auctionId)
      }
    } catch (error) {
      // What is held says so itself.
      if (!(error instanceof NotHomeError || error instanceof AuctionHeldError))
        logger.warn({ err: error, auctionId }, 'an auction could not be taken over')
      return null
    }
  }

  #leave(hash: string): void {
    if (this.#foreign.size >= MAX_FOREIGN) this.#foreign.clear()
    this.#foreign.add(hash)
  }

  #commit({ why, since }: DeadHome, record: AuctionRecord): Append {
    const { clock, clusterSigner, signer } = this.#deps
    const { auctionId, head, state } = record
    const to = { nodeId: this.#nodeId, publicKey: signer.publicKey }
    const taking = { to, why, since, now: clock.now() }
    const decision = takeOver({ auctionId, head, state, secrets: NO_SECRETS }, taking, clusterSigner)
    if (!decision.accepted) throw new Error(`a takeover was refused: ${decision.rejection.code}`)
    const { events, next } = decision
    const commit = sealCommit({ auctionId, firstSeq: head.seq + 1, prevHash: head.hash, events }, signer)
    return { commit, prevHash: head.hash, events, state: next.auction }
  }
}
