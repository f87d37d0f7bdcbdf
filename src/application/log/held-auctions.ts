import type { HeldAuction } from '../../ports/node/node-status.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'

type HeldBecause = HeldAuction['because']

/** Shown; of more than that there is one cause. */
const MAX_LISTED = 100
/** Of auctions that are held no more, how long they were is remembered. */
const MAX_RELEASED = 10_000

const NEXT: Readonly<Record<HeldBecause, (auctionId: string) => string>> = {
  damaged: () => 'stop the node and run `vendue repair`',
  behind: (id) =>
    `restore the newer database if there is one; otherwise \`vendue repair --take-back ${id}\` fetches from peers what is missing, or \`vendue repair --give-up ${id}\` ends it`,
  forked: (id) => `peers hold the proof, and it stays disputed: \`vendue repair --give-up ${id}\` ends it`,
  'secrets-lost': (id) =>
    `restore the database that holds them if there is one; otherwise \`vendue repair --give-up ${id}\` ends it`,
}

/**
 * Auctions that this node must not write to until somebody has looked: what it holds of them is damaged, or older than
 * what it has written. To go on would be to sign a second history.
 */
export class HeldAuctions {
  readonly #deps: { readonly clock: Pick<Clock, 'now'>; readonly logger: Logger }
  /** No node takes bids before it has been started. */
  readonly #startedAt: number
  readonly #held = new Map<string, HeldAuction>()
  readonly #listeners = new Set<() => void>()
  readonly #released = new Map<string, { readonly since: number; readonly until: number }>()

  constructor(deps: { readonly clock: Pick<Clock, 'now'>; readonly logger: Logger }) {
    this.#deps = deps
    this.#startedAt = deps.clock.now()
  }

  /** Two histories are worse than anything else that may be known already. */
  hold(auctionId: string, because: HeldBecause, why: string): void {
    const known = this.#held.get(auctionId)
    if (known !== undefined && (because !== 'forked' || known.because === 'forked')) return
    const { clock, logger } = this.#deps
    const since = known?.since ?? (because === 'forked' ? clock.now() : this.#startedAt)
    const next = NEXT[because](auctionId)
    this.#held.set(auctionId, { auctionId, because, why, next, since })
    logger.error({ auctionId, why, next }, 'an auction of this home is held: nothing is written to it')
    if (because === 'behind') for (const listener of this.#listeners) listener()
  }

  /** Called whenever it shows that this node's database is older than what it has written. */
  onBehind(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Something else stands in the way now. */
  turn(auctionId: string, because: HeldBecause, why: string): void {
    const known = this.#held.get(auctionId)
    if (known === undefined) return
    this.#held.set(auctionId, { ...known, because, why, next: NEXT[because](auctionId) })
  }

  /** What stood in the way is mended. */
  release(auctionId: string): void {
    const known = this.#held.get(auctionId)
    if (known === undefined) return
    this.#held.delete(auctionId)
    if (this.#released.size >= MAX_RELEASED) this.#released.clear()
    this.#released.set(auctionId, { since: known.since, until: this.#deps.clock.now() })
    this.#deps.logger.info({ auctionId }, 'an auction of this home is held no more')
  }

  /** Null if it is not held. */
  find(auctionId: string): HeldAuction | null {
    return this.#held.get(auctionId) ?? null
  }

  /** Since when nobody could bid on it at this time, because it was held; null if it was not. */
  outageAt(auctionId: string, time: number): number | null {
    const held = this.#released.get(auctionId)
    return held !== undefined && held.since < time && time <= held.until ? held.since : null
  }

  get size(): number {
    return this.#held.size
  }

  list(): HeldAuction[] {
    return [...this.#held.values()].slice(0, MAX_LISTED)
  }
}

/** The home must not write to the auction, or not yet; nothing was done. */
export abstract class NotWritableError extends Error {
  abstract readonly code: 'AUCTION_HELD' | 'BUSY' | 'LOG_UNREACHABLE' | 'NOT_HOME' | 'STOPPING'
}

export class AuctionHeldError extends NotWritableError {
  readonly code = 'AUCTION_HELD'
  constructor({ why, next }: HeldAuction) {
    super(`the home holds this auction, and nothing was done: ${why}; ${next}`)
    this.name = 'AuctionHeldError'
  }
}
