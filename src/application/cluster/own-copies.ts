import { type Append, DuplicateCommandError, LogBrokenError, LogBusyError } from '../../ports/store/event-log.js'
import type { HandoverRepository } from '../../ports/store/handover-repository.js'
import type { OutcomeRepository, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timers } from '../../ports/system/timers.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'

export interface OwnCopiesDeps {
  readonly eventLog: Pick<PublishingEventLog, 'append' | 'read'>
  /** Those of the node's own store. */
  readonly outcomes: Pick<OutcomeRepository, 'find'>
  readonly handovers: Pick<HandoverRepository, 'keep'>
  readonly timers: Timers
  readonly logger: Logger
}

/** Commits that the node's own store has not taken yet; beyond this, its homes get BUSY. */
const MAX_BEHIND = 20_000
const RETRY_MS = 500
const ONE = { commits: 1, bytes: 1 }

interface Behind {
  readonly entries: Append[]
  /** How many are being stored now. */
  flying: number
  /** An append failed: the rest are stored one at a time. */
  isStuck: boolean
  waiting: { readonly upTo: Append; readonly resolve: () => void; readonly reject: (error: Error) => void }[]
}

/**
 * The node's own copy of what its homes have written to the log of the cluster. It is stored in order, like a
 * replica's, and nobody waits for it. If the node's own store refuses for a while (no room), the missing commits are
 * kept here and tried again.
 */
export class OwnCopies {
  readonly #deps: OwnCopiesDeps
  readonly #behind = new Map<string, Behind>()
  /** By command id: outcomes that are in the log, but not in the node's own store yet. */
  readonly #outcomes = new Map<string, RecordedOutcome>()
  #size = 0
  #isRetrying = false
  #isStopped = false

  constructor(deps: OwnCopiesDeps) {
    this.#deps = deps
  }

  /** Commits that are not stored yet are fetched from the log at the next start. */
  stop(): void {
    this.#isStopped = true
  }

  /** Commits of which the node has no copy of its own yet. */
  get size(): number {
    return this.#size
  }

  /** Throws `LogBusyError` if the node's own store is too far behind. */
  demandRoom(): void {
    if (this.#size >= MAX_BEHIND) throw new LogBusyError()
  }

  outcomesAmong(commandIds: readonly string[]): Map<string, RecordedOutcome> {
    const found = new Map<string, RecordedOutcome>()
    if (this.#outcomes.size === 0) return found
    for (const id of commandIds) {
      const outcome = this.#outcomes.get(id)
      if (outcome !== undefined) found.set(id, outcome)
    }
    return found
  }

  /** In the order of the calls, for each auction. */
  store(entry: Append): void {
    const { auctionId } = entry.commit
    const behind = this.#behind.get(auctionId) ?? { entries: [], flying: 0, isStuck: false, waiting: [] }
    this.#behind.set(auctionId, behind)
    // A commit whose result was unknown for a while comes late.
    const isNext = (behind.entries.at(-1)?.commit.firstSeq ?? 0) < entry.commit.firstSeq
    const place = isNext ? -1 : behind.entries.findIndex(({ commit }) => commit.firstSeq > entry.commit.firstSeq)
    if (place === -1) behind.entries.push(entry)
    else behind.entries.splice(place, 0, entry)
    this.#size += 1
    for (const recorded of entry.outcomes ?? []) this.#outcomes.set(recorded.outcome.commandId, recorded)
    if (!behind.isStuck) void this.#send(behind, entry)
  }

  /**
   * Resolves when the node's own store has all commits of the auction given so far. Rejects with `LogBusyError` if it
   * does not take them now.
   */
  async settled(auctionId: string): Promise<void> {
    const behind = this.#behind.get(auctionId)
    if (behind === undefined) return
    if (behind.isStuck) throw new LogBusyError()
    const upTo = behind.entries.at(-1) as Append
    await new Promise<void>((resolve, reject) => behind.waiting.push({ upTo, resolve, reject }))
  }

  async #send(behind: Behind, entry: Append): Promise<void> {
    behind.flying += 1
    try {
      await this.#deps.eventLog.append(entry)
      this.#done(behind, entry)
    } catch (error) {
      this.#stuck(behind, entry, error)
    } finally {
      behind.flying -= 1
    }
  }

  #done(behind: Behind, entry: Append): void {
    const { auctionId } = entry.commit
    const at = behind.entries.indexOf(entry)
    if (at === -1) return
    behind.entries.splice(at, 1)
    this.#size -= 1
    for (const { outcome } of entry.outcomes ?? []) this.#outcomes.delete(outcome.commandId)
    if (behind.entries.length === 0) this.#behind.delete(auctionId)
    const { waiting } = behind
    if (waiting.length === 0) return
    behind.waiting = waiting.filter(({ upTo }) => behind.entries.includes(upTo))
    for (const one of waiting) if (!behind.waiting.includes(one)) one.resolve()
  }

  #stuck(behind: Behind, { commit }: Append, error: unknown): void {
    behind.isStuck = true
    for (const { reject } of behind.waiting.splice(0)) reject(new LogBusyError({ cause: error }))
    // With a broken log, the process has to stop.
    if (error instanceof LogBrokenError || this.#isRetrying) return
    const { auctionId, firstSeq: seq } = commit
    this.#deps.logger.warn({ err: error, auctionId, seq }, 'could not store its own copy of a commit; trying again')
    this.#isRetrying = true
    this.#retryLater()
  }

  #retryLater(): void {
    this.#deps.timers.after(RETRY_MS, () => {
      if (this.#isStopped) return
      const stuck = [...this.#behind.values()].filter(({ isStuck }) => isStuck)
      this.#isRetrying = stuck.length > 0
      for (const behind of stuck) if (behind.flying === 0) void this.#retry(behind)
      if (this.#isRetrying) this.#retryLater()
    })
  }

  async #retry(behind: Behind): Promise<void> {
    behind.flying += 1
    try {
      for (let entry = behind.entries[0]; entry !== undefined; entry = behind.entries[0]) {
        await this.#storeAgain(entry)
        this.#done(behind, entry)
      }
      behind.isStuck = false
    } catch (error) {
      this.#stuck(behind, behind.entries[0] as Append, error)
    } finally {
      behind.flying -= 1
    }
  }

  /** A peer's push may have brought the commit, and an outcome may have come separately. */
  async #storeAgain(entry: Append): Promise<void> {
    const { auctionId, firstSeq, hash } = entry.commit
    const [stored] = await this.#deps.eventLog.read(auctionId, firstSeq, ONE)
    if (stored?.hash === hash) {
      await this.#keepBeside(entry)
      return
    }
    try {
      await this.#deps.eventLog.append(entry)
    } catch (error) {
      if (!(error instanceof DuplicateCommandError)) throw error
      const outcomes = entry.outcomes ?? []
      const known = await this.#deps.outcomes.find(outcomes.map(({ outcome }) => outcome.commandId))
      const missing = outcomes.filter(({ outcome }) => !known.has(outcome.commandId))
      await this.#deps.eventLog.append({ ...entry, outcomes: missing })
    }
  }

  /** The commit came another way, without what a home has to keep beside it. */
  #keepBeside({ commit, secret, outcomes = [] }: Append): Promise<void> {
    const { sealed = [], secrets = null } = secret ?? {}
    return this.#deps.handovers.keep(commit.auctionId, { outcomes, sealed, secrets })
  }
}
