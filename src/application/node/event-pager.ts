import type { FeedItem } from '../../ports/node/node-answers.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { EventsRequest } from '../../ports/node/node-requests.js'
import type { BreachRepository } from '../../ports/store/breach-repository.js'
import type { EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { Timers } from '../../ports/system/timers.js'
import type { Feed, FeedEntry, FeedStart } from '../log/feed.js'
import type { AuctionViews } from './auction-view.js'

export interface EventPagerDeps {
  readonly auctionViews: Pick<AuctionViews, 'resolve'>
  readonly breaches: Pick<BreachRepository, 'among'>
  readonly equivocations: Pick<EquivocationRepository, 'among'>
  readonly eventLog: Pick<EventLog, 'position'>
  readonly feed: Feed
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
      throw new NodeError('INVALID_INPUT', 'the cursor is not one that this node gave', {
        field: 'cursor',
        next: 'leave it out to start anew',
      })
    }
    if (request.auction !== undefined) {
      const { auctionId, head } = await this.#deps.auctionViews.resolve(request.auction)
      return { start: { auctionId, fromSeq: request.fromSeq ?? head.seq + 1 }, skip: 0 }
    }
    return { start: { afterPosition: await this.#deps.eventLog.position() }, skip: 0 }
  }

  /** Up to `room` events of an entry, and the cursor behind them. */
  async #take(
    entry: FeedEntry,
    cursor: Cursor,
    room: number,
  ): Promise<{ items: FeedItem[]; cursor: Cursor }> {
    const { auctionId, firstSeq, events } = entry
    const ofOne = 'auctionId' in cursor.start
    const from = 'auctionId' in cursor.start ? Math.max(0, cursor.start.fromSeq - firstSeq) : cursor.skip
    const chosen = events.slice(from, from + room)
    const forked = await this.#deps.equivocations.among([auctionId])
    const disputed = forked.has(auctionId) || (await this.#deps.breaches.among([auctionId])).has(auctionId)
    const items = chosen.map((event, i): FeedItem => {
      const seq = firstSeq + from + i
      if (ofOne) return { auctionId, seq, event, disputed }
      const cursor = cursorPast(entry, from + i + 1)
      return { auctionId, seq, event, disputed, cursor }
    })
    const taken = from + chosen.length
    if ('auctionId' in cursor.start)
      return { items, cursor: { start: { auctionId, fromSeq: firstSeq + taken }, skip: 0 } }
    return { items, cursor: past(entry, taken) }
  }
}

/** Behind the first `taken` events of an entry, in the list of all. */
function past({ position, events }: FeedEntry, taken: number): Cursor {
  return taken >= events.length
    ? { start: { afterPosition: position }, skip: 0 }
    : { start: { afterPosition: position - 1 }, skip: taken }
}

/** `past` as text. */
function cursorPast({ position, events }: FeedEntry, taken: number): string {
  return taken >= events.length ? `p${position}.0` : `p${position - 1}.${taken}`
}

interface Cursor {
  readonly start: FeedStart
  /** Events of the next commit that were taken already. */
  readonly skip: number
}

function formatCursor({ start, skip }: Cursor): string {
  return 'auctionId' in start ? `s${start.auctionId}.${start.fromSeq}` : `p${start.afterPosition}.${skip}`
}

function parseCursor(text: string): Cursor | null {
  const all = /^p(\d{1,15})\.(\d{1,6})$/.exec(text)
  if (all) return { start: { afterPosition: Number(all[1]) }, skip: Number(all[2]) }
  const one = /^s(auc_[0-9a-z]{26})\.(\d{1,15})$/.exec(text)
  return one ? { start: { auctionId: one[1] as string, fromSeq: Number(one[2]) }, skip: 0 } : null
}
