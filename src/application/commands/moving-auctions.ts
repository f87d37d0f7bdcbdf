import type { Moving } from '../../ports/node/node-answers.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Timers } from '../../ports/system/timers.js'

export interface MovingAuctionsDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly timers: Timers
}

/** Auctions whose commands wait for a home that answers: whoever watches one hears of it. */
export class MovingAuctions {
  readonly #deps: MovingAuctionsDeps
  readonly #since = new Map<string, number>()
  #version = 0
  #changed: (() => void)[] = []
  #stopped = false

  constructor(deps: MovingAuctionsDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#since.size
  }

  begin(auctionId: string): void {
    if (this.#since.has(auctionId)) return
    this.#since.set(auctionId, this.#deps.clock.now())
    this.#change()
  }

  end(auctionId: string): void {
    if (this.#since.delete(auctionId)) this.#change()
  }

  /** All of them. Waits for a change if the caller knows this version already. */
  async next({ after, waitMs }: { readonly after: number | null; readonly waitMs: number }): Promise<Moving> {
    if (after === this.#version && waitMs > 0 && !this.#stopped) await this.#changeWithin(waitMs)
    const auctions = [...this.#since].map(([auctionId, since]) => ({ auctionId, since }))
    return { version: this.#version, auctions }
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#stopped = true
    for (const wake of this.#changed.splice(0)) wake()
  }

  #change(): void {
    this.#version += 1
    for (const wake of this.#changed.splice(0)) wake()
  }

  #changeWithin(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel()
        resolve()
      }
      const timer = this.#deps.timers.after(waitMs, () => {
        this.#changed = this.#changed.filter((other) => other !== wake)
        resolve()
      })
      this.#changed.push(wake)
    })
  }
}
