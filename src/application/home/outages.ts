import type { Clock } from '../../ports/system/clock.js'
import type { Heartbeat, Outage } from '../../ports/system/heartbeat.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timer, Timers } from '../../ports/system/timers.js'

export interface OutagesDeps {
  readonly clock: Clock
  readonly timers: Timers
  readonly heartbeat: Heartbeat
  readonly logger: Logger
}

/** Why bids cannot be taken. */
export type Obstacle = 'starting' | 'disk-full' | 'log-unreachable'

const BEAT_MS = 1_000
/** If beats are further apart than this, the process or the machine stood still, or the clock was set. */
export const LEAST_STANDSTILL_MS = 5_000
/** The latest are kept; an end is looked at soon after it has come. */
const MAX_OUTAGES = 64
/** Kept across a restart while an auction whose end lies within them is still open. */
const MAX_OPEN = 8

/**
 * When this home could not take bids: while it did not run, stood still, or had no room on its disk. It is known by a
 * heartbeat that lies in the data directory: where two beats are far apart, nobody could bid in between.
 */
export class Outages {
  readonly #deps: OutagesDeps
  readonly #obstacles = new Set<Obstacle>()
  readonly #outages: Outage[] = []
  #isOverdue: (now: number) => boolean = () => false
  #last = 0
  #timer: Timer | null = null

  constructor(deps: OutagesDeps) {
    this.#deps = deps
  }

  /**
   * From the last beat of the run before to `over('starting')` nobody could bid. `isOverdue`: whether the end of some
   * auction has come and the auction is still open: if the process stops before that is settled, the next one has to
   * know of the same outage.
   */
  start(isOverdue: (now: number) => boolean): void {
    if (this.#timer !== null) return
    this.#isOverdue = isOverdue
    this.#obstacles.add('starting')
    const last = this.#deps.heartbeat.last()
    this.#last = last?.at ?? 0
    this.#outages.push(...(last?.open ?? []))
    this.#schedule()
  }

  stop(): void {
    if (this.#timer === null) return
    this.#timer.cancel()
    this.#timer = null
    if (this.#obstacles.size === 0) this.#beat()
  }

  /** Bids cannot be taken from here on, or since a time before: it takes a while to notice that nobody answers. */
  begun(obstacle: Obstacle, since = Number.POSITIVE_INFINITY): void {
    if (this.#obstacles.has(obstacle)) return
    if (this.#obstacles.size === 0) this.#look(this.#deps.clock.now())
    this.#last = Math.min(this.#last, since)
    this.#obstacles.add(obstacle)
  }

  over(obstacle: Obstacle): void {
    if (!this.#obstacles.delete(obstacle) || this.#obstacles.size > 0) return
    this.#add(this.#deps.clock.now())
    this.#beat()
  }

  /** Since when nobody could bid at this time, which has passed; null if bids could be taken then. */
  at(time: number): number | null {
    const now = this.#deps.clock.now()
    if (this.#obstacles.size > 0) {
      if (this.#last < time) return this.#last
    } else this.#look(now)
    const outage = this.#outages.findLast(({ since, until }) => since < time && time <= until)
    return outage?.since ?? null
  }

  #schedule(): void {
    this.#timer = this.#deps.timers.after(BEAT_MS, () => {
      this.#beat()
      this.#schedule()
    })
  }

  #beat(): void {
    const { clock, heartbeat, logger } = this.#deps
    const now = clock.now()
    if (this.#obstacles.size > 0) return
    this.#look(now)
    this.#last = now
    try {
      const open = this.#isOverdue(now) ? this.#outages.slice(-MAX_OPEN) : []
      heartbeat.beat({ at: now, open })
    } catch (error) {
      // Without a newer beat more is given back than was lost, and never less.
      logger.debug({ err: error }, 'the heartbeat could not be written')
    }
  }

  #look(now: number): void {
    if (now - this.#last > LEAST_STANDSTILL_MS) this.#add(now)
    if (now > this.#last) this.#last = now
  }

  #add(until: number): void {
    if (until <= this.#last) return
    this.#outages.push({ since: this.#last, until })
    if (this.#outages.length > MAX_OUTAGES) this.#outages.shift()
    this.#last = until
  }
}
