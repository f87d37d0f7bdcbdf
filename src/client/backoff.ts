export interface BackoffOptions {
  /** The longest first delay. */
  readonly baseMs: number
  /** The longest delay of all. */
  readonly maxMs: number
}

const MAX_DOUBLINGS = 30

/**
 * Delays that double up to a bound, each between half and the whole of it, so that many clients do not come at once.
 */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: () => number
  #attempts = 0

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options
    this.#random = random
  }

  /** Since the last reset. */
  get attempts(): number {
    return this.#attempts
  }

  nextMs(): number {
    const { baseMs, maxMs } = this.#options
    const bound = Math.min(maxMs, baseMs * 2 ** Math.min(this.#attempts, MAX_DOUBLINGS))
    this.#attempts += 1
    return bound * (0.5 + this.#random() / 2)
  }

  reset(): void {
    this.#attempts = 0
  }
}
