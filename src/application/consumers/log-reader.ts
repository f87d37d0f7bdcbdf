import type { Commit } from '../../domain/commit.js'
import type { AuctionLogs } from '../../ports/store/auction-logs.js'
import type { Claim, ConsumerCursor, ConsumerStore, Misfit, Projection } from '../../ports/store/consumer-store.js'
import type { AuctionHead } from '../../ports/store/event-log.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { checkedCommit, checkSame, checkSignature, MisfitError } from './checked-commit.js'

export interface LogReaderDeps<Change> {
  readonly logs: AuctionLogs
  readonly store: ConsumerStore<Change>
  readonly projection: Projection<Change>
  readonly verifier: SignatureVerifier
}

export interface LogReaderOptions {
  readonly claim: Claim
  /** Events in one step; a commit is never divided. */
  readonly stepEvents: number
  /** Called after each step. */
  readonly onEvents: (events: number) => void
  /** Called when an auction is stopped, or goes on (null). */
  readonly onMisfit: (auctionId: string, misfit: Misfit | null) => void
}

/** How many auctions' cursors are kept in memory: those of the auctions that grew last. */
const MAX_KNOWN_CURSORS = 2_000
const AUCTIONS_AT_ONCE = 250

/** What was read of an auction, and is not stored yet. */
interface Pending<Change> {
  cursor: ConsumerCursor
  readonly changes: Change[]
  events: number
  /** The last commit whose signature is not checked yet, and the cursor before it. */
  unsigned: { readonly commit: Commit; readonly before: ConsumerCursor | null }
}

/**
 * Reads what auctions' logs hold beyond the cursors into a generation, step by step. An auction whose log contradicts
 * what was read before is stopped, with the proof; the others go on. It is tried again by the next `compareAll` of
 * another reader. Do not use a reader after an error: then only the store knows the result of the last step.
 */
export class LogReader<Change> {
  readonly #deps: LogReaderDeps<Change>
  readonly #options: LogReaderOptions
  readonly #known = new Map<string, ConsumerCursor>()
  /** Auctions that were stopped before, which may fit again, and those that do not. */
  readonly #doubted = new Set<string>()
  readonly #stopped = new Set<string>()
  #pending = new Map<string, Pending<Change>>()
  #pendingEvents = 0

  constructor(deps: LogReaderDeps<Change>, options: LogReaderOptions) {
    this.#deps = deps
    this.#options = options
  }

