/** Long because comparing, pulling and their progress share one state. */

import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { SyncStatus } from '../../ports/node/node-status.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { Budgets } from '../budgets/budgets.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { shuffled } from '../turns/shuffled.js'
import { compareHeads, type Difference } from './head-comparison.js'
import type { HeadsDigest } from './heads-digest.js'
import type { PeerRefusals } from './peer-refusals.js'
import { type Broken, PullLane } from './pull-lane.js'
import { type Missing, PullQueue } from './pull-queue.js'
import type { RefusedCommits } from './refused-commits.js'
import type { Replicator } from './replicator.js'
import { RestingPeers } from './resting-peers.js'
import { SyncProgress } from './sync-progress.js'

export interface SyncerDeps {
  readonly budgets: Budgets
  readonly clock: Clock
  readonly peerClient: Pick<PeerClient, 'digest' | 'heads' | 'pullCommits'>
  readonly peerTable: PeerTable
  readonly eventLog: Pick<PublishingEventLog, 'heads'>
  readonly headsDigest: HeadsDigest
  readonly peerRefusals: Pick<PeerRefusals, 'list'>
  readonly refusedCommits: Pick<RefusedCommits, 'list' | 'note'>
  readonly replicator: Replicator
  readonly random: Random
  readonly timers: Timers
  readonly logger: Logger
}

/** How often this node compares itself with some peer, in case a push got lost. */
export const COMPARE_INTERVAL_MS = 3_000
const COMPARISONS_AT_ONCE = 3
/** A comparison that takes longer does not delay others. */
const SLOW_COMPARISON_MS = 1_000
/** How many peers are pulled from at once; others are compared with now and then meanwhile. */
const MAX_SOURCES = 3
/**
 * One for each peer. Three times as many pages are under way, being checked or being stored: that bounds the memory of
 * a sync.
 */
const MAX_LANES = MAX_SOURCES
/** Lanes and comparisons in which this node waits for slow peers, beside those. */
const MAX_SLOW_LANES = 16
const MAX_SLOW_COMPARISONS = 64
/** How long a peer is pulled from while others wait for their turn. */
const LANE_TURN_MS = 2_000
/** Peers whose last turn is remembered. */
const MAX_TURNS = 1_000
const QUEUE_POLL_MS = 100
/** How long a peer that did not answer is not pulled from. */
const SILENT_REST = { firstMs: 2_000, maxMs: 60_000 }
/** How long a peer that sent something false about an auction is not asked for it. */
const LIE_REST = { firstMs: 3_000, maxMs: 600_000 }
/** A head as far as ours and not the same is looked at once in this time. */
const FORK_REST = { firstMs: 60_000, maxMs: 600_000 }

/**
 * Brings this node's replicas up to what its peers hold: when a peer appears, when a gap shows, and now and then.
 * Several peers are compared with, and pulled from, at once; one that dies, stalls or lies is left alone and the others
 * are asked.
 */
export class Syncer {
  readonly #deps: SyncerDeps
  readonly #queue: PullQueue
  readonly #progress: SyncProgress
  /** Since the start. */
  readonly #compared = new Set<string>()
  /** Peers that are left in this round of comparisons. */
  #round: string[] = []
  readonly #silent: RestingPeers
  readonly #liars: RestingPeers
  readonly #forks: RestingPeers
  /** Peers to compare with, in this order. */
  readonly #due = new Set<string>()
  readonly #comparing = new Map<string, { isSlow: boolean }>()
  #comparedAtMs = Number.NEGATIVE_INFINITY
  /** Resting peers that are compared with afterwards. */
  readonly #again = new Map<string, Timer>()
  /** Peers that are being pulled from. */
  readonly #lanes = new Map<string, PullLane>()
  /** When peers had their last turn. */
  readonly #turns = new Map<string, number>()
  /** Peers that have brought something in the turn that they have. */
  readonly #delivering = new Set<string>()
  /** Whether everything that was found missing is stored or in the queue. */
  #complete = false
  #unlisten: (() => void) | null = null
  #timer: Timer | null = null

