import type { Timers } from '../../ports/system/timers.js'
import type { FirstComparison } from '../home/first-comparison.js'
import type { Syncer } from '../replication/syncer.js'

export interface PeerComparisonDeps {
  readonly firstComparison: Pick<FirstComparison, 'over'>
  readonly syncer: Pick<Syncer, 'compareAll' | 'hasCompared' | 'isPulling'>
  readonly timers: Timers
}

/** Peers that are away, or have more than can be fetched in this time, do not keep a home from its auctions. */
const COMPARISON_MS = 3_000
const LOOK_MS = 50

/**
 * Whether this node holds what its peers do. An asynchronous standby that is promoted lacks the last commits, and so
 * does a database that is restored from a backup: before anything is added to what it has, all that members hold of it
 * is brought together here.
 */
export class PeerComparison {
  readonly #deps: PeerComparisonDeps
  #last: Promise<void> = Promise.resolve()

  constructor(deps: PeerComparisonDeps) {
    this.#deps = deps
  }

  /** What is known may not be all any more. */
  begin(): void {
    this.#last = this.#compare()
  }

  /** Resolves when it is known, as far as can be, what peers hold. */
  async over(): Promise<void> {
    await this.#deps.firstComparison.over()
    await this.#last
  }

  async #compare(): Promise<void> {
    const { syncer, timers } = this.#deps
    const asked = syncer.compareAll()
    for (let waitedMs = 0; waitedMs < COMPARISON_MS; waitedMs += LOOK_MS) {
      if (!syncer.isPulling && asked.every((nodeId) => syncer.hasCompared(nodeId))) return
      await new Promise<void>((resolve) => timers.after(LOOK_MS, resolve))
    }
  }
}
