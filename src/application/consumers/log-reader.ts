import type { Commit } from '../../domain/commit.js'
import type { AuctionLogs } from '../../ports/store/auction-logs.js'
import type { Claim, ConsumerCursor, ConsumerStore, Projection } from '../../ports/store/consumer-store.js'
import type { AuctionHead } from '../../ports/store/event-log.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { checkedCommit, checkSame, checkSignature } from './checked-commit.js'

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
}

/** How many auctions' cursors are kept in memory: those of the auctions that grew last. */
const MAX_KNOWN_CURSORS = 2_000
const AUCTIONS_AT_ONCE = 250

interface Pending<Change> {
  readonly cursors: Map<string, ConsumerCursor>
  readonly changes: Change[]
  /** The last commit of each auction whose signature is not checked yet, and the cursor before it. */
  readonly unsigned: Map<string, { readonly commit: Commit; readonly before: ConsumerCursor | null }>
  events: number
}

/**
 * Reads what auctions' logs hold beyond the cursors into a generation, step by step. Do not use it after an error: then
 * only the store knows the result of the last step.
 */
export class LogReader<Change> {
  readonly #deps: LogReaderDeps<Change>
  readonly #options: LogReaderOptions
  readonly #known = new Map<string, ConsumerCursor>()
  #pending: Pending<Change> = nothingPending()

  constructor(deps: LogReaderDeps<Change>, options: LogReaderOptions) {
    this.#deps = deps
    this.#options = options
  }

  /**
   * Reads every auction that has grown beyond its cursor, and checks that the others are unchanged. `onBehind` gets the
   * number of missing events.
   */
  async compareAll(onBehind: (events: number) => void, signal: AbortSignal): Promise<void> {
    let after: string | null = null
    do {
      const page = await this.#deps.logs.heads(after)
      await this.#compare(page.heads, onBehind, signal)
      after = page.next
    } while (after !== null && !signal.aborted)
  }

  /** Reads these auctions to their ends. Throws `MisfitError`. */
  async read(auctionIds: readonly string[], signal: AbortSignal): Promise<void> {
    for (let i = 0; i < auctionIds.length && !signal.aborted; i += AUCTIONS_AT_ONCE) {
      const some = auctionIds.slice(i, i + AUCTIONS_AT_ONCE)
      await this.#learn(some)
      for (const auctionId of some) if (!signal.aborted) await this.#readOne(auctionId, signal)
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
        if (cursor !== undefined && commit !== undefined) checkSame(commit, cursor, verifier)
      }
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
        const last = this.#pending.unsigned.get(auctionId)
        if (last !== undefined && last.commit.signer !== commit.signer)
          checkSignature(last.commit, last.before, verifier)
        this.#pending.unsigned.set(auctionId, { commit, before })
        this.#pending.cursors.set(auctionId, cursor)
        for (const event of events) this.#pending.changes.push(...projection.changesOf(event))
        this.#pending.events += events.length
        this.#know(cursor)
        if (this.#pending.events >= this.#options.stepEvents) await this.#flush()
      }
    }
  }

  /** Stores a step, after its signatures have been checked. */
  async #flush(): Promise<void> {
    const { cursors, changes, unsigned, events } = this.#pending
    this.#pending = nothingPending()
    if (cursors.size === 0) return
    for (const { commit, before } of unsigned.values()) checkSignature(commit, before, this.#deps.verifier)
    await this.#deps.store.advance(this.#options.claim, { cursors: [...cursors.values()], changes })
    this.#options.onEvents(events)
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

function nothingPending<Change>(): Pending<Change> {
  return { cursors: new Map(), changes: [], unsigned: new Map(), events: 0 }
}
