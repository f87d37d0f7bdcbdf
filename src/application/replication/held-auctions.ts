import type { Logger } from '../../ports/system/logger.js'

export interface HeldAuction {
  readonly auctionId: string
  readonly why: string
}

/** Shown; of more than that there is one cause. */
const MAX_LISTED = 100

/**
 * Auctions that this node must not write to until somebody has looked: what it holds of them is damaged, or older than what it has
 * written. To go on would be to sign a second history.
 */
export class HeldAuctions {
  readonly #logger: Logger
  readonly #why = new Map<string, string>()

  constructor(deps: { logger: Logger }) {
    this.#logger = deps.logger
  }

  hold(auctionId: string, why: string): void {
    if (this.#why.has(auctionId)) return
    this.#why.set(auctionId, why)
    this.#logger.error({ auctionId, why }, 'an auction of this home is held: nothing is written to it')
  }

  /** Null where it is not held. */
  why(auctionId: string): string | null {
    return this.#why.get(auctionId) ?? null
  }

  get size(): number {
    return this.#why.size
  }

  list(): HeldAuction[] {
    return [...this.#why].slice(0, MAX_LISTED).map(([auctionId, why]) => ({ auctionId, why }))
  }
}

/** The auction cannot be loaded to be written to. */
export class AuctionHeldError extends Error {
  readonly code = 'AUCTION_HELD'
  constructor(why: string) {
    super(why)
    this.name = 'AuctionHeldError'
  }
}