  /**
   * Reads every auction that has grown beyond its cursor, and checks that the others are unchanged. `onBehind` gets the
   * number of missing events.
   */
  async compareAll(onBehind: (events: number) => void, signal: AbortSignal): Promise<void> {
    for (const misfit of await this.#deps.store.misfits(this.#options.claim.generation)) {
      if (!this.#stopped.has(misfit.auctionId)) this.#doubted.add(misfit.auctionId)
      this.#options.onMisfit(misfit.auctionId, misfit)
    }
    let after: string | null = null
    do {
      const page = await this.#deps.logs.heads(after)
      await this.#compare(page.heads, onBehind, signal)
      after = page.next
    } while (after !== null && !signal.aborted)
  }

  /** Reads these auctions to their ends. */
  async read(auctionIds: readonly string[], signal: AbortSignal): Promise<void> {
    for (let i = 0; i < auctionIds.length && !signal.aborted; i += AUCTIONS_AT_ONCE) {
      const some = auctionIds.slice(i, i + AUCTIONS_AT_ONCE)
      await this.#learn(some)
      for (const auctionId of some)
        if (!signal.aborted && !this.#stopped.has(auctionId))
          await this.#orStop(auctionId, () => this.#readOne(auctionId, signal))
    }
    await this.#flush()
  }

  async #compare(
    heads: readonly AuctionHead[],
    onBehind: (events: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, logs, verifier } = this.#deps
    const ids = heads.map(({ auctionId }) => auctionId)
    const own = await store.heads(this.#options.claim.generation, ids)
    const behind: string[] = []
    for (const { auctionId, seq, hash } of heads) {
      const mine = own.get(auctionId)
      if (seq > (mine?.seq ?? 0)) {
        behind.push(auctionId)
        onBehind(seq - (mine?.seq ?? 0))
      } else if (seq === mine?.seq && hash !== mine.hash) {
        const [cursor] = await store.cursors(this.#options.claim.generation, [auctionId])
        const [commit] = await logs.read(auctionId, seq)
        if (cursor !== undefined && commit !== undefined)
          await this.#orStop(auctionId, async () => checkSame(commit, cursor, verifier))
      } else if (this.#doubted.has(auctionId) && seq === mine?.seq) await this.#resume(auctionId)
    }
    await this.read(behind, signal)
  }

  async #readOne(auctionId: string, signal: AbortSignal): Promise<void> {
    const { logs, verifier, projection } = this.#deps
    while (!signal.aborted) {
      const from = this.#known.get(auctionId)?.head.seq ?? 0
      const commits = await logs.read(auctionId, from + 1)
      if (commits.length === 0) return
      for (const commit of commits) {
        const before = this.#known.get(auctionId) ?? null
        const { cursor, events } = checkedCommit(commit, before, verifier)
        if (cursor.auctionId !== auctionId) throw new Error(`asked for ${auctionId}, was given ${cursor.auctionId}`)
        const last = this.#pending.get(auctionId)
        if (last !== undefined && last.unsigned.commit.signer !== commit.signer)
          checkSignature(last.unsigned.commit, last.unsigned.before, verifier)
        const pending = last ?? { cursor, changes: [], events: 0, unsigned: { commit, before } }
        pending.cursor = cursor
        pending.unsigned = { commit, before }
        for (const event of events) pending.changes.push(...projection.changesOf(event))
        pending.events += events.length
        this.#pending.set(auctionId, pending)
        this.#pendingEvents += events.length
        this.#know(cursor)
        if (this.#pendingEvents >= this.#options.stepEvents) await this.#flush()
        if (this.#stopped.has(auctionId)) return
      }
    }
  }

  /** Stores a step, after its signatures have been checked. */
  async #flush(): Promise<void> {
    const pending = this.#pending
    this.#pending = new Map()
    this.#pendingEvents = 0
    for (const [auctionId, { unsigned }] of pending)
      await this.#orStop(auctionId, async () => checkSignature(unsigned.commit, unsigned.before, this.#deps.verifier), {
        onStop: () => pending.delete(auctionId),
      })
    if (pending.size === 0) return
    const read = [...pending.values()]
    const cursors = read.map(({ cursor }) => cursor)
    await this.#deps.store.advance(this.#options.claim, { cursors, changes: read.flatMap(({ changes }) => changes) })
    for (const auctionId of pending.keys()) if (this.#doubted.has(auctionId)) await this.#resume(auctionId)
    this.#options.onEvents(read.reduce((sum, { events }) => sum + events, 0))
  }

  /** Stops the auction if the work finds a commit that does not fit. */
  async #orStop(auctionId: string, work: () => Promise<void>, { onStop = () => {} } = {}): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof MisfitError)) throw error
      onStop()
      this.#known.delete(auctionId)
      this.#stopped.add(auctionId)
      this.#doubted.delete(auctionId)
      await this.#deps.store.stop(this.#options.claim, error.misfit)
      this.#options.onMisfit(auctionId, error.misfit)
    }
  }

  async #resume(auctionId: string): Promise<void> {
    this.#doubted.delete(auctionId)
    await this.#deps.store.resume(this.#options.claim, auctionId)
    this.#options.onMisfit(auctionId, null)
  }

  async #learn(auctionIds: readonly string[]): Promise<void> {
    const unknown = auctionIds.filter((id) => !this.#known.has(id))
    if (unknown.length === 0) return
    for (const cursor of await this.#deps.store.cursors(this.#options.claim.generation, unknown)) this.#know(cursor)
  }

  #know(cursor: ConsumerCursor): void {
    this.#known.delete(cursor.auctionId)
    this.#known.set(cursor.auctionId, cursor)
    if (this.#known.size <= MAX_KNOWN_CURSORS) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }
}
