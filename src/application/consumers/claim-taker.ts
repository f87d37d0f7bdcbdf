import { type Claim, ClaimLostError, type ConsumerStore, type Generation } from '../../ports/store/consumer-store.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Timers } from '../../ports/system/timers.js'
import { pause } from './pause.js'

export interface ClaimTakerDeps {
  readonly store: Pick<ConsumerStore<never>, 'generations' | 'claim' | 'beat' | 'release'>
  readonly clock: Clock
  readonly timers: Timers
}

export interface ClaimTakerOptions {
  readonly holder: string
  /** A holder whose counter has not moved for this long is taken for dead. */
  readonly silentMs: number
  readonly onHeld: (holder: string) => void
}

const BEATS_BEFORE_SILENCE = 5

/**
 * Ensures that one instance at a time works on a generation. A waiting instance watches whether the holder's counter
 * still moves, so no two clocks are compared. If a holder that was taken for dead is alive, the store refuses its
 * steps.
 */
export class ClaimTaker {
  readonly #deps: ClaimTakerDeps
  readonly #options: ClaimTakerOptions
  readonly #lost = new WeakMap<Claim, AbortController>()

  constructor(deps: ClaimTakerDeps, options: ClaimTakerOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Calls `work` as the only holder of a generation, once it is free. Does nothing if it is retired, or on abort. */
  async hold(generation: number, signal: AbortSignal, work: (claim: Claim) => Promise<void>): Promise<void> {
    const claim = await this.#take(generation, signal)
    if (claim === null) return
    const lost = new AbortController()
    this.#lost.set(claim, lost)
    const beating = new AbortController()
    const beats = this.#beat(claim, lost, beating.signal)
    try {
      await work(claim)
    } finally {
      beating.abort()
      await beats
      await this.#deps.store.release(claim).catch(() => {})
    }
  }

  get #beatMs(): number {
    return this.#options.silentMs / BEATS_BEFORE_SILENCE
  }

  /** Aborts with a `ClaimLostError` if another instance has claimed it. */
  lost(claim: Claim): AbortSignal {
    return (this.#lost.get(claim) as AbortController).signal
  }

  async #take(number: number, signal: AbortSignal): Promise<Claim | null> {
    const { store, clock, timers } = this.#deps
    let seen: { readonly generation: Generation; readonly at: number } | null = null
    while (!signal.aborted) {
      const generation = (await store.generations()).find((one) => one.number === number)
      if (generation === undefined || generation.state === 'retired') return null
      const { holder, beat } = generation
      if (seen === null || seen.generation.beat !== beat || seen.generation.holder !== holder)
        seen = { generation, at: clock.monotonicMs() }
      if (holder === null || clock.monotonicMs() - seen.at >= this.#options.silentMs) {
        const claim = await store.claim(generation, this.#options.holder)
        if (claim !== null) return claim
      } else {
        this.#options.onHeld(holder)
        await pause(timers, this.#beatMs, signal)
      }
    }
    return null
  }

  async #beat(claim: Claim, lost: AbortController, signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(this.#deps.timers, this.#beatMs, signal)
      if (signal.aborted) return
      try {
        await this.#deps.store.beat(claim)
      } catch (error) {
        // Any other error appears at the next step, or passes.
        if (error instanceof ClaimLostError) return lost.abort(error)
      }
    }
  }
}
