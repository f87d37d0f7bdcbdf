import type { AuctionLogs, LogsListener } from '../../ports/store/auction-logs.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'

const HEADS_AT_ONCE = 1_000
const PAGE = { commits: 128, bytes: 2 * 1024 * 1024 }

/** The logs of the node in this process. */
export class LocalLogs implements AuctionLogs {
  readonly #log: PublishingEventLog

  constructor(deps: { readonly eventLog: PublishingEventLog }) {
    this.#log = deps.eventLog
  }

  async follow({ grown }: LogsListener, signal: AbortSignal): Promise<void> {
    const unlisten = this.#log.onPublished(({ commit, events }) => grown(commit.auctionId, events.length))
    signal.addEventListener('abort', unlisten, { once: true })
    if (signal.aborted) unlisten()
  }

  async heads(after: string | null) {
    const heads = await this.#log.heads(after, HEADS_AT_ONCE)
    return { heads, next: heads.length < HEADS_AT_ONCE ? null : (heads.at(-1)?.auctionId ?? null) }
  }

  read(auctionId: string, fromSeq: number) {
    return this.#log.read(auctionId, fromSeq, PAGE)
  }
}
