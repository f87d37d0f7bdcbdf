import { createHash } from 'node:crypto'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Rate } from '../system/limit-rules.js'

/** Counters that the keys beyond the bound share. */
const SHARED_COUNTERS = 256

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number }

/**
 * One rate, counted for each key in windows that start with a key's first use. Memory is bounded, and in the direction
 * that does not help attackers: a flood of new keys evicts nobody's counter; what comes beyond the bound shares a few
 * counters until the windows of the others are over.
 */
export class BoundedRateLimiter {
  readonly #limiter: RateLimiterMemory
  /** Keys with the end of their window. All windows are equally long, so the oldest end first. */
  readonly #keys = new Map<string, number>()

  constructor(
    readonly rate: Rate,
    private readonly maxKeys: number,
  ) {
    this.#limiter = new RateLimiterMemory({ points: rate.count, duration: rate.seconds })
  }

  /** Counts one, and says whether it is within the rate. What is not does not make the wait longer. */
  async take(key: string): Promise<Verdict> {
    const counter = this.#counterOf(key)
    // More than the rate is not counted on: a client that keeps asking would otherwise count without bound.
    const standing = await this.#limiter.get(counter)
    if (standing && standing.consumedPoints >= this.rate.count && standing.msBeforeNext > 0)
      return { ok: false, retryAfterMs: standing.msBeforeNext }
    try {
      await this.#limiter.consume(counter)
      return { ok: true }
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return { ok: false, retryAfterMs: refusal.msBeforeNext }
      throw refusal
    }
  }

  /** Takes back one that was counted. */
  async giveBack(key: string): Promise<void> {
    const counter = this.#counterOf(key)
    const standing = await this.#limiter.get(counter)
    if (standing && standing.consumedPoints > 0) await this.#limiter.reward(counter)
  }

  /** Keys that are kept apart now. */
  get size(): number {
    return this.#keys.size
  }

  #counterOf(key: string): string {
    const now = Date.now()
    for (const [oldest, end] of this.#keys) {
      if (end > now) break
      this.#keys.delete(oldest)
    }
    if (this.#keys.has(key)) return `own ${key}`
    if (this.#keys.size < this.maxKeys) {
      this.#keys.set(key, now + this.rate.seconds * 1_000)
      return `own ${key}`
    }
    return `shared ${createHash('sha256').update(key).digest().readUInt16BE(0) % SHARED_COUNTERS}`
  }
}
