import { setTimeout as sleep } from 'node:timers/promises'
import type { EventFeed, FeedBatch } from '../../ports/node/event-feed.js'
import type { FeedItem } from '../../ports/node/node-answers.js'
import type { NodeApi } from '../../ports/node/node-api.js'

const WAIT_MS = 20_000
const PAGE = 1_000
/** Between two questions to a node that answers at once that there is nothing, as one does that stops. */
const IDLE_MS = 20

/** The events of a node in another process: asked for page by page, each question waiting for the next event. */
export class PolledEventFeed implements EventFeed {
  readonly #api: Pick<NodeApi, 'events'>

  constructor({ api }: { api: Pick<NodeApi, 'events'> }) {
    this.#api = api
  }

  async now(): Promise<string> {
    return (await this.#api.events({ waitMs: 0 })).cursor
  }

  async follow(from: string, hear: (batch: FeedBatch) => Promise<void> | null, signal: AbortSignal): Promise<void> {
    let cursor = from
    while (!signal.aborted) {
      const page = await this.#api.events({ cursor, waitMs: WAIT_MS, limit: PAGE })
      for (const batch of batchesOf(page.items, cursor)) {
        if (signal.aborted) return
        const heard = hear(batch)
        if (heard) await heard
      }
      cursor = page.cursor
      if (page.items.length === 0) await sleep(IDLE_MS, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** Items that follow each other in one auction go together. `before`: the cursor of the page. */
function* batchesOf(items: readonly FeedItem[], before: string): Generator<FeedBatch> {
  let start = 0
  let cursor = before
  while (start < items.length) {
    const first = items[start] as FeedItem
    let end = start + 1
    while (items[end]?.auctionId === first.auctionId && items[end]?.seq === first.seq + (end - start)) end++
    const run = items.slice(start, end)
    const from = cursor
    const cursorAfter = (taken: number) => run[taken - 1]?.cursor ?? from
    yield {
      auctionId: first.auctionId,
      firstSeq: first.seq,
      events: run.map(({ event }) => event),
      disputed: () => Promise.resolve(first.disputed),
      cursor: cursorAfter,
    }
    cursor = cursorAfter(run.length)
    start = end
  }
}
