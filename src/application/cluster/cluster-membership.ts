import type { ClusterMember } from '../../ports/node/cluster-status.js'
import {
  type BeatingNode,
  type ClusterNode,
  type ClusterView,
  type SharedLog,
  SharedLogError,
} from '../../ports/store/shared-log.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { Outages } from '../home/outages.js'
import type { ClusterMeasures } from './cluster-measures.js'

export interface ClusterMembershipDeps {
  readonly sharedLog: Pick<SharedLog, 'beat' | 'view' | 'leave'>
  readonly measures: ClusterMeasures
  readonly outages: Pick<Outages, 'begun' | 'over'>
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>
  readonly timers: Timers
  readonly logger: Logger
}

export interface ClusterMembershipOptions {
  readonly self: () => ClusterNode
}

/** Every other look is a beat. */
export const LOOK_MS = 500
/** By the log's clock. */
export const DEAD_AFTER_MS = 3_000

/** The nodes of the cluster at one look. */
export interface ClusterLook {
  readonly view: ClusterView
  /** Ids of those that are alive, this node's among them. */
  readonly alive: readonly string[]
  /** Homes that need others in their place. */
  readonly dead: readonly DeadHome[]
  /** The log may have lost what was read before: another server answers, or it has been started anew. */
  readonly isNewSession: boolean
}

export interface DeadHome {
  readonly nodeId: string
  /** When it was heard of last, by this node's clock. */
  readonly since: number
  readonly why: 'home-dead' | 'home-left'
  /** For how long it has been known to be dead. */
  readonly forMs: number
}

/** Says in the log that this node is alive, and sees there who else is. */
export class ClusterMembership {
  readonly #deps: ClusterMembershipDeps
  readonly #self: () => ClusterNode
  #timer: Timer | null = null
  #isRunning = false
  #looks = 0
  #view: ClusterView | null = null
  /**
   * By the log's clock: silence counts from here on. At the start of a session beats may be by the clock of another
   * server.
   */
  #countsFrom = 0
  /** When homes were first seen to be dead, monotonic. */
  readonly #deadSince = new Map<string, number>()
  #answeredAt: number
  #outage: { readonly since: number; readonly code: string; readonly why: string } | null = null

  constructor(deps: ClusterMembershipDeps, { self }: ClusterMembershipOptions) {
    this.#deps = deps
    this.#self = self
    this.#answeredAt = deps.clock.now()
  }

  /** Since when the log does not answer, and why; null while it does. */
  get outage(): { readonly since: number; readonly code: string; readonly why: string } | null {
    return this.#outage
  }

  /** All that have ever beaten, by name; as of the last look. */
  get nodes(): readonly ClusterMember[] {
    const view = this.#view
    if (view === null) return []
    const members = view.nodes.map(({ nodeId, name, address, lastBeatAt }): ClusterMember => {
      const state = lastBeatAt === 0 ? 'left' : this.#isDead(view, nodeId) ? 'dead' : 'alive'
      return { nodeId, name, address, state, beatAgeMs: lastBeatAt === 0 ? null : view.now - lastBeatAt }
    })
    return members.sort((a, b) => a.name.localeCompare(b.name) || (a.nodeId < b.nodeId ? -1 : 1))
  }

  /** Whether it is a node of this cluster, alive or not, as of the last look. */
  has(nodeId: string): boolean {
    const lastBeatAt = this.#view === null ? 0 : beatOf(this.#view, nodeId)?.lastBeatAt
    return lastBeatAt !== undefined && lastBeatAt > 0
  }

  /** Calls back with each look. Idempotent. */
  start(onLook: (look: ClusterLook) => void): void {
    if (this.#isRunning) return
    this.#isRunning = true
    const next = () => {
      void this.#look(onLook).then(() => {
        if (this.#isRunning) this.#timer = this.#deps.timers.after(LOOK_MS, next)
      })
    }
    next()
  }

  /** No more looks: nothing is taken over from here on. Idempotent. */
  pause(): void {
    this.#isRunning = false
    this.#timer?.cancel()
  }

  /** Others take this node's auctions over at once. */
  async leave(): Promise<void> {
    this.pause()
    await this.#deps.sharedLog.leave(this.#self().nodeId).catch((error: unknown) => {
      this.#deps.logger.warn({ err: error }, 'the cluster does not know yet that this node stops')
    })
  }

  async #look(onLook: (look: ClusterLook) => void): Promise<void> {
    const { logger, measures, sharedLog } = this.#deps
    const isBeat = this.#looks++ % 2 === 0
    try {
      const view = isBeat ? await sharedLog.beat(this.#self()) : await sharedLog.view()
      if (isBeat) measures.beats.inc()
      if (!this.#isRunning) return
      const wasAway = this.#outage !== null
      if (wasAway) logger.info({}, 'the log of the cluster answers again')
      this.#outage = null
      this.#answeredAt = this.#deps.clock.now()
      this.#deps.outages.over('log-unreachable')
      onLook(this.#seen(view, wasAway))
    } catch (error) {
      measures.failures.inc()
      this.#missed(error)
    }
  }

  #missed(error: unknown): void {
    // The next look is a beat in any case.
    this.#looks = 0
    if (this.#outage !== null) return
    // Nobody can bid meanwhile.
    this.#deps.outages.begun('log-unreachable', this.#answeredAt)
    const code = error instanceof SharedLogError ? error.code : 'INTERNAL'
    this.#outage = { since: this.#deps.clock.now(), code, why: (error as Error).message }
    this.#deps.logger.error({ err: error }, 'the log of the cluster does not answer: nothing is accepted until it does')
  }

  #seen(view: ClusterView, wasAway: boolean): ClusterLook {
    const isNewSession = this.#view !== null && this.#view.session !== view.session
    // Where the log was away for all, nobody could beat.
    if (this.#view === null || isNewSession || wasAway) this.#countsFrom = view.now
    this.#view = view
    const self = this.#self().nodeId
    const alive = view.nodes.map(({ nodeId }) => nodeId).filter((id) => id === self || !this.#isDead(view, id))
    const dead = view.homes.filter((id) => id !== self && this.#isDead(view, id))
    for (const id of this.#deadSince.keys()) if (!dead.includes(id)) this.#deadSince.delete(id)
    return { view, alive, dead: dead.map((id) => this.#dead(view, id)), isNewSession }
  }

  #isDead(view: ClusterView, nodeId: string): boolean {
    const lastBeatAt = beatOf(view, nodeId)?.lastBeatAt
    if (lastBeatAt === 0) return true
    return view.now - Math.max(lastBeatAt ?? 0, this.#countsFrom) > DEAD_AFTER_MS
  }

  #dead(view: ClusterView, nodeId: string): DeadHome {
    const { clock } = this.#deps
    const nowMs = clock.monotonicMs()
    const foundMs = this.#deadSince.get(nodeId) ?? nowMs
    this.#deadSince.set(nodeId, foundMs)
    const lastBeatAt = beatOf(view, nodeId)?.lastBeatAt ?? 0
    const silentMs = lastBeatAt === 0 ? nowMs - foundMs : view.now - lastBeatAt
    const why = lastBeatAt === 0 ? 'home-left' : 'home-dead'
    return { nodeId, why, since: clock.now() - silentMs, forMs: nowMs - foundMs }
  }
}

function beatOf({ nodes }: ClusterView, nodeId: string): BeatingNode | undefined {
  return nodes.find((node) => node.nodeId === nodeId)
}
