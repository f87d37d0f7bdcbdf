import type { TimeSource } from './time-source.js'

interface Sample {
  readonly offsetMs: number
  readonly roundTripMs: number
}

/** Older round trips are forgotten, so that a drift of the clocks is noticed. */
const MAX_SAMPLES = 8
/** By how much two clocks may drift apart over the samples that are kept. */
const DRIFT_MS = 50

/**
 * The gateway's clock. Each round trip gives its time halfway, give or take half the trip: the shortest of the
 * last ones is used. It counts on the monotonic clock, so that setting the machine's clock has no effect.
 * That clock may stand still while the machine sleeps: samples that the newest one contradicts are forgotten.
 */
export class ServerClock {
  readonly #time: TimeSource
  #samples: Sample[] = []

  constructor({ time }: { time: TimeSource }) {
    this.#time = time
  }

  /** A question asked at `sentMs`, answered at `heardMs` (both monotonic) with the server's time. */
  note(sentMs: number, serverTime: number, heardMs: number): void {
    if (!Number.isFinite(serverTime) || heardMs < sentMs) return
    const newest = { offsetMs: serverTime - (sentMs + heardMs) / 2, roundTripMs: heardMs - sentMs }
    const agreeing = this.#samples.filter((sample) => agree(sample, newest))
    this.#samples = [...agreeing.slice(1 - MAX_SAMPLES), newest]
  }

  /** Another gateway's clock is another clock. */
  reset(): void {
    this.#samples = []
  }

  /** UTC milliseconds by the gateway's clock; by the machine's clock until a gateway has answered. */
  now(): number {
    const best = this.#best()
    return best ? this.#time.monotonicMs() + best.offsetMs : this.#time.now()
  }

  /** How far `now` may be off; null: no gateway has answered. */
  get uncertaintyMs(): number | null {
    const best = this.#best()
    return best ? best.roundTripMs / 2 : null
  }

  /** Until a time (RFC 3339), such as `closes_at`; never negative. Null where there is none. */
  remainingMs(time: string | null): number | null {
    return time === null ? null : Math.max(0, Date.parse(time) - this.now())
  }

  #best(): Sample | undefined {
    return this.#samples.reduce<Sample | undefined>(
      (best, sample) => (best && best.roundTripMs <= sample.roundTripMs ? best : sample),
      undefined,
    )
  }
}

/** Each is off by half its round trip at most: both can be true of clocks that ran on. */
function agree(a: Sample, b: Sample): boolean {
  return Math.abs(a.offsetMs - b.offsetMs) <= (a.roundTripMs + b.roundTripMs) / 2 + DRIFT_MS
}
