import type { Append } from '../../ports/store/event-log.js'
import { type SharedAppendResult, SharedLogError } from '../../ports/store/shared-log.js'
import type { Run } from './append-statement.js'

/** Of one node at a time, each on a connection of its own. */
const MAX_STATEMENTS = 4
/** In one statement. */
const MAX_ENTRIES = 256
const MAX_BODY_CHARS = 4_000_000
/** Calls that wait; beyond this, callers get LOG_BUSY. */
const MAX_WAITING_CALLS = 20_000

const NONE_HELD: ReadonlySet<string> = new Set()

interface Call {
  readonly entries: readonly Append[]
  readonly resolve: (results: SharedAppendResult[]) => void
  readonly reject: (error: unknown) => void
}

/** Stores runs of different auctions; the results are in their order. */
export type StoreRuns = (runs: readonly Run[]) => Promise<SharedAppendResult[]>

/**
 * Brings together what many auctions append at the same time, so that one round trip and one disk sync serve them all.
 * What one auction appends is carried out in order: while a commit of it is on its way, those behind it wait, and go
 * together then.
 */
export class AppendQueue {
  readonly #store: StoreRuns
  #calls: Call[] = []
  #statements = 0
  /** Auctions of the statements under way. */
  readonly #busy = new Set<string>()
  #isDue = false

  constructor(store: StoreRuns) {
    this.#store = store
  }

  append(entries: readonly Append[]): Promise<SharedAppendResult[]> {
    if (entries.length === 0) return Promise.resolve([])
    if (!joins(entries, new Map(), NONE_HELD))
      return Promise.reject(new RangeError('entries of one auction have to follow each other'))
    if (this.#calls.length >= MAX_WAITING_CALLS)
      return Promise.reject(
        new SharedLogError('LOG_BUSY', 'too much waits for the shared log: nothing was stored; try again in a moment'),
      )
    return new Promise((resolve, reject) => {
      this.#calls.push({ entries, resolve, reject })
      if (this.#isDue) return
      this.#isDue = true
      // What others append in the same turn goes along.
      queueMicrotask(() => {
        this.#isDue = false
        this.#pump()
      })
    })
  }

  #pump(): void {
    while (this.#statements < MAX_STATEMENTS && this.#calls.length > 0) {
      const batch = this.#nextBatch()
      if (batch.length === 0) return
      void this.#carryOut(batch)
    }
  }

  async #carryOut(calls: readonly Call[]): Promise<void> {
    const runs = runsOf(calls)
    this.#statements++
    for (const auctionId of runs.keys()) this.#busy.add(auctionId)
    try {
      const results = await this.#store([...runs.values()] as unknown as Run[])
      const byAuction = new Map([...runs.keys()].map((auctionId, i) => [auctionId, results[i] as SharedAppendResult]))
      for (const { entries, resolve } of calls)
        resolve(entries.map(({ commit }) => byAuction.get(commit.auctionId) as SharedAppendResult))
    } catch (error) {
      for (const { reject } of calls) reject(error)
    } finally {
      this.#statements--
      for (const auctionId of runs.keys()) this.#busy.delete(auctionId)
      this.#pump()
    }
  }

  /** Calls whose auctions have nothing under way, and nothing before them that has to wait. */
  #nextBatch(): Call[] {
    const batch: Call[] = []
    const left: Call[] = []
    const ends = new Map<string, Append>()
    const held = new Set(this.#busy)
    let count = 0
    let chars = 0
    for (const call of this.#calls) {
      const size = call.entries.reduce((sum, { commit }) => sum + commit.body.length, 0)
      const hasRoom =
        batch.length === 0 || (count + call.entries.length <= MAX_ENTRIES && chars + size <= MAX_BODY_CHARS)
      if (hasRoom && joins(call.entries, ends, held)) {
        batch.push(call)
        count += call.entries.length
        chars += size
      } else {
        left.push(call)
        for (const { commit } of call.entries) held.add(commit.auctionId)
      }
    }
    this.#calls = left
    return batch
  }
}

/** Whether a call may go along: its auctions are free, and what it appends follows what goes before it. */
function joins(entries: readonly Append[], ends: Map<string, Append>, held: ReadonlySet<string>): boolean {
  const after = new Map(ends)
  for (const entry of entries) {
    const { auctionId } = entry.commit
    const before = after.get(auctionId)
    if (held.has(auctionId) || (before !== undefined && !follows(entry, before))) return false
    after.set(auctionId, entry)
  }
  for (const [auctionId, entry] of after) ends.set(auctionId, entry)
  return true
}

function follows({ commit, prevHash }: Append, before: Append): boolean {
  return commit.firstSeq === before.commit.lastSeq + 1 && prevHash === before.commit.hash
}

function runsOf(calls: readonly Call[]): Map<string, Append[]> {
  const runs = new Map<string, Append[]>()
  for (const entry of calls.flatMap(({ entries }) => entries)) {
    const run = runs.get(entry.commit.auctionId)
    if (run === undefined) runs.set(entry.commit.auctionId, [entry])
    else run.push(entry)
  }
  return runs
}
