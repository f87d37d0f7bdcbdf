import { setImmediate } from 'node:timers/promises'
import type { Commit } from '../../../src/domain/commit.js'
import {
  type Append,
  type AuctionHead,
  type EventLog,
  LogBrokenError,
  type LogUsage,
  type StoredCommit,
} from '../../../src/ports/store/event-log.js'
import type { MemoryStoreOptions } from './memory-store.js'
import type { MemoryTables } from './memory-tables.js'

interface Limit {
  readonly commits: number
  readonly bytes: number
}

export class MemoryEventLog implements EventLog {
  readonly #tables: MemoryTables
  readonly #beforeAppend: (entry: Append) => void | Promise<void>
  /** Resolves with the first I/O error. */
  readonly failed: Promise<LogBrokenError>
  #reportFailed: (error: LogBrokenError) => void = () => {}
  #tail: Promise<unknown> = Promise.resolve()
  #broken: LogBrokenError | null = null
  #closed = false

  constructor({ tables }: { tables: MemoryTables }, options: MemoryStoreOptions = {}) {
    this.#tables = tables
    this.failed = new Promise((resolve) => {
      this.#reportFailed = resolve
    })
    this.#beforeAppend = options.beforeAppend ?? (() => {})
  }

  append(entry: Append): Promise<number> {
    return this.write(async () => {
      await this.#beforeAppend(entry)
      return this.#tables.apply(entry)
    })
  }

  /** One after the other, and never before the caller has gone on: as with a disk. */
  write<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the store has been closed'))
    const done = this.#tail.then(async () => {
      await setImmediate()
      if (this.#broken !== null) throw this.#broken
      try {
        return await work()
      } catch (error) {
        if (error instanceof LogBrokenError) {
          this.#broken = error
          this.#reportFailed(error)
        }
        throw error
      }
    })
    // The caller hears of a failure; the next write only waits for its end.
    this.#tail = done.catch(() => {})
    return done
  }

  replaceSignature(commit: Commit): Promise<boolean> {
    return this.write(() => this.#tables.replaceSignature(commit))
  }

  async read(auctionId: string, fromSeq: number, limit: Limit): Promise<StoredCommit[]> {
    const commits = this.#tables.auctions.get(auctionId)?.commits ?? []
    const start = commits.findIndex(({ lastSeq }) => lastSeq >= fromSeq)
    return start === -1 ? [] : page(commits, start, limit)
  }

  async readAfter(position: number, limit: Limit): Promise<StoredCommit[]> {
    return page(this.#tables.commits, Math.max(0, position), limit)
  }

  async position(): Promise<number> {
    return this.#tables.commits.length
  }

  async heads(afterId: string | null, limit: number): Promise<AuctionHead[]> {
    return [...this.#tables.auctions.values()]
      .filter(({ auctionId }) => auctionId > (afterId ?? ''))
      .sort((a, b) => (a.auctionId < b.auctionId ? -1 : 1))
      .slice(0, limit)
      .map(({ auctionId, head }) => ({ auctionId, ...head }))
  }

  async usage(): Promise<LogUsage[]> {
    const usage = new Map<string, LogUsage>()
    for (const { signer, body, firstSeq } of this.#tables.commits) {
      const { bytes, openings } = usage.get(signer) ?? { bytes: 0, openings: 0 }
      usage.set(signer, {
        signer,
        bytes: bytes + Buffer.byteLength(body),
        openings: openings + (firstSeq === 1 ? 1 : 0),
      })
    }
    return [...usage.values()]
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#tail
  }
}

function page(commits: readonly StoredCommit[], start: number, limit: Limit): StoredCommit[] {
  const taken: StoredCommit[] = []
  let bytes = 0
  for (let i = start; i < commits.length && taken.length < limit.commits; i++) {
    const commit = commits[i] as StoredCommit
    taken.push(commit)
    bytes += Buffer.byteLength(commit.body)
    if (bytes >= limit.bytes) break
  }
  return taken
}
