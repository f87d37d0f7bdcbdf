/**
 * Room `cluster`: a node's part in a cluster: writing to the log that its nodes share, taking over the auctions of
 * nodes that have died, and putting back what the log has lost.
 *
 * Long because what waits, what was refused and what is unsure share one state.
 */

import type { OpenedAuction } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Head } from '../../domain/commit.js'
import type { Secrets } from '../../domain/pricing.js'
import type { AuctionRecord, AuctionRepository, SecretRepository } from '../../ports/store/auction-repository.js'
import { type Append, type EventLog, LogBusyError, SeqConflictError } from '../../ports/store/event-log.js'
import type { HandoverPage, HandoverParcel, HandoverRepository } from '../../ports/store/handover-repository.js'
import type { OutcomeRepository, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { type SharedAppendResult, type SharedLog, SharedLogError } from '../../ports/store/shared-log.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timers } from '../../ports/system/timers.js'
import { type HomeLog, LogAwayError, NotHomeError, OpenedBeforeError } from '../home/home-log.js'
import type { Outages } from '../home/outages.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import { gather } from '../turns/gather.js'
import type { ClusterMeasures } from './cluster-measures.js'
import type { OwnCopies } from './own-copies.js'
import { reached, type SharedAuctions } from './shared-auctions.js'

export interface ClusterLogDeps {
  readonly sharedLog: Pick<SharedLog, 'append' | 'record'>
  readonly sharedAuctions: SharedAuctions
  readonly ownCopies: OwnCopies
  /** The node's own. */
  readonly eventLog: PublishingEventLog
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly handovers: HandoverRepository
  readonly outcomes: OutcomeRepository
  readonly secrets: SecretRepository
  readonly measures: ClusterMeasures
  readonly outages: Pick<Outages, 'begun' | 'over'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly timers: Timers
  readonly logger: Logger
}

export interface ClusterLogOptions {
  readonly nodeId: string
  /** Whether the log of this node's cluster decides about the auction. */
  readonly isShared: (state: OpenedAuction) => boolean
}

/** In one statement. */
const MAX_BATCH_ENTRIES = 256
const MAX_BATCH_BYTES = 4 * 1024 * 1024
/** Statements under way at once. */
const MAX_FLYING = 2
const GATHER_TURNS = 3
/** Beyond this, callers get BUSY. */
const MAX_WAITING = 20_000
/** How long an append of which nobody knows whether it is stored is tried again before its callers are answered. */
const UNSURE_MS = 3_000
const RETRY_MS = 100
/** Auctions whose place is remembered. */
const MAX_REMEMBERED = 100_000

interface Waiting {
  readonly entry: Append
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * Where the homes of a node write in a cluster. What they append while statements are on their way goes as the next
 * one, for all auctions together. An append resolves once the shared log has committed it; the own store takes it
 * after that, and nobody waits for it. Everything that a home does goes through here: whoever loses a step to another
 * writer is no home any more.
 */
export class ClusterLog implements HomeLog, OutcomeRepository, SecretRepository, HandoverRepository {
  readonly #deps: ClusterLogDeps
  readonly #nodeId: string
  readonly #isShared: ClusterLogOptions['isShared']
  #waiting: Waiting[] = []
  #flying = 0
  #isScheduled = false
  /** What waits until it is known why the log refused what came before it. */
  readonly #conflicts = new Map<string, Waiting[]>()
  /** Why nothing more can be written before the auction has been loaded again. */
  readonly #refused = new Map<string, unknown>()
  /** Appends of which nobody knows whether they are stored: nothing else is written in their place. */
  readonly #unsure = new Map<string, Append[]>()
  /** Shared auctions of which the own store, with what is on its way there, holds all that lies beside the log. */
  readonly #taken = new Set<string>()
  /** Whether auctions are shared, as far as that has been looked up. */
  readonly #shared = new Map<string, boolean>()

  constructor(deps: ClusterLogDeps, options: ClusterLogOptions) {
    this.#deps = deps
    this.#nodeId = options.nodeId
    this.#isShared = options.isShared
    deps.eventLog.onPublished(({ commit: { auctionId }, state }) => {
      if (this.#shared.has(auctionId)) this.#shared.set(auctionId, this.#isShared(state))
      if (state.home.nodeId !== this.#nodeId) this.#taken.delete(auctionId)
    })
  }

  /** Appends that wait for the shared log, and those under way. */
  get waiting(): number {
    return this.#waiting.length
  }

  append(entry: Append): Promise<unknown> {
    const { auctionId, firstSeq } = entry.commit
    const isShared = firstSeq === 1 ? this.#isShared(entry.state) : this.#shared.get(auctionId)
    if (isShared === undefined)
      return this.#isSharedById(auctionId).then((found) => (found ? this.#share(entry) : this.#own(entry)))
    return isShared ? this.#share(entry) : this.#own(entry)
  }

  /** The auction of a home that shares its log with nobody. */
  #own(entry: Append): Promise<unknown> {
    return this.#deps.eventLog.append(entry)
  }

  #share(entry: Append): Promise<unknown> {
    const { auctionId } = entry.commit
    const refused = this.#refused.get(auctionId)
    if (refused !== undefined) return Promise.reject(refused)
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(new LogBusyError())
    try {
      this.#deps.ownCopies.demandRoom()
    } catch (error) {
      return Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      const waiting = { entry, resolve, reject }
      const behind = this.#conflicts.get(auctionId)
      if (behind !== undefined) behind.push(waiting)
      else {
        this.#waiting.push(waiting)
        this.#schedule()
      }
    })
  }

  onPublished(listener: Parameters<PublishingEventLog['onPublished']>[0]): () => void {
    return this.#deps.eventLog.onPublished(listener)
  }

  read(...of: Parameters<EventLog['read']>): ReturnType<EventLog['read']> {
    return this.#deps.eventLog.read(...of)
  }

  /** What is on its way to the own store counts as well. */
  async find(commandIds: readonly string[]): Promise<Map<string, RecordedOutcome>> {
    const { outcomes, ownCopies } = this.#deps
    const coming = ownCopies.outcomesAmong(commandIds)
    const found = await outcomes.find(commandIds)
    for (const [id, outcome] of coming) found.set(id, outcome)
    return found
  }

  /** Outcomes that come without a commit stand in the shared log too, where whoever takes over finds them. */
  async record(recorded: readonly RecordedOutcome[]): Promise<void> {
    const shared: RecordedOutcome[] = []
    for (const one of recorded) if (await this.#isSharedById(one.outcome.auctionId)) shared.push(one)
    if (shared.length > 0) {
      const refused = await this.#counted(() => reached(() => this.#deps.sharedLog.record(this.#nodeId, shared)))
      for (const auctionId of refused) this.#refuse(auctionId, new NotHomeError())
      if (refused.length > 0) throw new NotHomeError()
    }
    await this.#deps.outcomes.record(recorded)
  }

  secrets(auctionId: string): Promise<Secrets | null> {
    return this.#deps.secrets.secrets(auctionId)
  }

  async sealed(auctionId: string, limit: number): Promise<SealedMaximum[]> {
    await this.#deps.ownCopies.settled(auctionId)
    return this.#deps.secrets.sealed(auctionId, limit)
  }

  async page(auctionId: string, after: string | null, limit: number): Promise<HandoverPage> {
    if (after === null) await this.#deps.ownCopies.settled(auctionId)
    return this.#deps.handovers.page(auctionId, after, limit)
  }

  keep(auctionId: string, parcel: HandoverParcel): Promise<void> {
    return this.#deps.handovers.keep(auctionId, parcel)
  }

  /**
   * Finds out how the log stands before an auction is loaded. What an earlier load has tried to write, and what became
   * of it, is settled first.
   */
  async prepare(auctionId: string): Promise<void> {
    const { sharedAuctions } = this.#deps
    await this.#settle(auctionId)
    const record = await this.#counted(() => sharedAuctions.reconcile(auctionId))
    this.#refused.delete(auctionId)
    if (record === null || !this.#note(record) || record.state.home.nodeId !== this.#nodeId) return
    if (this.#taken.has(auctionId)) return
    await this.#counted(() => sharedAuctions.takeIn(auctionId))
    this.#take(auctionId)
  }

  #take(auctionId: string): void {
    // Taken in again with the next load.
    if (this.#taken.size >= MAX_REMEMBERED) this.#taken.clear()
    this.#taken.add(auctionId)
  }

  /** Appends once more what may have been stored, so that it is known. Rejects with `LogAwayError`. */
  async #settle(auctionId: string): Promise<void> {
    const entries = this.#unsure.get(auctionId)
    if (entries === undefined) return
    const results = await this.#counted(() => reached(() => this.#deps.sharedLog.append(entries)))
    if (this.#unsure.get(auctionId) !== entries) return
    this.#unsure.delete(auctionId)
    entries.forEach((entry, i) => {
      if (results[i]?.appended) this.#appended(entry)
    })
  }

  async #isSharedById(auctionId: string): Promise<boolean> {
    const known = this.#shared.get(auctionId)
    if (known !== undefined) return known
    const record = await this.#deps.auctions.find(auctionId)
    return record !== null && this.#note(record)
  }

  #note({ auctionId, state }: AuctionRecord): boolean {
    const isShared = this.#isShared(state)
    if (this.#shared.size >= MAX_REMEMBERED) this.#shared.clear()
    this.#shared.set(auctionId, isShared)
    return isShared
  }

  #schedule(): void {
    if (this.#isScheduled || this.#flying >= MAX_FLYING || this.#waiting.length === 0) return
    this.#isScheduled = true
    void gather(GATHER_TURNS).then(() => {
      this.#isScheduled = false
      void this.#send()
      this.#schedule()
    })
  }

  async #send(): Promise<void> {
    const batch = this.#nextBatch()
    if (batch.length === 0) return
    const { clock, measures } = this.#deps
    this.#flying += 1
    const startedMs = clock.monotonicMs()
    measures.entries.observe(batch.length)
    try {
      const results = await this.#stored(batch.map(({ entry }) => entry))
      measures.append.observe((clock.monotonicMs() - startedMs) / 1_000)
      batch.forEach((waiting, i) => {
        this.#answer(waiting, results[i] as SharedAppendResult)
      })
    } catch (error) {
      for (const { entry, reject } of batch) {
        this.#refuse(entry.commit.auctionId, error)
        reject(error)
      }
    } finally {
      this.#flying -= 1
      this.#schedule()
    }
  }

  #nextBatch(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const { entry } of this.#waiting) {
      if (count > 0 && (count >= MAX_BATCH_ENTRIES || bytes + entry.commit.body.length > MAX_BATCH_BYTES)) break
      count += 1
      bytes += entry.commit.body.length
    }
    return this.#waiting.splice(0, count)
  }

  /**
   * Rejects with `LogAwayError` where it is certain that nothing was stored. Where it is not, the same call is made
   * again: it says what became of the first one, and nothing else can take its place meanwhile.
   */
  async #stored(entries: readonly Append[]): Promise<readonly SharedAppendResult[]> {
    const { clock, sharedLog, timers } = this.#deps
    const startedMs = clock.monotonicMs()
    let isUnsure = false
    for (;;) {
      try {
        return await this.#counted(() => sharedLog.append(entries))
      } catch (error) {
        if (!(error instanceof SharedLogError)) throw error
        isUnsure ||= error.code === 'LOG_OUTCOME_UNKNOWN'
        if (!isUnsure) throw new LogAwayError(error)
        if (clock.monotonicMs() - startedMs >= UNSURE_MS) {
          this.#keepUnsure(entries)
          throw new SharedLogError('LOG_OUTCOME_UNKNOWN', error.message, { cause: error })
        }
        await new Promise<void>((resolve) => timers.after(RETRY_MS, resolve))
      }
    }
  }

  #keepUnsure(entries: readonly Append[]): void {
    for (const entry of entries) {
      const { auctionId } = entry.commit
      this.#unsure.set(auctionId, [...(this.#unsure.get(auctionId) ?? []), entry])
    }
    this.#settleLater()
  }

  /** Nobody may ask for these auctions again, and yet they have to be closed. */
  #settleLater(): void {
    this.#deps.timers.after(10 * RETRY_MS, () => {
      const auctionIds = [...this.#unsure.keys()]
      Promise.all(auctionIds.map((auctionId) => this.#settle(auctionId))).catch((error: unknown) => {
        this.#deps.logger.debug({ err: error }, 'it is not known yet what the shared log has stored')
        this.#settleLater()
      })
    })
  }

  #answer(waiting: Waiting, result: SharedAppendResult): void {
    const { entry, resolve, reject } = waiting
    if (result.appended) {
      this.#appended(entry)
      resolve(undefined)
    } else if ('earlier' in result) {
      void this.#deps.sharedAuctions.reconcile(result.earlier.outcome.auctionId).catch(() => {})
      reject(new OpenedBeforeError(result.earlier))
    } else this.#conflict(waiting, result.head)
  }

  #appended(entry: Append): void {
    const { auctionId, firstSeq } = entry.commit
    if (firstSeq === 1) {
      this.#take(auctionId)
      this.#shared.set(auctionId, true)
    }
    this.#deps.ownCopies.store(entry)
  }

  /** All of the auction waits until it is known what the log has, and whether this node is still the home. */
  #conflict(waiting: Waiting, head: Head | null): void {
    const { auctionId } = waiting.entry.commit
    const refused = this.#refused.get(auctionId)
    const behind = this.#conflicts.get(auctionId)
    if (refused !== undefined || behind !== undefined) {
      if (behind !== undefined) behind.push(waiting)
      else waiting.reject(refused)
      return
    }
    this.#deps.measures.conflicts.inc()
    const all = [waiting, ...this.#waiting.filter(({ entry }) => entry.commit.auctionId === auctionId)]
    this.#waiting = this.#waiting.filter(({ entry }) => entry.commit.auctionId !== auctionId)
    this.#conflicts.set(auctionId, all)
    void this.#why(waiting.entry, head).then((why) => {
      this.#conflicts.delete(auctionId)
      all.sort((a, b) => a.entry.commit.firstSeq - b.entry.commit.firstSeq)
      if (why === null) {
        this.#waiting.unshift(...all)
        this.#schedule()
        return
      }
      this.#refuse(auctionId, why)
      for (const { reject } of all) reject(why)
    })
  }

  /** Null: the log had lost what comes before it, and has it again. */
  async #why({ commit, prevHash }: Append, head: Head | null): Promise<unknown> {
    const { sharedAuctions } = this.#deps
    const { auctionId, firstSeq } = commit
    try {
      const record = await this.#counted(() => sharedAuctions.reconcile(auctionId))
      if (record !== null && record.state.home.nodeId !== this.#nodeId) return new NotHomeError()
      const wasBehind = (head?.seq ?? 0) < firstSeq - 1
      return wasBehind && record?.head.hash === prevHash ? null : new SeqConflictError(auctionId, firstSeq - 1, head)
    } catch (error) {
      return error
    }
  }

  #refuse(auctionId: string, why: unknown): void {
    if (this.#refused.size >= MAX_REMEMBERED) this.#refused.clear()
    this.#refused.set(auctionId, why)
  }

  /** While the log does not answer nobody can bid. */
  async #counted<T>(call: () => Promise<T>): Promise<T> {
    const { measures, outages } = this.#deps
    try {
      const result = await call()
      outages.over('log-unreachable')
      return result
    } catch (error) {
      if (error instanceof SharedLogError || error instanceof LogAwayError) {
        measures.failures.inc()
        outages.begun('log-unreachable')
      }
      throw error
    }
  }
}
