import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionLogs, LogsListener } from '../../../src/ports/store/auction-logs.js'

/** A node's logs in memory, which show what they are made to show. */
export class MemoryLogs implements AuctionLogs {
  readonly logs = new Map<string, Commit[]>()
  readonly #listeners = new Set<LogsListener>()
  /** How often a log was read. */
  reads = 0

  add(...commits: readonly Commit[]): void {
    for (const commit of commits) {
      const log = this.logs.get(commit.auctionId) ?? []
      log.push(commit)
      this.logs.set(commit.auctionId, log)
      for (const { grown } of this.#listeners) grown(commit.auctionId, commit.lastSeq - commit.firstSeq + 1)
    }
  }

  /** Whoever follows it hears no more of it. */
  lose(error: Error): void {
    for (const { lost } of this.#listeners) lost(error)
    this.#listeners.clear()
  }

  async follow(listener: LogsListener, signal: AbortSignal): Promise<void> {
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => this.#listeners.delete(listener))
  }

  async heads(after: string | null) {
    const ids = [...this.logs.keys()].sort().filter((id) => after === null || id > after)
    const page = ids.slice(0, 3)
    const heads = page.map((auctionId) => {
      const log = this.logs.get(auctionId) as Commit[]
      const { lastSeq, hash } = log.at(-1) as Commit
      return { auctionId, seq: lastSeq, hash }
    })
    return { heads, next: page.length < 3 ? null : (page.at(-1) as string) }
  }

  async read(auctionId: string, fromSeq: number): Promise<readonly Commit[]> {
    this.reads += 1
    return (this.logs.get(auctionId) ?? []).filter(({ lastSeq }) => lastSeq >= fromSeq).slice(0, 3)
  }
}
