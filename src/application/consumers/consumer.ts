/** Room `consumers`: computes results from auctions' events, each event once, and can rebuild them at any time. */

import type { AuctionLogs } from '../../ports/store/auction-logs.js'
import type { ConsumerStatus, StoppedAuction } from '../../ports/store/consumer-status.js'
import {
  type Claim,
  ClaimLostError,
  type ConsumerStore,
  type Misfit,
  type Projection,
} from '../../ports/store/consumer-store.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import type { Timers } from '../../ports/system/timers.js'
import { type BuildProgress, Generations } from './generations.js'
import type { LogReader } from './log-reader.js'
import { pause } from './pause.js'

export interface ConsumerDeps<Change> {
  readonly logs: AuctionLogs
  readonly store: ConsumerStore<Change>
  readonly projection: Projection<Change>
  readonly verifier: SignatureVerifier
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

export interface ConsumerOptions {
  /** The name of this instance, for people. */
  readonly holder: string
  /** Events that come within this time are processed together. */
  readonly gatherMs?: number
  /** Events in one step. */
  readonly stepEvents?: number
  /** An instance whose counter has not moved for this long is taken for dead. */
  readonly silentMs?: number
}

const GATHER_MS = 50
const STEP_EVENTS = 1_000
const SILENT_MS = 5_000
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 30_000
const MAX_SHOWN = 100

/**
 * Keeps a projection of all auctions' events up to date: first from the events that the logs hold, then from new ones.
 * One transaction stores an auction's cursor and the results of its events. So the process may be killed at any moment:
 * no event is lost or counted twice. One instance works at a time; others wait. Alternatives were a global position,
 * which means nothing on another node, and a list of processed event ids, which grows without end.
 */
export class Consumer<Change> {
  readonly #deps: ConsumerDeps<Change>
  readonly #gatherMs: number
  readonly #generations: Generations<Change>
  readonly #stopping = new AbortController()
  #running: Promise<void> | null = null
  #state: ConsumerStatus['state'] = 'stopped'
  #generation: number | null = null
  #heldBy: string | null = null
  #error: string | null = null
  readonly #stopped = new Map<string, StoppedAuction>()
  #done = 0
  #total = 0
  #behind = 0
  #waitingSince: number | null = null

