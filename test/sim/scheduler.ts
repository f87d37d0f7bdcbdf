import type { Timer } from '../../src/ports/system/timers.js'
import type { Trace } from './trace.js'

/** Where virtual time starts, UTC milliseconds. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)

// The real one, whatever a test does to the global.
const nextTurn = setImmediate

/** Something that happens only while its owner lives: what waits for a crashed process never comes. */
export interface Owner {
  readonly alive: boolean
  /** What comes before is put off until then: it stands still. */
  readonly wakesAt?: number
}

interface Step {
  at: number
  /** Breaks ties: first planned, first run. */
  readonly order: number
  readonly label: string
  readonly owner: Owner | null
  run: (() => void) | null
}

/**
 * Virtual time, and everything that is going to happen in it. One step runs at a time, and the next one only when
 * nothing is left of it: all that the simulated nodes wait for comes from here, so once the queue of promise jobs has
 * been emptied, which node does before each turn of its event loop, the step is over.
 */
export class Scheduler {
  readonly #trace: Trace
  readonly #heap: Step[] = []
  #now = 0
  #planned = 0
  #steps = 0

  constructor(trace: Trace) {
    this.#trace = trace
  }

  /** Milliseconds since the start of the simulation. */
  get now(): number {
    return this.#now
  }

  get steps(): number {
    return this.#steps
  }

  note(text: string): void {
    this.#trace.add(this.#now, text)
  }

  after(delayMs: number, label: string, owner: Owner | null, run: () => void): Timer {
    const step: Step = { at: this.#now + Math.max(0, delayMs), order: this.#planned++, label, owner, run }
    this.#push(step)
    return {
      cancel: () => {
        step.run = null
      },
    }
  }

  /** Runs all steps up to a time, and `check` after each; stops early where `check` says so. */
  async runUntil(end: number, check: () => boolean): Promise<void> {
    await settled()
    for (let step = this.#heap[0]; step !== undefined && step.at <= end; step = this.#heap[0]) {
      this.#pop()
      if (step.run === null || step.owner?.alive === false) continue
      if ((step.owner?.wakesAt ?? 0) > step.at) {
        step.at = step.owner?.wakesAt as number
        this.#push(step)
        continue
      }
      this.#now = step.at
      this.#steps += 1
      this.note(step.label)
      step.run()
      await settled()
      if (check()) return
    }
    this.#now = Math.max(this.#now, end)
  }

  #push(step: Step): void {
    const heap = this.#heap
    let i = heap.push(step) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(step, heap[parent] as Step)) break
      heap[i] = heap[parent] as Step
      i = parent
    }
    heap[i] = step
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Step
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && before(right, heap[child] as Step)) child += 1
      if (!before(heap[child] as Step, last)) break
      heap[i] = heap[child] as Step
      i = child
    }
    heap[i] = last
  }
}

function before(a: Step, b: Step): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function settled(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve))
}
