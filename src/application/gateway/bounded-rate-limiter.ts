import { createHash } from 'node:crypto'
import type { Rate } from './limit-rules.js'

/** The counters that keys beyond the bound share. */
const SHARED_COUNTERS = 256

interface Window {
  used: number
  /** Monotonic, milliseconds. */
  readonly endMs: number
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number }

const OK: Verdict = { ok: true }

/**
 * One rate, counted for each key in windows that start with a key's first use. It answers at once: whoever had to wait
 * for a verdict could be overtaken by what comes after. Memory is bounded, and in the direction
 * that does not help attackers: a flood of new keys evicts nobody's counter; what comes beyond the bound shares a few
 * counters until the windows of the others are over.
 */
export class BoundedRateLimiter {
  /** All windows are equally long, so the oldest end first. */
  readonly #windows = new Map<string, Window>()
  readonly #shared = new Map<number, Window>()

  constructor(
    readonly rate: Rate,
    private readonly maxKeys: number,
  ) {}

  /**
   * Counts so many, and says whether they are within the rate: all of them, or none is counted. More than the rate
   * holds costs all that it holds. What is refused does not make the wait longer.
   */
  take(key: string, count = 1): Verdict {
    const nowMs = performance.now()
    const window = this.#window(key, nowMs)
    const used = window.used + Math.min(count, this.rate.count)
    if (used > this.rate.count) return { ok: false, retryAfterMs: Math.ceil(window.endMs - nowMs) }
    window.used = used
    return OK
  }

  /** Gives one back that was counted. */
  giveBack(key: string): void {
    const window = this.#window(key, performance.now())
    window.used = Math.max(0, window.used - 1)
  }

  /** How many keys have a counter of their own now. */
  get size(): number {
    return this.#windows.size
  }

  #window(key: string, nowMs: number): Window {
    const known = this.#windows.get(key)
    if (known !== undefined && known.endMs > nowMs) return known
    this.#forgetOld(nowMs)
    const window = { used: 0, endMs: nowMs + this.rate.seconds * 1_000 }
    if (this.#windows.size < this.maxKeys) {
      this.#windows.set(key, window)
      return window
    }
    const counter = createHash('sha256').update(key).digest().readUInt16BE(0) % SHARED_COUNTERS
    const shared = this.#shared.get(counter)
    if (shared !== undefined && shared.endMs > nowMs) return shared
    this.#shared.set(counter, window)
    return window
  }

  #forgetOld(nowMs: number): void {
    for (const [oldest, { endMs }] of this.#windows) {
      if (endMs > nowMs) return
      this.#windows.delete(oldest)
    }
  }
}
