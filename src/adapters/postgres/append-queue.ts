import { type Chain, chainsOf, follows } from '../../application/log/chains.js'
import type { Append } from '../../ports/store/event-log.js'
import { type SharedAppendResult, SharedLogError } from '../../ports/store/shared-log.js'

/** Statements that one node runs at the same time, each on its own connection. */
const MAX_STATEMENTS = 4
/** Chains in one statement. */
const MAX_ENTRIES = 256
const MAX_BODY_CHARS = 4_000_000
/** Chains that wait; beyond this, callers get LOG_BUSY. */
const MAX_WAITING = 20_000

interface Waiting {
  readonly chain: Chain
  readonly settle: (result: SharedAppendResult | SharedLogError) => void
}

/** Stores chains of different auctions; the results are in their order. */
export type StoreChains = (chains: readonly Chain[]) => Promise<SharedAppendResult[]>

/**
 * Combines appends of many auctions, so that one round trip and one disk sync serve them all. Appends of one auction
 * are carried out in order: while one of its commits is on its way, later ones wait, and then go together.
 */
export class AppendQueue {
  readonly #store: StoreChains
  #waiting: Waiting[] = []
  #statements = 0
  /** Auctions in the statements under way. */
  readonly #busy = new Set<string>()
  #isDue = false

  constructor(store: StoreChains) {
    this.#store = store
  }

  async append(entries: readonly Append[]): Promise<SharedAppendResult[]> {
    const chains = chainsOf(entries)
    if (this.#waiting.length + chains.length > MAX_WAITING)
      throw new SharedLogError('LOG_BUSY', 'too many commits wait for the shared log: nothing was stored; try again')
    const settled = await Promise.all(
      chains.map((chain) => new Promise<SharedAppendResult | SharedLogError>((settle) => this.#add({ chain, settle }))),
    )
    const results = new Map<Append, SharedAppendResult>()
    for (const [i, result] of settled.entries()) {
      if (result instanceof SharedLogError) throw errorOf(settled, result)
      for (const entry of chains[i] as Chain) results.set(entry, result)
    }
    return entries.map((entry) => results.get(entry) as SharedAppendResult)
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting)
    if (this.#isDue) return
    this.#isDue = true
    // Appends of others in the same turn go along.
    queueMicrotask(() => {
      this.#isDue = false
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#statements < MAX_STATEMENTS && this.#waiting.length > 0) {
      const batch = this.#nextBatch()
      if (batch.size === 0) return
      void this.#carryOut(batch)
    }
  }

  async #carryOut(batch: ReadonlyMap<string, readonly Waiting[]>): Promise<void> {
    this.#statements++
    for (const auctionId of batch.keys()) this.#busy.add(auctionId)
    const groups = [...batch.values()]
    const chains = groups.map((group) => group.flatMap(({ chain }) => chain) as unknown as Chain)
    let results: readonly (SharedAppendResult | SharedLogError)[]
    try {
      results = await this.#store(chains)
    } catch (error) {
      const failure =
        error instanceof SharedLogError
          ? error
          : new SharedLogError('LOG_BROKEN', `the shared log cannot be used: ${String(error)}`, { cause: error })
      results = chains.map(() => failure)
    }
    this.#statements--
    for (const auctionId of batch.keys()) this.#busy.delete(auctionId)
    for (const [i, group] of groups.entries())
      for (const { settle } of group) settle(results[i] as SharedAppendResult | SharedLogError)
    this.#pump()
  }

  /** By auction: chains that may go now, because no append of their auction is under way or waits before them. */
  #nextBatch(): Map<string, Waiting[]> {
    const batch = new Map<string, Waiting[]>()
    const held = new Set(this.#busy)
    const left: Waiting[] = []
    let count = 0
    let chars = 0
    for (const waiting of this.#waiting) {
      const { chain } = waiting
      const { auctionId } = chain[0].commit
      const before = batch.get(auctionId)?.at(-1)
      const size = chain.reduce((sum, { commit }) => sum + commit.body.length, 0)
      const hasRoom = count === 0 || (count + chain.length <= MAX_ENTRIES && chars + size <= MAX_BODY_CHARS)
      const isNext = before === undefined || follows(chain[0], before.chain)
      if (held.has(auctionId) || !hasRoom || !isNext) {
        left.push(waiting)
        held.add(auctionId)
        continue
      }
      batch.set(auctionId, [...(batch.get(auctionId) ?? []), waiting])
      count += chain.length
      chars += size
    }
    this.#waiting = left
    return batch
  }
}

/** The error of a call that took several statements: nothing was stored only if each statement says so. */
function errorOf(settled: readonly (SharedAppendResult | SharedLogError)[], first: SharedLogError): SharedLogError {
  const isSure = settled.every((result) => result instanceof SharedLogError && result.code !== 'LOG_OUTCOME_UNKNOWN')
  if (isSure || first.code === 'LOG_OUTCOME_UNKNOWN') return first
  return new SharedLogError(
    'LOG_OUTCOME_UNKNOWN',
    `only a part of it is known to be stored (${first.message}); ask again with the same ids`,
    { cause: first },
  )
}
