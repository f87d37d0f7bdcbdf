import type { Clock } from '../../src/ports/system/clock.js'
import type { Timer, Timers } from '../../src/ports/system/timers.js'

/** Clock and timers that move only when told to. */
export class ManualTime implements Clock, Timers {
  #now: number
  #timers: { at: number; callback: () => void }[] = []

  constructor(startAt = Date.UTC(2026, 0, 1)) {
    this.#now = startAt
  }

  now(): number {
    return this.#now
  }

  monotonicMs(): number {
    return this.#now
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { at: this.#now + Math.max(0, delayMs), callback }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  /** Moves on, running what falls due in order; between timers, pending promises are let through. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await quiet()
    }
    this.#now = end
    await settle()
  }
}

/** Lets everything run that does not wait for time or the outside. */
export async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** As `settle`, and no longer than something waits for its turn. */
async function quiet(): Promise<void> {
  let idle = 0
  for (let i = 0; i < 20 && idle < 2; i++) {
    await settle(1)
    idle = process.getActiveResourcesInfo().includes('Immediate') ? 0 : idle + 1
  }
}
