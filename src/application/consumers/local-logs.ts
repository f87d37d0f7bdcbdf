import type { AuctionLogs, LogsListener } from '../../ports/store/auction-logs.js'
import type { EventLog } from '../../ports/store/event-log.js'

export interface LocalLogsDeps {
  readonly eventLog: Pick<EventLog, 'heads' | 'read'>
  /** Calls the listener with each auction whose log has grown, once that is durable. Returns what ends it. */
  readonly onGrown: (listener: LogsListener['grown']) => () => void
}

const HEADS_AT_ONCE = 1_000
const PAGE = { commits: 128, bytes: 2 * 1024 * 1024 }

/** The logs of the node in this process. */
export class LocalLogs implements AuctionLogs {
  readonly #deps: LocalLogsDeps

  constructor(deps: LocalLogsDeps) {
    this.#deps = deps
  }

  async follow({ grown }: LogsListener, signal: AbortSignal): Promise<void> {
    const unlisten = this.#deps.onGrown(grown)
    signal.addEventListener('abort', unlisten, { once: true })
    if (signal.aborted) unlisten()
  }

  async heads(after: string | null) {
    const heads = await this.#deps.eventLog.heads(after, HEADS_AT_ONCE)
    return { heads, next: heads.length < HEADS_AT_ONCE ? null : (heads.at(-1)?.auctionId ?? null) }
  }

  read(auctionId: string, fromSeq: number) {
    return this.#deps.eventLog.read(auctionId, fromSeq, PAGE)
  }
}
