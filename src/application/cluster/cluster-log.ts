/**
 * Room `cluster`: a node's part in a cluster: writing to the log that its nodes share, taking over the auctions of
 * nodes that have died, and putting back what the log has lost.
 *
 * Long because waiting, refused and uncertain appends share one state.
 */

import type { OpenedAuction } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Head } from '../../domain/commit.js'
import type { Secrets } from '../../domain/pricing.js'
import type { AuctionRecord, AuctionRepository, SecretRepository } from '../../ports/store/auction-repository.js'
import { type Append, type EventLog, SeqConflictError } from '../../ports/store/event-log.js'
import type { HandoverPage, HandoverParcel, HandoverRepository } from '../../ports/store/handover-repository.js'
import type { OutcomeRepository, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { type SharedAppendResult, type SharedLog, SharedLogError } from '../../ports/store/shared-log.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timers } from '../../ports/system/timers.js'
import { type HomeLog, LogAwayError, NotHomeError, OpenedBeforeError } from '../home/home-log.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import type { ClusterMeasures } from './cluster-measures.js'
import type { OwnCopies } from './own-copies.js'
import type { PeerComparison } from './peer-comparison.js'
import { reached, refusalOf, type SharedAuctions } from './shared-auctions.js'

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
  readonly peerComparison: Pick<PeerComparison, 'over'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly timers: Timers
  readonly logger: Logger
}

export interface ClusterLogOptions {
  readonly nodeId: string
  /** Whether this node's cluster decides about the auction, by its log. */
  readonly isShared: (state: OpenedAuction) => boolean
  /** See `Recovery.goOnWithoutLost`. */
  readonly goOnWithoutLost: (auctionId: string) => Promise<void>
}

/** How long an append with an unknown result is repeated before its callers are answered. */
const UNSURE_MS = 3_000
const RETRY_MS = 100
/** How many auctions are remembered as shared or not. */
const MAX_REMEMBERED = 100_000

interface Waiting {
  readonly entry: Append
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * Where the homes of a node write in a cluster. An append resolves once the shared log has committed it. The node's own
 * store takes it afterwards, and nobody waits for that. All writes of a home go through here: a home that loses a seq
 * to another writer is no longer the home.
 */
export class ClusterLog implements HomeLog, OutcomeRepository, SecretRepository, HandoverRepository {
  readonly #deps: ClusterLogDeps
  readonly #nodeId: string
  readonly #isShared: ClusterLogOptions['isShared']
  readonly #goOnWithoutLost: ClusterLogOptions['goOnWithoutLost']
  #flying = 0
  #isStopped = false
  /** Appends that wait until it is known why the log refused the one before. */
  readonly #conflicts = new Map<string, Waiting[]>()
  /** Why nothing more can be written until the auction is loaded again. */
  readonly #refused = new Map<string, unknown>()
  /** Appends with an unknown result: nothing else is written in their place. */
  readonly #unsure = new Map<string, Append[]>()
  /** Shared auctions whose data beside the log is complete in the node's own store, or on its way there. */
  readonly #taken = new Set<string>()
  /** Whether auctions are shared, as far as that has been looked up. */
  readonly #shared = new Map<string, boolean>()

  constructor(deps: ClusterLogDeps, options: ClusterLogOptions) {
    this.#deps = deps
    this.#nodeId = options.nodeId
    this.#isShared = options.isShared
    this.#goOnWithoutLost = async (auctionId) => {
      await options.goOnWithoutLost(auctionId)
      await deps.ownCopies.settled(auctionId)
    }
    deps.eventLog.onPublished(({ commit: { auctionId }, state }) => {
      if (this.#shared.has(auctionId)) this.#shared.set(auctionId, this.#isShared(state))
      if (state.home.nodeId !== this.#nodeId) this.#taken.delete(auctionId)
    })
  }

  /** Appends whose result is unknown are looked up at the next start. */
  stop(): void {
    this.#isStopped = true
  }

  /** Appends that wait for the shared log, and those under way. */
  get waiting(): number {
    return this.#flying
  }

  append(entry: Append): Promise<unknown> {
    const { auctionId, firstSeq } = entry.commit
    const isShared = firstSeq === 1 ? this.#isShared(entry.state) : this.#shared.get(auctionId)
    if (isShared === undefined)
      return this.#isSharedById(auctionId).then((found) => (found ? this.#share(entry) : this.#own(entry)))
    return isShared ? this.#share(entry) : this.#own(entry)
  }

  /** Like `append`, for the first commit of a home that takes an auction over. */
  async takeOver(entry: Append): Promise<void> {
    const { auctionId } = entry.commit
    await this.#settle(auctionId)
    this.#refused.delete(auctionId)
    this.#taken.delete(auctionId)
    this.#shared.set(auctionId, true)
    await this.#share(entry)
  }

  /** An auction whose log is not shared. */
  #own(entry: Append): Promise<unknown> {
    return this.#deps.eventLog.append(entry)
  }

