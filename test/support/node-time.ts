import type { Clock } from '../../src/ports/system/clock.js'
import type { Timer, Timers } from '../../src/ports/system/timers.js'
import type { ManualTime } from './manual-time.js'

/** Time as one node of many has it: its process may stand still while that of the others goes on. */
export class NodeTime implements Clock, Timers {
  readonly #time: ManualTime
  #held: (() => void)[] | null = null

  constructor(time: ManualTime) {
    this.#time = time
  }

  now(): number {
    return this.#time.now()
  }

  monotonicMs(): number {
    return this.#time.monotonicMs()
  }

  after(delayMs: number, callback: () => void): Timer {
    let cancelled = false
    const timer = this.#time.after(delayMs, () => this.#run(() => cancelled || callback()))
    return {
      cancel: () => {
        cancelled = true
        timer.cancel()
      },
    }
  }

  /** From now on nothing of the node runs: a blocked event loop, SIGSTOP, or for good. */
  stall(): void {
    this.#held ??= []
  }

  /** What fell due meanwhile runs at once, late. */
  resume(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const run of held) run()
  }

  /** Resolves when the node runs. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#run(resolve))
  }

  #run(callback: () => unknown): void {
    if (this.#held) this.#held.push(() => callback())
    else callback()
  }
}
