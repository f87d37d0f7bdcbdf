import type { FeedItem } from '../../ports/node/node-answers.js'
import type { EventsRequest } from '../../ports/node/node-requests.js'
import type { Timers } from '../../ports/system/timers.js'
import type { FeedEntry, FeedStart } from '../log/feed.js'
import { feedCursor, placePast, readFeedCursor } from '../log/feed-cursor.js'
import type { AuctionViews } from './auction-view.js'
import { isDisputed, type LocalEventFeedDeps, notOurs } from './local-event-feed.js'

export interface EventPagerDeps extends LocalEventFeedDeps {
  readonly auctionViews: Pick<AuctionViews, 'resolve'>
  readonly timers: Timers
}

const DEFAULT_LIMIT = 200

/**
 * Pages through the feed for callers who ask again and again (long polling). The cursor says exactly how far they
 * have got: "p<position>.<events of the next commit taken>" for all auctions, "s<auction>.<next seq>" for one.
 */
export class EventPager {
  readonly #deps: EventPagerDeps

  constructor(deps: EventPagerDeps) {
    this.#deps = deps
  }

  async next(request: EventsRequest): Promise<{ items: FeedItem[]; cursor: string }> {
    const { limit = DEFAULT_LIMIT, waitMs } = request
    let cursor = await this.#start(request)
    const items: FeedItem[] = []
    const expired = new AbortController()
    const timer = this.#deps.timers.after(waitMs, () => expired.abort())
    try {
      for (;;) {
        const published = this.#deps.feed.published
        for (const entry of await this.#deps.feed.page(cursor.start)) {
          const taken = await this.#take(entry, cursor, limit - items.length)
          items.push(...taken.items)
          cursor = taken.cursor
          if (items.length >= limit) break
        }
        const over = waitMs === 0 || expired.signal.aborted || this.#deps.feed.stopped
        if (items.length > 0 || over) return { items, cursor: formatCursor(cursor) }
        await this.#deps.feed.changed(published, expired.signal)
      }
    } finally {
      timer.cancel()
    }
  }

  async #start(request: EventsRequest): Promise<Cursor> {
    if (request.cursor !== undefined) {
      const cursor = parseCursor(request.cursor)
      if (cursor) return cursor
      throw notOurs()
    }
    if (request.auction !== undefined) {
      const { auctionId, head } = await this.#deps.auctionViews.resolve(request.auction)
      return { start: { auctionId, fromSeq: request.fromSeq ?? head.seq + 1 }, skip: 0 }
    }
    return { start: { afterPosition: await this.#deps.eventLog.position() }, skip: 0 }
  }

  /** Up to `room` events of an entry, and the cursor behind them. */
  async #take(entry: FeedEntry, cursor: Cursor, room: number): Promise<{ items: FeedItem[]; cursor: Cursor }> {
    const { auctionId, firstSeq, events } = entry
    const ofOne = 'auctionId' in cursor.start
    const from = 'auctionId' in cursor.start ? Math.max(0, cursor.start.fromSeq - firstSeq) : cursor.skip
    const chosen = events.slice(from, from + room)
    const disputed = await isDisputed(auctionId, this.#deps)
    const items = chosen.map((event, i): FeedItem => {
      const seq = firstSeq + from + i
      if (ofOne) return { auctionId, seq, event, disputed }
      const cursor = feedCursor(placePast(entry, from + i + 1))
      return { auctionId, seq, event, disputed, cursor }
    })
    const taken = from + chosen.length
    if ('auctionId' in cursor.start)
      return { items, cursor: { start: { auctionId, fromSeq: firstSeq + taken }, skip: 0 } }
    const { afterPosition, skip } = placePast(entry, taken)
    return { items, cursor: { start: { afterPosition }, skip } }
  }
}

interface Cursor {
  readonly start: FeedStart
  /** Events of the next commit that were taken already. */
  readonly skip: number
}

function formatCursor({ start, skip }: Cursor): string {
  return 'auctionId' in start ? `s${start.auctionId}.${start.fromSeq}` : feedCursor({ ...start, skip })
}

function parseCursor(text: string): Cursor | null {
  const all = readFeedCursor(text)
  if (all) return { start: { afterPosition: all.afterPosition }, skip: all.skip }
  const one = /^s(auc_[0-9a-z]{26})\.(\d{1,15})$/.exec(text)
  return one ? { start: { auctionId: one[1] as string, fromSeq: Number(one[2]) }, skip: 0 } : null
}