  constructor(deps: SyncerDeps) {
    this.#deps = deps
    this.#queue = new PullQueue(deps.budgets.of('awaited'))
    this.#progress = new SyncProgress(deps)
    this.#silent = new RestingPeers(deps, SILENT_REST)
    this.#liars = new RestingPeers(deps, LIE_REST)
    this.#forks = new RestingPeers(deps, FORK_REST)
  }

  /** Idempotent. */
  start(): void {
    if (this.#unlisten) return
    this.#deps.headsDigest.start()
    this.#unlisten = this.#deps.peerTable.onChange(({ peer: { state, info }, before }) => {
      if (state === 'alive') {
        // Who was suspected for a moment has not been away.
        if (before !== 'suspect') this.#silent.delete(info.nodeId)
        this.#due.add(info.nodeId)
      } else if (state !== 'suspect') this.#drop(info.nodeId)
      this.#goOn()
    })
    for (const { info } of this.#deps.peerTable.reachable()) this.#due.add(info.nodeId)
    this.#goOn()
    this.#schedule()
  }

  /** Idempotent. What is stored stays, and the next start continues from there. */
  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
    this.#timer?.cancel()
    this.#deps.headsDigest.stop()
    for (const timer of this.#again.values()) timer.cancel()
    this.#again.clear()
    this.#due.clear()
    this.#queue.clear()
  }

  get status(): SyncStatus {
    this.#update()
    const { peerRefusals, refusedCommits, replicator } = this.#deps
    return {
      ...this.#progress.status(this.#queue.events, replicator.refusals),
      refusedAuctions: refusedCommits.list(),
      doubtedAuctions: peerRefusals.list(),
    }
  }

