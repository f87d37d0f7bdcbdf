import { createHash } from 'node:crypto'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Rate } from './limit-rules.js'

/** Counters that the keys beyond the bound share. */
const SHARED_COUNTERS = 256

/** What a key takes from its counter at a time, where there is so much: what follows is counted without waiting. */
const LEASED = 32

interface Lease {
  left: number
  /** The end of the counter's window. */
  readonly until: number
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number }

const OK: Verdict = { ok: true }

/**
 * One rate, counted for each key in windows that start with a key's first use. Memory is bounded, and in the direction
 * that does not help attackers: a flood of new keys evicts nobody's counter; what comes beyond the bound shares a few
 * counters until the windows of the others are over.
 */
export class BoundedRateLimiter {
  readonly #limiter: RateLimiterMemory
  /** Keys with the end of their window. All windows are equally long, so the oldest end first. */
  readonly #keys = new Map<string, number>()
  /** By counter: what has been taken from it and is not spent yet. */
  readonly #leases = new Map<string, Lease>()
  readonly #leasing = new Map<string, Promise<Verdict>>()

  constructor(
    readonly rate: Rate,
    private readonly maxKeys: number,
  ) {
    this.#limiter = new RateLimiterMemory({ points: rate.count, duration: rate.seconds })
  }

  /**
   * Counts one, and says whether it is within the rate; at once for most. What is not does not make the wait longer.
   */
  take(key: string): Verdict | Promise<Verdict> {
    const counter = this.#counterOf(key)
    return this.#spend(counter) ?? this.#lease(counter)
  }

  #spend(counter: string): Verdict | null {
    const lease = this.#leases.get(counter)
    if (lease === undefined || lease.left === 0 || lease.until <= Date.now()) return null
    lease.left -= 1
    return OK
  }

  /** One asks the counter; who comes meanwhile waits for the answer. */
  async #lease(counter: string): Promise<Verdict> {
    for (;;) {
      const running = this.#leasing.get(counter)
      if (running === undefined) break
      const verdict = await running
      if (!verdict.ok) return verdict
      const spent = this.#spend(counter)
      if (spent !== null) return spent
    }
    const leasing = this.#ask(counter).finally(() => this.#leasing.delete(counter))
    this.#leasing.set(counter, leasing)
    return leasing
  }

  async #ask(counter: string): Promise<Verdict> {
    const standing = await this.#limiter.get(counter)
    const left = this.rate.count - (standing?.consumedPoints ?? 0)
    // More than the rate is not counted on: a client that keeps asking would otherwise count without bound.
    if (standing && left <= 0 && standing.msBeforeNext > 0)
      return { ok: false, retryAfterMs: standing.msBeforeNext }
    const points = Math.max(1, Math.min(LEASED, left))
    try {
      const { msBeforeNext } = await this.#limiter.consume(counter, points)
      this.#leases.set(counter, { left: points - 1, until: Date.now() + msBeforeNext })
      return OK
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return { ok: false, retryAfterMs: refusal.msBeforeNext }
      throw refusal
    }
  }

  /** Takes back one that was counted. */
  async giveBack(key: string): Promise<void> {
    const counter = this.#counterOf(key)
    const lease = this.#leases.get(counter)
    if (lease !== undefined && lease.until > Date.now()) {
      lease.left += 1
      return
    }
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
      this.#leases.delete(`own ${oldest}`)
    }
    if (this.#keys.has(key)) return `own ${key}`
    if (this.#keys.size < this.maxKeys) {
      this.#keys.set(key, now + this.rate.seconds * 1_000)
      return `own ${key}`
    }
    return `shared ${createHash('sha256').update(key).digest().readUInt16BE(0) % SHARED_COUNTERS}`
  }
}
