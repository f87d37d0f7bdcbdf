import type { Clock } from '../../ports/system/clock.js'
import type { Timer, Timers } from '../../ports/system/timers.js'

const RETRY_MS = 1_000
/** A clock that was set forward, or a machine that slept, is noticed within this time. */
const MAX_SLEEP_MS = 15_000
/** Repeated failures are retried, and logged, less and less often. */
const MAX_RETRY_MS = MAX_SLEEP_MS

/** Calls back for each auction when its time has come, once per time set. */
export class DueTimes {
  readonly #deps: { clock: Clock; timers: Timers }
  readonly #callback: (auctionId: string) => void
  readonly #timers = new Map<string, { dueAt: number; timer: Timer }>()
  /** How often in a row a retry was asked for. */
  readonly #retries = new Map<string, number>()

  constructor(deps: { clock: Clock; timers: Timers }, callback: (auctionId: string) => void) {
    this.#deps = deps
    this.#callback = callback
  }

  /** Replaces the auction's time; null removes it. A time that has passed is due at once. */
  set(auctionId: string, dueAt: number | null): void {
    const current = this.#timers.get(auctionId)
    if (current?.dueAt === dueAt) return
    current?.timer.cancel()
    this.#retries.delete(auctionId)
    if (dueAt === null) this.#timers.delete(auctionId)
    else this.#arm(auctionId, dueAt, dueAt - this.#deps.clock.now())
  }

  /** Calls back again after a second, or after up to 15 if that has been asked for repeatedly. */
  retry(auctionId: string): void {
    const current = this.#timers.get(auctionId)
    if (!current) return
    const retries = this.#retries.get(auctionId) ?? 0
    this.#retries.set(auctionId, retries + 1)
    this.#arm(auctionId, current.dueAt, Math.min(RETRY_MS * 2 ** retries, MAX_RETRY_MS))
  }

  /** How many of the times that are set will have come by then. */
  dueBy(now: number): number {
    let count = 0
    for (const { dueAt } of this.#timers.values()) if (dueAt <= now) count++
    return count
  }

  clear(): void {
    for (const { timer } of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.#retries.clear()
  }

  #arm(auctionId: string, dueAt: number, delayMs: number): void {
    const sleepMs = Math.min(Math.max(0, delayMs), MAX_SLEEP_MS)
    const timer = this.#deps.timers.after(sleepMs, () => this.#fire(auctionId, dueAt))
    this.#timers.set(auctionId, { dueAt, timer })
  }

  #fire(auctionId: string, dueAt: number): void {
    // Timers count elapsed time, the end is on the clock, which may have been set.
    const leftMs = dueAt - this.#deps.clock.now()
    if (leftMs > 0) this.#arm(auctionId, dueAt, leftMs)
    else this.#callback(auctionId)
  }
}
