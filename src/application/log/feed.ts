import type { AuctionEvent } from '../../domain/events.js'
import type { EventLog, StoredCommit } from '../../ports/store/event-log.js'
import { eventsOf } from './commit-body.js'
import type { Published, PublishingEventLog } from './publishing-event-log.js'

/** Where a subscriber starts: after a position of this node's log, or at a seq of one auction. */
export type FeedStart =
  | { readonly afterPosition: number }
  | { readonly auctionId: string; readonly fromSeq: number }

export interface FeedEntry {
  readonly position: number
  readonly auctionId: string
  readonly firstSeq: number
  readonly events: readonly AuctionEvent[]
}

/** Commits that may wait for a slow subscriber; past it they are dropped here and read from the log instead. */
export const MAX_SUBSCRIBER_COMMITS = 256
const PAGE = { commits: 128, bytes: 4 * 1024 * 1024 }
/** The newest commits and events that are kept in memory, so that who keeps up with the log need not read it. */
const MAX_RECENT_COMMITS = 256
const MAX_RECENT_EVENTS = 2_000

/**
 * Subscriptions to the log: first what is there, then what comes, without a gap and without a duplicate. The log is
 * the buffer: a subscriber that falls behind reads on from it, so a slow one costs no memory and loses nothing.
 */
export class Feed {
  readonly #log: EventLog
  readonly #live = new Set<LiveQueue>()
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
      for (const queue of this.#live) queue.offer(published)
      this.#wake()
    })
  }

  /** How many commits have been published since the start: read it before a page, to wait past it after. */
  get published(): number {
    return this.#published
  }

  get subscribers(): number {
    return this.#live.size
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Ends every subscription and every wait. */
  stop(): void {
    this.#stopped = true
    this.#unlisten()
    for (const queue of this.#live) queue.end()
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

  /** One entry per commit, in log order, until the signal aborts; a first entry may begin before `fromSeq`. */
  async *subscribe(start: FeedStart, signal: AbortSignal): AsyncGenerator<FeedEntry, void, undefined> {
    const queue = new LiveQueue('auctionId' in start ? start.auctionId : null)
    // Listening begins before the first read: what is published between the two is in the queue.
    this.#live.add(queue)
    const onAbort = () => queue.end()
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) queue.end()
    try {
      let cursor = start
      while (!queue.ended) {
        if (queue.takeLagging()) {
          for await (const entry of this.#catchUp(cursor, queue)) {
            cursor = past(cursor, entry)
            yield entry
          }
        }
        const entry = queue.shift()
        if (entry === undefined) await queue.wait()
        else if (isAhead(cursor, entry)) {
          cursor = past(cursor, entry)
          yield entry
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#live.delete(queue)
    }
  }

  async *#catchUp(start: FeedStart, queue: LiveQueue): AsyncGenerator<FeedEntry, void, undefined> {
    let cursor = start
    while (!queue.ended) {
      const page = await this.page(cursor)
      if (page.length === 0) return
      for (const entry of page) {
        cursor = past(cursor, entry)
        yield entry
      }
    }
  }
}

function entryOf(commit: StoredCommit): FeedEntry {
  const { position, auctionId, firstSeq } = commit
  return { position, auctionId, firstSeq, events: eventsOf(commit.body) }
}

function isAhead(cursor: FeedStart, entry: FeedEntry): boolean {
  return 'auctionId' in cursor
    ? entry.firstSeq + entry.events.length > cursor.fromSeq
    : entry.position > cursor.afterPosition
}

function past(cursor: FeedStart, entry: FeedEntry): FeedStart {
  return 'auctionId' in cursor
    ? { auctionId: cursor.auctionId, fromSeq: entry.firstSeq + entry.events.length }
    : { afterPosition: entry.position }
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

/** What was published and not yet taken by one subscriber. */
class LiveQueue {
  readonly #auctionId: string | null
  #entries: FeedEntry[] = []
  #lagging = true
  #ended = false
  #wake: (() => void) | null = null

  constructor(auctionId: string | null) {
    this.#auctionId = auctionId
  }

  get ended(): boolean {
    return this.#ended
  }

  offer({ commit, events }: Published): void {
    if (this.#auctionId !== null && commit.auctionId !== this.#auctionId) return
    if (this.#entries.length >= MAX_SUBSCRIBER_COMMITS) {
      this.#entries = []
      this.#lagging = true
    }
    const { position, auctionId, firstSeq } = commit
    this.#entries.push({ position, auctionId, firstSeq, events })
    this.#wake?.()
    this.#wake = null
  }

  /** Whether the log has to be read before the queue says anything again. */
  takeLagging(): boolean {
    const lagging = this.#lagging
    this.#lagging = false
    return lagging
  }

  shift(): FeedEntry | undefined {
    return this.#lagging ? undefined : this.#entries.shift()
  }

  async wait(): Promise<void> {
    if (this.#ended || this.#lagging || this.#entries.length > 0) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
    this.#wake = null
  }
}