  #share(entry: Append): Promise<unknown> {
    const { auctionId } = entry.commit
    const refused = this.#refused.get(auctionId)
    if (refused !== undefined) return Promise.reject(refused)
    try {
      this.#deps.ownCopies.demandRoom()
    } catch (error) {
      return Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      const waiting = { entry, resolve, reject }
      const behind = this.#conflicts.get(auctionId)
      if (behind !== undefined) behind.push(waiting)
      else void this.#send(waiting)
    })
  }

  onPublished(listener: Parameters<PublishingEventLog['onPublished']>[0]): () => void {
    return this.#deps.eventLog.onPublished(listener)
  }

  read(...of: Parameters<EventLog['read']>): ReturnType<EventLog['read']> {
    return this.#deps.eventLog.read(...of)
  }

  async settled(auctionId: string): Promise<void> {
    // If the node's own store has no room, it follows later.
    await this.#deps.ownCopies.settled(auctionId).catch(() => {})
  }

  /** Outcomes on their way to the node's own store count as well. */
  async find(commandIds: readonly string[]): Promise<Map<string, RecordedOutcome>> {
    const { outcomes, ownCopies } = this.#deps
    const coming = ownCopies.outcomesAmong(commandIds)
    const found = await outcomes.find(commandIds)
    for (const [id, outcome] of coming) found.set(id, outcome)
    return found
  }

  /** Outcomes without a commit are stored in the shared log too, so that a new home finds them. */
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
   * Compares with the log before an auction is loaded. First finds out the results of appends that an earlier load has
   * tried.
   */
  async prepare(auctionId: string): Promise<void> {
    const { peerComparison, sharedAuctions } = this.#deps
    await this.#settle(auctionId)
    await peerComparison.over()
    const record = await this.#counted(() => sharedAuctions.reconcile(auctionId))
    this.#refused.delete(auctionId)
    if (record === null || !this.#note(record) || record.state.home.nodeId !== this.#nodeId) return
    if (this.#taken.has(auctionId)) return
    const isWhole = await this.#counted(() => sharedAuctions.takeIn(auctionId))
    if (!isWhole) await this.#goOnWithoutLost(auctionId)
    this.#take(auctionId)
  }

  #take(auctionId: string): void {
    // Fetched again at the next load.
    if (this.#taken.size >= MAX_REMEMBERED) this.#taken.clear()
    this.#taken.add(auctionId)
  }

  /** Repeats the appends that may have been stored, to find out their results. Rejects with `LogAwayError`. */
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

  /** In the order of the calls, for each auction. */
  async #send(waiting: Waiting): Promise<void> {
    const { clock, measures } = this.#deps
    const startedMs = clock.monotonicMs()
    this.#flying += 1
    try {
      const result = await this.#stored(waiting.entry)
      measures.append.observe((clock.monotonicMs() - startedMs) / 1_000)
      this.#answer(waiting, result)
    } catch (error) {
      this.#refuse(waiting.entry.commit.auctionId, error)
      waiting.reject(error)
    } finally {
      this.#flying -= 1
    }
  }

  /**
   * Rejects with `LogAwayError` if it is certain that nothing was stored. If it is not certain, the same call is
   * repeated: it returns the result of the first one, and nothing else can take its place meanwhile.
   */
  async #stored(entry: Append): Promise<SharedAppendResult> {
    const { clock, sharedLog, timers } = this.#deps
    const startedMs = clock.monotonicMs()
    let isUnsure = false
    for (;;) {
      try {
        const [result] = await this.#counted(() => sharedLog.append([entry]))
        return result as SharedAppendResult
      } catch (error) {
        if (!(error instanceof SharedLogError)) throw error
        isUnsure ||= error.code === 'LOG_OUTCOME_UNKNOWN'
        if (!isUnsure) throw refusalOf(error)
        if (clock.monotonicMs() - startedMs >= UNSURE_MS) {
          this.#keepUnsure(entry)
          throw new SharedLogError('LOG_OUTCOME_UNKNOWN', error.message, { cause: error })
        }
        await new Promise<void>((resolve) => timers.after(RETRY_MS, resolve))
      }
    }
  }

  #keepUnsure(entry: Append): void {
    const { auctionId } = entry.commit
    if (this.#unsure.size === 0) this.#settleLater()
    this.#unsure.set(auctionId, [...(this.#unsure.get(auctionId) ?? []), entry])
  }

  /** Perhaps nobody asks for these auctions again, but they still have to be closed. */
  #settleLater(): void {
    this.#deps.timers.after(10 * RETRY_MS, () => {
      if (this.#isStopped) return
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

  /** All appends of the auction wait until it is known what the log has, and whether this node is still the home. */
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
    const all = [waiting]
    this.#conflicts.set(auctionId, all)
    void this.#why(waiting.entry, head).then((why) => {
      this.#conflicts.delete(auctionId)
      all.sort((a, b) => a.entry.commit.firstSeq - b.entry.commit.firstSeq)
      if (why === null) {
        for (const one of all) void this.#send(one)
        return
      }
      this.#refuse(auctionId, why)
      for (const { reject } of all) reject(why)
    })
  }

  /** Null if the log lacked the commits before it and has them again. */
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

  async #counted<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      if (error instanceof LogAwayError || error instanceof SharedLogError) this.#deps.measures.failures.inc()
      throw error
    }
  }
}