  /**
   * Pulls missing commits of an auction, which the peer has. Resolves when they are stored or known to be unavailable.
   */
  pull(nodeId: string, missing: { auctionId: string; fromSeq: number; untilSeq: number }): Promise<void> {
    if (!this.#unlisten) return Promise.resolve()
    // An unreachable peer would stay in the queue for good; a comparison with others finds what is missing.
    if (this.#address(nodeId) === null) return Promise.resolve()
    this.#enqueue(nodeId, [{ ...missing, isFork: false }])
    this.#goOn()
    return this.#queue.gone(missing.auctionId)
  }

  /** Whether everything that the peer has and this node lacks is known since the start. */
  hasCompared(nodeId: string): boolean {
    return this.#compared.has(nodeId)
  }

  /** Compares with every peer that can be asked once more; see `hasCompared`. */
  compareAll(): string[] {
    const nodeIds = this.#deps.peerTable.reachable().map(({ info }) => info.nodeId)
    const asked = nodeIds.filter((nodeId) => this.#address(nodeId) !== null)
    for (const nodeId of asked) {
      this.#compared.delete(nodeId)
      this.#due.add(nodeId)
    }
    this.#goOn()
    return asked
  }

  /** Whether anything is known to be missing. */
  get isPulling(): boolean {
    return this.#queue.size > 0
  }

  /** Resolves when nothing of the auction is left to pull. */
  settled(auctionId: string): Promise<void> {
    return this.#queue.gone(auctionId)
  }

  #schedule(): void {
    this.#timer = this.#deps.timers.after(COMPARE_INTERVAL_MS, () => {
      const nodeId = this.#nextInRound()
      if (nodeId !== null) this.#due.add(nodeId)
      this.#goOn()
      if (this.#unlisten) this.#schedule()
    })
  }

  /**
   * Every peer once, in an order drawn anew for each round: so a peer that alone has something is asked within a round.
   */
  #nextInRound(): string | null {
    const reachable = new Set(this.#deps.peerTable.reachable().map(({ info }) => info.nodeId))
    this.#round = this.#round.filter((nodeId) => reachable.has(nodeId))
    if (this.#round.length === 0) this.#round = shuffled([...reachable], this.#deps.random)
    return this.#round.shift() ?? null
  }

  /** Starts the comparisons and pulls that may start now. */
  #goOn(): void {
    if (!this.#unlisten) return
    for (const nodeId of [...this.#due]) {
      if (!this.#mayCompare()) break
      if (this.#comparing.has(nodeId)) continue
      this.#due.delete(nodeId)
      void this.#compare(nodeId)
    }
    const waiting = this.#queue.sources().filter((nodeId) => !this.#lanes.has(nodeId))
    // The peer that has waited longest goes first.
    waiting.sort((a, b) => (this.#turns.get(a) ?? 0) - (this.#turns.get(b) ?? 0))
    for (const nodeId of waiting) this.#openLane(nodeId)
    this.#update()
  }

  /** While enough peers deliver, others are compared with now and then: what these bring may be useless. */
  #mayCompare(): boolean {
    const running = [...this.#comparing.values()]
    const slow = running.filter(({ isSlow }) => isSlow).length
    if (running.length - slow >= COMPARISONS_AT_ONCE || slow >= MAX_SLOW_COMPARISONS) return false
    if (this.#delivering.size < MAX_SOURCES) return true
    return this.#deps.clock.monotonicMs() - this.#comparedAtMs >= COMPARE_INTERVAL_MS
  }

  #update(): void {
    if (this.#deps.peerTable.reachable().length === 0) this.#progress.become('alone')
    else if (this.#queue.size > 0 || !this.#complete) this.#progress.become('syncing')
    else this.#progress.become(this.#deps.refusedCommits.list().length > 0 ? 'incomplete' : 'synced')
  }

  /** The peer's address if it may be asked now. */
  #address(nodeId: string): string | null {
    if (!this.#unlisten || this.#silent.has(nodeId)) return null
    return this.#deps.peerTable.whereabouts(nodeId)?.address ?? null
  }

  async #compare(nodeId: string): Promise<void> {
    const address = this.#address(nodeId)
    if (address === null) return
    const { clock, timers } = this.#deps
    this.#comparedAtMs = clock.monotonicMs()
    const comparison = { isSlow: false }
    this.#comparing.set(nodeId, comparison)
    const timer = timers.after(SLOW_COMPARISON_MS, () => {
      comparison.isSlow = true
      this.#goOn()
    })
    try {
      for await (const differences of compareHeads(this.#deps, address)) {
        if (!this.#unlisten) return
        await this.#offer(nodeId, differences)
      }
      this.#complete = true
      this.#compared.add(nodeId)
    } catch (error) {
      this.#deps.logger.debug({ nodeId, err: error }, 'a comparison with a peer did not get through')
      this.#failed(nodeId)
    } finally {
      timer.cancel()
      this.#comparing.delete(nodeId)
      this.#goOn()
    }
  }

  /** Waits while the peer offers more than its budget allows. */
  async #offer(nodeId: string, differences: readonly Difference[]): Promise<void> {
    let left = differences
    for (;;) {
      left = this.#enqueue(nodeId, left)
      this.#goOn()
      if (left.length === 0 || !this.#unlisten || this.#address(nodeId) === null) return
      while (this.#queue.isFullOf(nodeId) && this.#unlisten) await this.#sleep(QUEUE_POLL_MS)
    }
  }

  /** Returns those that the peer's budget does not allow. */
  #enqueue(nodeId: string, differences: readonly Difference[]): readonly Difference[] {
    for (const [i, difference] of differences.entries()) {
      if (this.#queue.isFullOf(nodeId)) return differences.slice(i)
      const key = `${nodeId} ${difference.auctionId}`
      const restMs = this.#liars.left(key)
      if (restMs > 0) {
        this.#compareAgain(nodeId, restMs)
        continue
      }
      if (difference.isFork) {
        if (this.#forks.has(key)) continue
        this.#forks.add(key)
      }
      this.#queue.add(difference, nodeId)
    }
    return []
  }

  #openLane(nodeId: string): void {
    if (this.#address(nodeId) === null || !this.#queue.hasFor(nodeId)) return
    const slow = [...this.#lanes.values()].filter(({ isSlow }) => isSlow).length
    if (this.#lanes.size - slow >= MAX_LANES || slow >= MAX_SLOW_LANES) return
    void this.#pull(nodeId)
  }

  async #pull(nodeId: string): Promise<void> {
    const { clock, logger, peerClient, replicator, timers } = this.#deps
    const startedMs = clock.monotonicMs()
    const lane = new PullLane(
      { peerClient, replicator, queue: this.#queue, timers },
      {
        nodeId,
        address: () => this.#address(nodeId),
        isOver: () => clock.monotonicMs() - startedMs >= LANE_TURN_MS && this.#othersWait(),
        onStored: (events) => {
          if (events > 0) this.#delivering.add(nodeId)
          this.#progress.stored(events)
        },
        onSlow: () => this.#goOn(),
        onRefused: (errors) => this.#deps.refusedCommits.note(nodeId, errors),
        onBroken: (missing, why) => this.#onBroken(nodeId, missing, why),
        onGivenUp: () => this.#lookFurther(nodeId),
      },
    )
    this.#lanes.set(nodeId, lane)
    try {
      await lane.run()
    } catch (error) {
      logger.warn({ nodeId, err: error }, 'a peer does not deliver: its part is pulled from others')
      this.#failed(nodeId)
    } finally {
      this.#lanes.delete(nodeId)
      this.#delivering.delete(nodeId)
      this.#turns.delete(nodeId)
      this.#turns.set(nodeId, clock.monotonicMs())
      if (this.#turns.size > MAX_TURNS) this.#turns.delete(this.#turns.keys().next().value as string)
      this.#goOn()
    }
  }

  #othersWait(): boolean {
    return this.#queue
      .sources()
      .some((nodeId) => !this.#lanes.has(nodeId) && this.#address(nodeId) !== null && this.#queue.hasFor(nodeId))
  }

  #onBroken(nodeId: string, { auctionId, fromSeq }: Missing, why: Broken): void {
    const restMs = this.#liars.add(`${nodeId} ${auctionId}`)
    // The budget itself logs this now and then.
    if (why === 'spent') return
    const found = why === 'lied' ? 'a peer sent commits that are not sound' : 'a peer lacks what it said it had'
    this.#deps.logger.warn({ nodeId, auctionId, fromSeq, restMs }, `${found}: others are asked for them`)
    this.#compareAgain(nodeId, restMs)
  }

  #failed(nodeId: string): void {
    if (!this.#unlisten) return
    this.#compareAgain(nodeId, this.#silent.add(nodeId))
    this.#drop(nodeId)
  }

  /** Compares again when the peer has rested: it may be the only one that has what is missing. */
  #compareAgain(nodeId: string, afterMs: number): void {
    if (!this.#unlisten || this.#again.has(nodeId)) return
    const timer = this.#deps.timers.after(afterMs, () => {
      this.#again.delete(nodeId)
      if (this.#deps.peerTable.whereabouts(nodeId) !== null) this.#due.add(nodeId)
      this.#goOn()
    })
    this.#again.set(nodeId, timer)
  }

  #drop(nodeId: string): void {
    this.#due.delete(nodeId)
    if (this.#queue.forget(nodeId)) this.#lookFurther(nodeId)
  }

  /** Something is missing that no peer has been able to deliver so far. */
  #lookFurther(except: string): void {
    this.#complete = false
    const others = this.#deps.peerTable.reachable().filter(({ info }) => info.nodeId !== except)
    for (const { info } of shuffled(others, this.#deps.random)) this.#due.add(info.nodeId)
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.timers.after(ms, resolve)
    })
  }
}
