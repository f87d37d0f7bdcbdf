import type { NodeApi } from '../../ports/node/node-api.js'
import type { AuctionLogs, LogsListener } from '../../ports/store/auction-logs.js'

const HEADS_AT_ONCE = 200
const EVENTS_AT_ONCE = 1_000
const WAIT_MS = 20_000

/** The logs of a node in another process. It holds its answers back until there is news: nothing is polled. */
export class RemoteLogs implements AuctionLogs {
  readonly #api: Pick<NodeApi, 'events' | 'list' | 'log'>

  constructor({ api }: { readonly api: Pick<NodeApi, 'events' | 'list' | 'log'> }) {
    this.#api = api
  }

  async follow(listener: LogsListener, signal: AbortSignal): Promise<void> {
    const { cursor } = await this.#api.events({ waitMs: 0 })
    this.#listen(cursor, listener, signal).catch((error: unknown) => {
      if (!signal.aborted) listener.lost(error)
    })
  }

  async #listen(from: string, { grown }: LogsListener, signal: AbortSignal): Promise<void> {
    let cursor = from
    while (!signal.aborted) {
      const page = await this.#api.events({ cursor, waitMs: WAIT_MS, limit: EVENTS_AT_ONCE })
      if (signal.aborted) return
      const counts = new Map<string, number>()
      for (const { auctionId } of page.items) counts.set(auctionId, (counts.get(auctionId) ?? 0) + 1)
      for (const [auctionId, events] of counts) grown(auctionId, events)
      cursor = page.cursor
    }
  }

  /** Newest opened first: what is opened meanwhile is heard of by `follow`. */
  async heads(after: string | null) {
    const { auctions, next } = await this.#api.list({ limit: HEADS_AT_ONCE, ...(after !== null && { cursor: after }) })
    return { heads: auctions.map(({ auctionId, head }) => ({ auctionId, ...head })), next }
  }

  async read(auctionId: string, fromSeq: number) {
    const { commits, head } = await this.#api.log({ auction: auctionId, fromSeq })
    return fromSeq > head.seq ? [] : commits
  }
}
