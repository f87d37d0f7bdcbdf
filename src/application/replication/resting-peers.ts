import type { Clock } from '../../ports/system/clock.js'

/** Entries kept; beyond this, the oldest are forgotten. */
const MAX_RESTING = 10_000
/** After this time without a new offence, old ones do not count any more. */
const FORGIVEN_AFTER_MS = 600_000

interface Rest {
  times: number
  until: number
}

/** Peers that are not to be asked for a while, each time for twice as long. */
export class RestingPeers {
  readonly #clock: Clock
  readonly #firstMs: number
  readonly #maxMs: number
  readonly #rests = new Map<string, Rest>()

  constructor(deps: { clock: Clock }, { firstMs, maxMs }: { firstMs: number; maxMs: number }) {
    this.#clock = deps.clock
    this.#firstMs = firstMs
    this.#maxMs = maxMs
  }

  has(key: string): boolean {
    return this.left(key) > 0
  }

  /** How long the peer still rests, in milliseconds. */
  left(key: string): number {
    const rest = this.#rests.get(key)
    return rest === undefined ? 0 : Math.max(0, rest.until - this.#clock.monotonicMs())
  }

  /** Returns how long the peer rests, in milliseconds. */
  add(key: string): number {
    const now = this.#clock.monotonicMs()
    const before = this.#rests.get(key)
    const times = before !== undefined && now < before.until + FORGIVEN_AFTER_MS ? before.times + 1 : 1
    const restMs = Math.min(this.#maxMs, this.#firstMs * 2 ** (times - 1))
    this.#rests.delete(key)
    if (this.#rests.size >= MAX_RESTING) {
      const oldest = this.#rests.keys().next()
      if (!oldest.done) this.#rests.delete(oldest.value)
    }
    this.#rests.set(key, { times, until: now + restMs })
    return restMs
  }

  delete(key: string): void {
    this.#rests.delete(key)
  }
}
