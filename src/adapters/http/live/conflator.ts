import type { Timer, Timers } from '../../../ports/timers.js'
import type { LiveMessage } from './event-messages.js'

/** How often a conflated reader hears a price of one auction, at most. */
const INTERVAL_MS = 100

/**
 * For readers who want the newest price only: of prices that follow each other within the interval the last one is
 * told. Everything else is told at once, after the price that came before it; the order of seqs stays.
 */
export class Conflator {
  readonly #timers: Timers
  readonly #newest = new Map<string, () => void>()
  #timer: Timer | null = null

  constructor({ timers }: { timers: Timers }) {
    this.#timers = timers
  }

  offer(message: LiveMessage, deliver: (message: LiveMessage) => void): void {
    if (message.type === 'bid_update') {
      this.#newest.set(message.auctionId, () => deliver(message))
      this.#timer ??= this.#timers.after(INTERVAL_MS, () => this.#flush())
      return
    }
    const price = this.#newest.get(message.auctionId)
    if (price) {
      this.#newest.delete(message.auctionId)
      price()
    }
    deliver(message)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#newest.clear()
  }

  #flush(): void {
    this.#timer = null
    const prices = [...this.#newest.values()]
    this.#newest.clear()
    for (const price of prices) price()
  }
}
