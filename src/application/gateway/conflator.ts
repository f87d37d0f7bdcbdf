import type { Timer, Timers } from '../../ports/system/timers.js'
import type { LiveMessage } from './live-message.js'

/** The shortest time between two prices of one auction for a conflated reader. */
const INTERVAL_MS = 100

type Deliver = (message: LiveMessage) => void

/** The beat of all conflated readers of a gateway: one timer, however many there are, and none while nothing waits. */
export class ConflatorBeat {
  readonly #timers: Timers
  #waiting: Conflator[] = []
  #timer: Timer | null = null

  constructor({ timers }: { timers: Timers }) {
    this.#timers = timers
  }

  add(conflator: Conflator): void {
    this.#waiting.push(conflator)
    this.#timer ??= this.#timers.after(INTERVAL_MS, () => {
      this.#timer = null
      const waiting = this.#waiting
      this.#waiting = []
      for (const waited of waiting) waited.flush()
    })
  }
}

/**
 * For readers who want the newest price only: of prices that follow each other within the interval the last one is
 * told. Everything else is told at once, after the price that came before it; the order of seqs stays.
 */
export class Conflator {
  readonly #beat: ConflatorBeat
  /** By auction; kept after it was sent, so that the next price costs no memory. */
  readonly #newest = new Map<string, { message: LiveMessage | null; deliver: Deliver }>()
  #waits = false

  constructor({ beat }: { beat: ConflatorBeat }) {
    this.#beat = beat
  }

  offer(message: LiveMessage, deliver: Deliver): void {
    const price = this.#newest.get(message.auctionId)
    if (message.type !== 'bid_placed') {
      if (price?.message) price.deliver(price.message)
      this.#newest.delete(message.auctionId)
      deliver(message)
      return
    }
    if (price) {
      price.message = message
      price.deliver = deliver
    } else this.#newest.set(message.auctionId, { message, deliver })
    if (this.#waits) return
    this.#waits = true
    this.#beat.add(this)
  }

  /** Sends what waits. */
  flush(): void {
    this.#waits = false
    for (const price of this.#newest.values()) {
      const { message, deliver } = price
      price.message = null
      if (message) deliver(message)
    }
  }

  stop(): void {
    this.#newest.clear()
  }
}
