import type { SyncStatus } from '../../ports/node/node-status.js'
import type { Clock } from '../../ports/system/clock.js'

/** The rate is that of the last few seconds. */
const RATE_WINDOW_MS = 3_000
const SAMPLE_MS = 100

/** How far a sync has come, from the pages that are reported to it. */
export class SyncProgress {
  readonly #clock: Clock
  #state: SyncStatus['state'] = 'alone'
  #since: number
  #done = 0
  #samples: { at: number; done: number }[] = []

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock
    this.#since = deps.clock.now()
  }

  get state(): SyncStatus['state'] {
    return this.#state
  }

  become(state: SyncStatus['state']): void {
    if (state === this.#state) return
    this.#state = state
    this.#since = this.#clock.now()
    if (state !== 'syncing') return
    this.#done = 0
    this.#samples = []
  }

  stored(events: number): void {
    this.#done += events
    const at = this.#clock.monotonicMs()
    const last = this.#samples.at(-1)
    if (last && at - last.at < SAMPLE_MS) return
    this.#samples.push({ at, done: this.#done })
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > RATE_WINDOW_MS) this.#samples.shift()
  }

  /** `left`: events known to be missing. */
  status(left: number, refused: number): Omit<SyncStatus, 'refusedAuctions' | 'doubtedAuctions'> {
    const first = this.#samples[0]
    const seconds = first ? (this.#clock.monotonicMs() - first.at) / 1_000 : 0
    const isRunning = this.#state === 'syncing' && first !== undefined && seconds > 0
    const eventsPerSecond = isRunning ? Math.round((this.#done - first.done) / seconds) : 0
    return {
      state: this.#state,
      since: this.#since,
      done: this.#done,
      total: this.#done + left,
      eventsPerSecond,
      msLeft: eventsPerSecond > 0 ? Math.round((left / eventsPerSecond) * 1_000) : null,
      refused,
    }
  }
}
