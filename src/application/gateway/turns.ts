import type { Clock } from '../../ports/system/clock.js'
import type { GatewayMetrics } from './gateway-metrics.js'

/**
 * Bids that arrive over many sockets in one turn of the event loop go to the node together at its end: there they share
 * a signature, a commit and a disk sync, instead of one each.
 */
export class Turns {
  readonly #deps: { readonly clock: Clock; readonly metrics: Pick<GatewayMetrics, 'turn'> }
  #end: Promise<void> | null = null
  #waiting = 0

  constructor(deps: { clock: Clock; metrics: Pick<GatewayMetrics, 'turn'> }) {
    this.#deps = deps
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Resolves at the end of this turn, for all who asked in it at once. */
  end(): Promise<void> {
    this.#waiting += 1
    this.#end ??= this.#begin()
    return this.#end
  }

  #begin(): Promise<void> {
    const { clock, metrics } = this.#deps
    const startedMs = clock.monotonicMs()
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#end = null
        this.#waiting = 0
        metrics.turn.observe((clock.monotonicMs() - startedMs) / 1_000)
        resolve()
      })
    })
  }
}
