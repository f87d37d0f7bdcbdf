import type { Clock } from '../../src/ports/system/clock.js'
import type { Timer, Timers } from '../../src/ports/system/timers.js'
import { EPOCH_MS, type Owner, type Scheduler } from './scheduler.js'

/** A machine's own idea of the time; it survives the processes that run there. */
export interface WallClock {
  /** How far it is off, milliseconds. */
  offsetMs: number
  /** Before it was ever set. */
  readonly firstOffsetMs: number
  /** Its seconds for one true second. */
  readonly rate: number
}

/** One run of a node's process: its clock and timers, until it ends and nothing of it happens any more. */
export class SimProcess implements Clock, Timers, Owner {
  readonly name: string
  readonly scheduler: Scheduler
  readonly #clock: WallClock
  #alive = true
  /** Stands still until then. */
  wakesAt = 0

  constructor(name: string, scheduler: Scheduler, clock: WallClock) {
    this.name = name
    this.scheduler = scheduler
    this.#clock = clock
  }

  get alive(): boolean {
    return this.#alive
  }

  end(): void {
    this.#alive = false
  }

  now(): number {
    return Math.floor(EPOCH_MS + this.#clock.offsetMs + this.scheduler.now * this.#clock.rate)
  }

  monotonicMs(): number {
    return this.scheduler.now * this.#clock.rate
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.scheduler.after(delayMs / this.#clock.rate, `${this.name} timer`, this, callback)
  }
}
