import type { Append, AuctionHead, EventLog, StoredCommit } from '../ports/event-log.js'

/** A commit that has just become durable here, with what it changed. */
export interface Published {
  readonly commit: StoredCommit
  readonly events: Append['events']
  readonly state: Append['state']
}

/** Tells listeners of each commit once it is durable, in position order, whoever appended it. */
export class PublishingEventLog implements EventLog {
  readonly #log: EventLog
  readonly #listeners = new Set<(published: Published) => void>()

  constructor(log: EventLog) {
    this.#log = log
  }

  /** Listeners run inside the append's completion: they must be quick, and must not throw. */
  onPublished(listener: (published: Published) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async append(entry: Append): Promise<number> {
    const position = await this.#log.append(entry)
    const published = { commit: { ...entry.commit, position }, events: entry.events, state: entry.state }
    for (const listener of this.#listeners) listener(published)
    return position
  }

  read(
    auctionId: string,
    fromSeq: number,
    limit: { commits: number; bytes: number },
  ): Promise<StoredCommit[]> {
    return this.#log.read(auctionId, fromSeq, limit)
  }

  readAfter(position: number, limit: { commits: number; bytes: number }): Promise<StoredCommit[]> {
    return this.#log.readAfter(position, limit)
  }

  position(): Promise<number> {
    return this.#log.position()
  }

  heads(afterId: string | null, limit: number): Promise<AuctionHead[]> {
    return this.#log.heads(afterId, limit)
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}
