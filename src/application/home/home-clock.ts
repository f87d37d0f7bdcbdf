import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'

/** If the clock moves further than this against elapsed time, it was set or the machine slept. */
export const CLOCK_STEP_MS = 10_000
/** How long a clock that was set has to stay so before it is believed. */
export const CLOCK_DOUBT_MS = 300_000

export interface ClockDoubt {
  /** How far the machine's clock is ahead of elapsed time; negative: behind. */
  readonly aheadMs: number
  /** When it is believed, if it stays so. */
  readonly countsInMs: number
}

interface Step {
  readonly offsetMs: number
  /** Monotonic. */
  readonly sinceMs: number
}

/**
 * The time by which a home opens, decides and ends auctions. It is the machine's clock while that keeps step with the
 * time that has passed by the monotonic clock. A clock that is set to another time would end auctions at once, or keep
 * them open for ever: so the home goes on by the time that has passed, until the clock is set back, or has stayed for
 * five minutes.
 */
export class HomeClock implements Clock {
  readonly #clock: Clock
  readonly #logger: Logger
  /** The difference between the two clocks that is believed. */
  #offsetMs: number
  #step: Step | null = null

  constructor(deps: { clock: Clock; logger: Logger }) {
    this.#clock = deps.clock
    this.#logger = deps.logger
    this.#offsetMs = deps.clock.now() - deps.clock.monotonicMs()
  }

  now(): number {
    const elapsedMs = this.#clock.monotonicMs()
    const machine = this.#clock.now()
    const offsetMs = machine - elapsedMs
    const aheadMs = offsetMs - this.#offsetMs
    if (aheadMs <= CLOCK_STEP_MS && aheadMs >= -CLOCK_STEP_MS) {
      if (this.#step !== null) this.#believe('the clock keeps step with the time that has passed again', 0)
      this.#offsetMs = offsetMs
      return machine
    }
    if (this.#step === null || Math.abs(offsetMs - this.#step.offsetMs) > CLOCK_STEP_MS)
      this.#doubt({ offsetMs, sinceMs: elapsedMs }, aheadMs)
    else if (elapsedMs - this.#step.sinceMs >= CLOCK_DOUBT_MS) {
      this.#believe('the clock has stayed as it was set: auctions go by it from here on', aheadMs)
      this.#offsetMs = offsetMs
      return machine
    }
    return Math.floor(elapsedMs + this.#offsetMs)
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  /** The machine's clock, believed or not. */
  machineNow(): number {
    return this.#clock.now()
  }

  /** Null while the machine's clock is believed. */
  get doubt(): ClockDoubt | null {
    this.now()
    if (this.#step === null) return null
    const passedMs = this.#clock.monotonicMs() - this.#step.sinceMs
    const aheadMs = Math.round(this.#step.offsetMs - this.#offsetMs)
    return { aheadMs, countsInMs: Math.max(0, Math.round(CLOCK_DOUBT_MS - passedMs)) }
  }

  #doubt(step: Step, aheadMs: number): void {
    this.#step = step
    this.#logger.warn(
      { aheadMs: Math.round(aheadMs), countsInMs: CLOCK_DOUBT_MS },
      'the clock was set, or the machine slept: auctions go on by the time that has passed, and none ends by the new time yet; set the clock right, or let it stand',
    )
  }

  #believe(message: string, aheadMs: number): void {
    this.#step = null
    this.#logger.warn({ aheadMs: Math.round(aheadMs) }, message)
  }
}
