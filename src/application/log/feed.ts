import type { AuctionEvent } from '../../domain/events.js'
import type { EventLog, StoredCommit } from '../../ports/store/event-log.js'
import type { Published, PublishingEventLog } from './publishing-event-log.js'
import { eventsOf } from './written-body.js'

/** Where a reader starts: after a position of this node's log, or at a seq of one auction. */
export type FeedStart = { readonly afterPosition: number } | { readonly auctionId: string; readonly fromSeq: number }

export interface FeedEntry {
  readonly position: number
  readonly auctionId: string
  readonly firstSeq: number
  readonly events: readonly AuctionEvent[]
}

const PAGE = { commits: 128, bytes: 4 * 1024 * 1024 }
/** The newest commits and events that are kept in memory, so that who keeps up with the log need not read it. */
const MAX_RECENT_COMMITS = 256
const MAX_RECENT_EVENTS = 2_000

/**
 * Lets readers follow the log: first what is there, then what comes, without a gap and without a duplicate. The log is
 * the buffer: a reader who falls behind reads on from it, so a slow one costs no memory and loses nothing.
 */
export class Feed {
  readonly #log: EventLog
  readonly #unlisten: () => void
  readonly #waiting = new Set<() => void>()
  readonly #recent = new RecentCommits()
  #published = 0
  #stopped = false

  constructor(deps: { eventLog: PublishingEventLog }) {
    this.#log = deps.eventLog
    this.#unlisten = deps.eventLog.onPublished((published) => {
      this.#published += 1
      this.#recent.add(published)
      this.#wake()
    })
  }

  /** How many commits have been published since the start: read it before a page, to wait past it after. */
  get published(): number {
    return this.#published
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Ends every wait. */
  stop(): void {
    this.#stopped = true
    this.#unlisten()
    this.#wake()
  }

  /** What the log holds from a start on, up to a page; empty at its end. */
  async page(start: FeedStart): Promise<readonly FeedEntry[]> {
    const recent = 'auctionId' in start ? null : this.#recent.after(start.afterPosition)
    if (recent) return recent
    const page =
      'auctionId' in start
        ? await this.#log.read(start.auctionId, start.fromSeq, PAGE)
        : await this.#log.readAfter(start.afterPosition, PAGE)
    return page.map(entryOf)
  }

  /** Resolves once more than `published` commits have been published, or the signal aborts, or the feed stops. */
  async changed(published: number, signal: AbortSignal): Promise<void> {
    if (this.#published > published || signal.aborted || this.#stopped) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', done)
    })
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done()
  }
}

function entryOf(commit: StoredCommit): FeedEntry {
  const { position, auctionId, firstSeq } = commit
  return { position, auctionId, firstSeq, events: eventsOf(commit.body) }
}

/** The end of the log, as it was published: all of it from the first one kept. */
class RecentCommits {
  #entries: FeedEntry[] = []
  #events = 0

  add({ commit: { position, auctionId, firstSeq }, events }: Published): void {
    this.#entries.push({ position, auctionId, firstSeq, events })
    this.#events += events.length
    if (this.#entries.length <= 2 * MAX_RECENT_COMMITS && this.#events <= 2 * MAX_RECENT_EVENTS) return
    let drop = Math.max(1, this.#entries.length - MAX_RECENT_COMMITS)
    const dropped = this.#entries.splice(0, drop)
    for (const entry of dropped) this.#events -= entry.events.length
    drop = 0
    while (this.#events > MAX_RECENT_EVENTS && drop < this.#entries.length - 1)
      this.#events -= this.#entries[drop++]?.events.length ?? 0
    this.#entries.splice(0, drop)
  }

  /** Up to a page; null where that is not known here, and the log has to be read. */
  after(position: number): readonly FeedEntry[] | null {
    const first = this.#entries[0]
    if (first === undefined || position < first.position - 1) return null
    // Who keeps up asks for the last few.
    let from = this.#entries.length
    while (from > 0 && (this.#entries[from - 1] as FeedEntry).position > position) from--
    return this.#entries.slice(from, from + PAGE.commits)
  }
}
