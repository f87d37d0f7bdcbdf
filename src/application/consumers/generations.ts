import { type Claim, ConsumerStoreError, type Projection } from '../../ports/store/consumer-store.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timers } from '../../ports/system/timers.js'
import { ClaimTaker, type ClaimTakerOptions } from './claim-taker.js'
import { LogReader, type LogReaderDeps, type LogReaderOptions } from './log-reader.js'
import { pause } from './pause.js'

export interface GenerationsDeps<Change> extends LogReaderDeps<Change> {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

export type GenerationsOptions = ClaimTakerOptions & Pick<LogReaderOptions, 'stepEvents'>

export interface BuildProgress {
  readonly done: number
  readonly total: number
}

const SWEPT_AT_ONCE = 2_000

/** The generations of a projection: the live one, the one that is being built, and those that are being removed. */
export class Generations<Change> {
  readonly #deps: GenerationsDeps<Change>
  readonly #options: GenerationsOptions
  readonly #claims: ClaimTaker

  constructor(deps: GenerationsDeps<Change>, options: GenerationsOptions) {
    this.#deps = deps
    this.#options = options
    this.#claims = new ClaimTaker(deps, options)
  }

  /**
   * The number of the generation that queries read. If there is none, it is built; if an older version of the
   * projection has built it, it is rebuilt.
   */
  async live(onProgress: (progress: BuildProgress) => void, signal: AbortSignal): Promise<number> {
    const { store, projection, logger } = this.#deps
    for (;;) {
      const live = (await store.generations()).find(({ state }) => state === 'live')
      if (live?.version === projection.version) return live.number
      if (live === undefined) await store.begin(projection.version)
      else {
        if (live.version > projection.version) throw newerVersion(live.version, projection)
        logger.info({ consumer: projection.name, from: live.version, to: projection.version }, 'making rows anew')
        await this.rebuild(onProgress, signal)
      }
      signal.throwIfAborted()
    }
  }

  /** See `ClaimTaker`. */
  hold(generation: number, signal: AbortSignal, work: (claim: Claim) => Promise<void>): Promise<void> {
    return this.#claims.hold(generation, signal, work)
  }

  lost(claim: Claim): AbortSignal {
    return this.#claims.lost(claim)
  }

  reader(claim: Claim, hear: Pick<LogReaderOptions, 'onEvents' | 'onMisfit'>): LogReader<Change> {
    return new LogReader(this.#deps, { claim, stepEvents: this.#options.stepEvents, ...hear })
  }

  /** See `Consumer.rebuild`. */
  async rebuild(onProgress: (progress: BuildProgress) => void, signal: AbortSignal): Promise<void> {
    const { store, projection } = this.#deps
    const building = (await store.generations()).filter(({ state }) => state === 'building')
    for (const { version, number } of building) if (version !== projection.version) await store.abandon(number)
    const kept = building.find(({ version }) => version === projection.version)
    await this.hold(kept?.number ?? (await store.begin(projection.version)), signal, async (claim) => {
      const progress = { done: 0, total: 0 }
      const reader = this.reader(claim, {
        onEvents: (events) => {
          progress.done += events
          onProgress({ ...progress })
        },
        // What is stopped here is stopped again, and shown, by whoever goes on with these rows.
        onMisfit: () => {},
      })
      const found = (events: number) => {
        progress.total += events
      }
      await reader.compareAll(found, signal)
      // Also reads events that came meanwhile, so that queries do not go back in time for longer than necessary.
      await reader.compareAll(found, signal)
      signal.throwIfAborted()
      await store.swap(claim)
    })
    await this.sweep(signal)
  }

  /** Removes the rows of retired generations, a few at a time. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { store, timers } = this.#deps
    for (const { number, state } of await store.generations())
      if (state === 'retired')
        while (!signal.aborted && (await store.sweep(number, SWEPT_AT_ONCE))) await pause(timers, 0, signal)
  }
}

/** Otherwise an old instance and a new one would take turns in rebuilding the rows. */
function newerVersion(found: number, { name, version }: Pick<Projection<unknown>, 'name' | 'version'>) {
  return new ConsumerStoreError(
    'STATS_DB_VERSION',
    `the rows of ${name} were made by a newer Vendue (version ${found}, this one makes ${version}); update Vendue, or name another database`,
  )
}
