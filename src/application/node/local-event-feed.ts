import type { EventFeed, FeedBatch } from '../../ports/node/event-feed.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { BreachRepository } from '../../ports/store/breach-repository.js'
import type { EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { Feed, FeedEntry } from '../log/feed.js'
import { feedCursor, placePast, readFeedCursor } from '../log/feed-cursor.js'

export interface LocalEventFeedDeps {
  readonly breaches: Pick<BreachRepository, 'among'>
  readonly equivocations: Pick<EquivocationRepository, 'among'>
  readonly eventLog: Pick<EventLog, 'position'>
  readonly feed: Feed
}

/**
 * The events of a node, for a gateway in its own process. What is published wakes the listener, who takes it from
 * memory as it was written; who has fallen further behind than that reads the log, page by page.
 */
export class LocalEventFeed implements EventFeed {
  readonly #deps: LocalEventFeedDeps

  constructor(deps: LocalEventFeedDeps) {
    this.#deps = deps
  }

  async now(): Promise<string> {
    return feedCursor({ afterPosition: await this.#deps.eventLog.position(), skip: 0 })
  }

  async follow(cursor: string, hear: (batch: FeedBatch) => Promise<void> | null, signal: AbortSignal): Promise<void> {
    const { feed } = this.#deps
    const place = readFeedCursor(cursor)
    if (place === null) throw notOurs()
    let { afterPosition, skip } = place
    while (!signal.aborted) {
      if (feed.stopped) throw new NodeError('STOPPING', 'the node stops')
      const published = feed.published
      const entries = await feed.page({ afterPosition })
      for (const entry of entries) {
        if (signal.aborted) return
        // Most are for nobody, and then there is nothing to wait for.
        const heard = hear(new Entry(entry, skip, this.#deps))
        if (heard) await heard
        afterPosition = entry.position
        skip = 0
      }
      if (entries.length === 0) await feed.changed(published, signal)
    }
  }
}

/** What is left of a commit after its first events. */
class Entry implements FeedBatch {
  readonly auctionId: string
  readonly firstSeq: number
  readonly events: FeedEntry['events']
  readonly #entry: FeedEntry
  readonly #skip: number
  readonly #deps: LocalEventFeedDeps

  constructor(entry: FeedEntry, skip: number, deps: LocalEventFeedDeps) {
    this.auctionId = entry.auctionId
    this.firstSeq = entry.firstSeq + skip
    this.events = skip === 0 ? entry.events : entry.events.slice(skip)
    this.#entry = entry
    this.#skip = skip
    this.#deps = deps
  }

  disputed(): Promise<boolean> {
    return isDisputed(this.auctionId, this.#deps)
  }

  cursor(taken: number): string {
    return feedCursor(placePast(this.#entry, this.#skip + taken))
  }
}

/** Its home has signed two histories, or does not keep to what it has signed. */
export async function isDisputed(
  auctionId: string,
  { breaches, equivocations }: Pick<LocalEventFeedDeps, 'breaches' | 'equivocations'>,
): Promise<boolean> {
  const forked = await equivocations.among([auctionId])
  return forked.has(auctionId) || (await breaches.among([auctionId])).has(auctionId)
}

/** Of another database, perhaps. */
export function notOurs(): NodeError {
  return new NodeError('INVALID_INPUT', 'the cursor is not one that this node gave', {
    field: 'cursor',
    next: 'leave it out to start anew',
  })
}