  constructor(deps: ConsumerDeps<Change>, options: ConsumerOptions) {
    this.#deps = deps
    this.#gatherMs = options.gatherMs ?? GATHER_MS
    this.#generations = new Generations(deps, {
      holder: options.holder,
      silentMs: options.silentMs ?? SILENT_MS,
      stepEvents: options.stepEvents ?? STEP_EVENTS,
      onHeld: (holder) => this.#waitFor(holder),
    })
  }

  status(): ConsumerStatus {
    return {
      name: this.#deps.projection.name,
      state: this.#state,
      generation: this.#generation,
      heldBy: this.#heldBy,
      done: this.#done,
      total: this.#total,
      behind: this.#behind,
      lagMs: this.#waitingSince === null ? 0 : this.#deps.clock.monotonicMs() - this.#waitingSince,
      error: this.#error,
      stopped: [...this.#stopped.values()].slice(0, MAX_SHOWN),
    }
  }

  /** Works until `stop`; errors show in the status. */
  start(): void {
    this.#running ??= this.#run(this.#stopping.signal)
  }

  /** Finishes the step under way, and releases the generation. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /**
   * Processes what the logs hold now, and then returns. Rejects if that is not possible. Use it to know when the work
   * is done: `start` does the same, and goes on.
   */
  async catchUp(signal: AbortSignal = this.#stopping.signal): Promise<void> {
    await this.#withLive(signal, async (claim) => {
      await this.#compareAll(this.#readerFor(claim), signal)
      await this.#generations.sweep(signal)
    })
  }

  /**
   * Rebuilds the projection beside the live one, from the first event of each auction on, and then replaces the live
   * one. Continues an earlier attempt that was interrupted. Rejects if it cannot finish; the live one then stays.
   */
  async rebuild(
    onProgress: (progress: BuildProgress) => void = () => {},
    signal: AbortSignal = this.#stopping.signal,
  ): Promise<void> {
    await this.#deps.store.open()
    await this.#generations.rebuild(onProgress, signal)
  }

  async #run(signal: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      try {
        await this.#withLive(signal, async (claim) => {
          retryMs = FIRST_RETRY_MS
          await this.#follow(claim, signal)
        })
      } catch (error) {
        if (signal.aborted) break
        if (error instanceof ClaimLostError) continue
        this.#fail(error, retryMs)
        await pause(this.#deps.timers, retryMs, signal)
        retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)
      }
    }
    this.#state = 'stopped'
  }

  async #withLive(signal: AbortSignal, work: (claim: Claim) => Promise<void>): Promise<void> {
    await this.#deps.store.open()
    const live = await this.#generations.live(({ done, total }) => {
      this.#state = 'catching-up'
      this.#done = done
      this.#total = total
    }, signal)
    await this.#generations.hold(live, signal, (claim) => {
      this.#generation = live
      this.#heldBy = null
      return work(claim)
    })
  }

  async #follow(claim: Claim, signal: AbortSignal): Promise<void> {
    const { logs, timers } = this.#deps
    const wanted = new Set<string>()
    const inner = new AbortController()
    const ended = AbortSignal.any([signal, inner.signal, this.#generations.lost(claim)])
    let wake = () => {}
    const grown = (auctionId: string, events: number) => {
      if (wanted.size === 0) this.#waitingSince ??= this.#deps.clock.monotonicMs()
      wanted.add(auctionId)
      this.#behind += events
      wake()
    }
    try {
      await logs.follow({ grown, lost: (error) => inner.abort(error) }, ended)
      const reader = this.#readerFor(claim)
      await this.#compareAll(reader, ended)
      await this.#generations.sweep(ended)
      while (!ended.aborted) {
        if (wanted.size === 0) {
          this.#behind = 0
          this.#waitingSince = null
          await new Promise<void>((resolve) => {
            wake = resolve
            ended.addEventListener('abort', () => resolve(), { once: true })
          })
          await pause(timers, this.#gatherMs, ended)
        }
        const auctions = [...wanted]
        wanted.clear()
        await reader.read(auctions, ended)
      }
      if (!signal.aborted) throw ended.reason
    } finally {
      inner.abort()
    }
  }

  async #compareAll(reader: LogReader<Change>, signal: AbortSignal): Promise<void> {
    this.#state = 'catching-up'
    this.#done = 0
    this.#total = 0
    const found = (events: number) => {
      this.#total += events
      this.#behind += events
    }
    await reader.compareAll(found, signal)
    if (signal.aborted) return
    this.#state = 'following'
    this.#error = null
  }

  #readerFor(claim: Claim): LogReader<Change> {
    this.#stopped.clear()
    return this.#generations.reader(claim, {
      onEvents: (events) => {
        this.#done += events
        this.#behind = Math.max(0, this.#behind - events)
      },
      onMisfit: (auctionId, misfit) => this.#showMisfit(auctionId, misfit),
    })
  }

  #waitFor(holder: string): void {
    if (this.#heldBy === holder) return
    this.#heldBy = holder
    this.#state = 'waiting'
    const { logger, projection } = this.#deps
    logger.info({ consumer: projection.name, holder }, 'another instance is at work; this one waits')
  }

  #fail(error: unknown, retryMs: number): void {
    this.#state = 'failing'
    this.#error = error instanceof Error ? error.message : String(error)
    this.#deps.logger.warn(
      { consumer: this.#deps.projection.name, err: error, retryMs },
      'consuming failed; will retry',
    )
  }

  #showMisfit(auctionId: string, misfit: Misfit | null): void {
    if (misfit === null) {
      this.#stopped.delete(auctionId)
      return
    }
    const { rule, isSigned, commit } = misfit
    const about = { auctionId, seq: commit.firstSeq, rule, isSigned }
    this.#stopped.set(auctionId, about)
    const { logger, projection } = this.#deps
    logger.error({ consumer: projection.name, ...about }, 'an auction is stopped: a commit does not fit')
  }
}
