import { setTimeout as sleep } from 'node:timers/promises'
import { AuctionFactsCache } from '../../src/application/gateway/auction-facts.js'
import { EventMaker } from '../../src/application/gateway/event-maker.js'
import type { EventOf, EventType } from '../../src/application/gateway/public-events.js'
import type { FeedItem } from '../../src/ports/node/node-answers.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { Logger } from '../../src/ports/system/logger.js'

/** As gateways send them, with whether this node has opened the auction. */
export type NodeEventsByType = { readonly [T in EventType]: EventOf<T> & { readonly own: boolean } }
export type NodeEvent = NodeEventsByType[EventType]

export interface NodeEventsDeps {
  readonly api: () => Pick<NodeApi, 'events' | 'history' | 'show'>
  readonly nodeId: () => string
  readonly logger: Logger
}

type Listener = (event: never) => void

const WAIT_MS = 20_000
const RETRY_MS = 500

/** Reads a node's events, page by page, for listeners; each iterator reads for itself, at its own pace. */
export class NodeEvents {
  readonly #deps: NodeEventsDeps
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #facts: AuctionFactsCache
  readonly #stop = new AbortController()
  stopped: Promise<void> = Promise.resolve()

  constructor(deps: NodeEventsDeps) {
    this.#deps = deps
    this.#facts = new AuctionFactsCache({ api: { show: (request) => deps.api().show(request) } })
  }

  async start(): Promise<void> {
    const { cursor } = await this.#deps.api().events({ waitMs: 0 })
    this.stopped = this.#notify(cursor)
  }

  /** Idempotent. */
  stop(): void {
    this.#stop.abort()
  }

  on<K extends keyof NodeEventsByType>(name: K, listener: (event: NodeEventsByType[K]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener as Listener))
    return () => this.off(name, listener)
  }

  off<K extends keyof NodeEventsByType>(name: K, listener: (event: NodeEventsByType[K]) => void): void {
    this.#listeners.get(name)?.delete(listener as Listener)
  }

  iterate(): AsyncIterable<NodeEvent> & { close(): void } {
    const closed = new AbortController()
    const from = this.#deps.api().events({ waitMs: 0 })
    // Its failure is the reader's, who may come later.
    from.catch(() => {})
    const read = (cursor: string) => this.#read(cursor, AbortSignal.any([closed.signal, this.#stop.signal]))
    return {
      close: () => closed.abort(),
      async *[Symbol.asyncIterator]() {
        yield* read((await from).cursor)
      },
    }
  }

  async #notify(cursor: string): Promise<void> {
    for await (const event of this.#read(cursor, this.#stop.signal)) {
      for (const listener of [...(this.#listeners.get(event.type) ?? [])]) {
        try {
          listener(event as never)
        } catch (error) {
          // The program's mistake, not the node's: where it is thrown again, the program hears of it.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    }
  }

  async *#read(from: string, signal: AbortSignal): AsyncGenerator<NodeEvent, void, undefined> {
    const { api, logger } = this.#deps
    const maker = this.#newMaker()
    let cursor = from
    const ended = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }))
    while (!signal.aborted) {
      try {
        const page = await Promise.race([api().events({ cursor, waitMs: WAIT_MS }), ended])
        if (page === null) return
        const events = await this.#made(maker, page.items)
        // Each is delivered once, whatever happens meanwhile.
        cursor = page.cursor
        for (const event of events) if (!signal.aborted) yield event
      } catch (error) {
        if (signal.aborted) return
        logger.error({ err: error }, 'the events could not be read; they are read again')
        await Promise.race([sleep(RETRY_MS, null, { ref: false }), ended])
      }
    }
  }

  #newMaker(): EventMaker {
    const { api, logger } = this.#deps
    return new EventMaker({
      api: { history: (request) => api().history(request) },
      facts: this.#facts,
      unshown: ({ auctionId, seq }, error) =>
        logger.error({ err: error, auctionId, seq }, 'an event cannot be shown, and is left out'),
    })
  }

  async #made(maker: EventMaker, items: readonly FeedItem[]): Promise<NodeEvent[]> {
    const nodeId = this.#deps.nodeId()
    const made: NodeEvent[] = []
    for (const event of await maker.all(items)) {
      const { sellerId } = await this.#facts.of(event.auction_id)
      made.push({ ...event, own: sellerId === nodeId })
    }
    return made
  }
}
