import type { Clock } from '../../ports/system/clock.js'
import type { GatewayMetrics } from './gateway-metrics.js'

/**
 * Bids that arrive over many sockets in one turn of the event loop go to the node together at its end, in the order in
 * which they came: there they share a signature, a commit and a disk sync, instead of one each.
 */
export class Turns {
  readonly #deps: { readonly clock: Clock; readonly metrics: Pick<GatewayMetrics, 'turn'> }
  #calls: (() => void)[] = []

  constructor(deps: { clock: Clock; metrics: Pick<GatewayMetrics, 'turn'> }) {
    this.#deps = deps
  }

  get waiting(): number {
    return this.#calls.length
  }

  /** Calls it at the end of this turn, after all that were given before. Resolves as the call does. */
  atEnd<T>(call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#calls.push(() => call().then(resolve, reject)) === 1) this.#begin()
    })
  }

  #begin(): void {
    const { clock, metrics } = this.#deps
    const startedMs = clock.monotonicMs()
    setImmediate(() => {
      const calls = this.#calls
      this.#calls = []
      metrics.turn.observe((clock.monotonicMs() - startedMs) / 1_000)
      for (const call of calls) call()
    })
  }
}
