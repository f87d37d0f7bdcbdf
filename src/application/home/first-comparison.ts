import type { PeerRepository } from '../../ports/store/peer-repository.js'
import type { Timers } from '../../ports/system/timers.js'

export interface FirstComparisonDeps {
  readonly peerRepository: Pick<PeerRepository, 'list'>
  readonly syncer: {
    hasCompared(nodeId: string): boolean
    /** Resolves once nothing of the auction is to be pulled. */
    settled(auctionId: string): Promise<void>
  }
  readonly timers: Timers
}

/** Peers that are away at a start keep this home waiting so long, and no longer. */
export const FIRST_COMPARISON_MS = 3_000
const LOOK_MS = 50
/** Those seen last. */
const MAX_PEERS = 32

/**
 * Before a home writes for the first time after its start it compares its heads with the peers that it knows: its database may have been
 * restored from an old backup, and peers hold what it has written since.
 */
export class FirstComparison {
  readonly #deps: FirstComparisonDeps
  #done: Promise<void> | null = null

  constructor(deps: FirstComparisonDeps) {
    this.#deps = deps
  }

  /** Resolves once it is known, as far as can be, whether peers hold more of the auction. */
  async of(auctionId: string): Promise<void> {
    this.#done ??= this.#compare()
    await this.#done
    // A peer that says it has more, and never delivers, must not keep a home from its own auction.
    await Promise.race([this.#deps.syncer.settled(auctionId), this.#sleep(FIRST_COMPARISON_MS)])
  }

  async #compare(): Promise<void> {
    const { peerRepository, syncer } = this.#deps
    const known = await peerRepository.list(MAX_PEERS)
    for (let waitedMs = 0; waitedMs < FIRST_COMPARISON_MS; waitedMs += LOOK_MS) {
      if (known.every(({ nodeId }) => syncer.hasCompared(nodeId))) return
      await this.#sleep(LOOK_MS)
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.timers.after(ms, resolve)
    })
  }
}
