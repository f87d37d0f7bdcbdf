import { printable } from '../../domain/limits.js'
import type { MemberDirectory } from '../../ports/members/member-directory.js'
import type { PeerWait } from '../../ports/node/node-status.js'
import type { KnownPeer, PeerRepository } from '../../ports/store/peer-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timers } from '../../ports/system/timers.js'
import { NotWritableError } from '../log/held-auctions.js'
import { timeText } from '../log/time-text.js'

export interface FirstComparisonDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
  readonly members: Pick<MemberDirectory, 'member'>
  readonly peerRepository: Pick<PeerRepository, 'list'>
  readonly syncer: {
    hasCompared(nodeId: string): boolean
    /** Resolves once nothing of the auction is to be pulled. */
    settled(auctionId: string): Promise<void>
  }
  readonly timers: Timers
}

export interface FirstComparisonOptions {
  /** How long this home writes nothing while no peer that it knows answers. 0: no longer than `FIRST_COMPARISON_MS`. */
  readonly peerWaitMs?: number | undefined
}

/** Once one peer has answered, others that are away keep this home waiting so long, and no longer. */
export const FIRST_COMPARISON_MS = 3_000
export const DEFAULT_PEER_WAIT_MS = 30_000
const LOOK_MS = 50
/** Those seen last. */
const MAX_PEERS = 32

/**
 * Before a home writes for the first time after its start it compares its heads with the peers that it knows: its
 * database may have been restored from an old backup, and peers hold what it has written since. Where none of them
 * answers it waits, up to a bound; a node that knows no peer goes on at once.
 */
export class FirstComparison {
  readonly #deps: FirstComparisonDeps
  readonly #peerWaitMs: number
  #comparing: Promise<void> | null = null
  #wait: PeerWait | null = null
  #isOver = false

  constructor(deps: FirstComparisonDeps, { peerWaitMs = DEFAULT_PEER_WAIT_MS }: FirstComparisonOptions = {}) {
    this.#deps = deps
    this.#peerWaitMs = Math.max(peerWaitMs, FIRST_COMPARISON_MS)
  }

  /** What this home waits for at the moment; null for nothing. */
  get wait(): PeerWait | null {
    return this.#wait
  }

  /** Resolves once the peers have been compared with, or are not waited for any longer. */
  over(): Promise<void> {
    this.#comparing ??= this.#compare()
    return this.#comparing
  }

  /**
   * Resolves once it is known, as far as can be, whether peers hold more of the auction. Rejects with `PeersAwayError`.
   */
  async of(auctionId: string): Promise<void> {
    if (this.#wait === null) await Promise.race([this.over(), this.#sleep(FIRST_COMPARISON_MS)])
    if (!this.#isOver) throw new PeersAwayError(this.#wait)
    // A peer that says it has more, and never delivers, must not keep a home from its own auction.
    await Promise.race([this.#deps.syncer.settled(auctionId), this.#sleep(FIRST_COMPARISON_MS)])
  }

  async #compare(): Promise<void> {
    const { clock, logger, members, peerRepository, syncer } = this.#deps
    const known = (await peerRepository.list(MAX_PEERS)).filter(({ nodeId }) => members.member(nodeId) !== null)
    const until = clock.now() + this.#peerWaitMs
    for (let waitedMs = 0; waitedMs < this.#peerWaitMs; waitedMs += LOOK_MS) {
      const compared = known.filter(({ nodeId }) => syncer.hasCompared(nodeId)).length
      if (compared === known.length || (compared > 0 && waitedMs >= FIRST_COMPARISON_MS)) break
      if (this.#wait === null && waitedMs >= FIRST_COMPARISON_MS) {
        this.#wait = { peers: known.map(nameOf), until }
        logger.warn(this.#wait, 'no peer has answered: this home writes nothing yet, since they may hold more')
      }
      await this.#sleep(LOOK_MS)
    }
    if (this.#wait !== null) {
      const isAlone = !known.some(({ nodeId }) => syncer.hasCompared(nodeId))
      logger.warn(
        { peers: this.#wait.peers },
        isAlone ? 'no peer has answered: this home goes on without them' : 'a peer has answered: this home goes on',
      )
    }
    this.#wait = null
    this.#isOver = true
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.timers.after(ms, resolve)
    })
  }
}

/** Nothing is written yet, for fear that peers hold more. */
export class PeersAwayError extends NotWritableError {
  readonly code = 'BUSY'
  constructor(wait: PeerWait | null) {
    const until = wait === null ? '' : `, and goes on without them at ${timeText(wait.until)}`
    super(
      `the home has just started, and none of the peers that may hold more of the auction has answered: it waits for them${until}; nothing was done, try again`,
    )
    this.name = 'PeersAwayError'
  }
}

function nameOf({ name }: KnownPeer): string {
  return printable(name)
}
