import type { Commit } from '../../domain/commit.js'
import type { Append, AuctionHead, EventLog, LogUsage, StoredCommit } from '../../ports/store/event-log.js'

/** A commit that has just become durable here, with what it changed. */
export interface Published {
  readonly commit: StoredCommit
  readonly prevHash: string | null
  readonly events: Append['events']
  readonly state: Append['state']
}

/** Calls listeners for each commit once it is durable, in position order, whoever appended it. */
export class PublishingEventLog implements EventLog {
  readonly #log: EventLog
  readonly #listeners = new Set<(published: Published) => void>()
  #begun = 0
  #ended = 0

  constructor(log: EventLog) {
    this.#log = log
  }

  /** Listeners run inside the append's completion: they must be quick, and must not throw. */
  onPublished(listener: (published: Published) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Appends begun since the start, and those of them that have ended, in whatever way. */
  get appends(): { readonly begun: number; readonly ended: number } {
    return { begun: this.#begun, ended: this.#ended }
  }

  async append(entry: Append): Promise<number> {
    this.#begun += 1
    const position = await this.#log.append(entry).finally(() => {
      this.#ended += 1
    })
    const { prevHash, events, state } = entry
    const published = { commit: { ...entry.commit, position }, prevHash, events, state }
    for (const listener of this.#listeners) listener(published)
    return position
  }

  replaceSignature(commit: Commit): Promise<boolean> {
    return this.#log.replaceSignature(commit)
  }

  read(auctionId: string, fromSeq: number, limit: { commits: number; bytes: number }): Promise<StoredCommit[]> {
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

  usage(): Promise<LogUsage[]> {
    return this.#log.usage()
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}
