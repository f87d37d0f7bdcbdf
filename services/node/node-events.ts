import { setTimeout as sleep } from 'node:timers/promises'
import { AuctionFactsCache } from '../../src/application/gateway/auction-facts.js'
import { EventMaker } from '../../src/application/gateway/event-maker.js'
import type { EventOf, EventType } from '../../src/application/gateway/public-events.js'
import type { EventFeed, FeedBatch } from '../../src/ports/node/event-feed.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { Logger } from '../../src/ports/system/logger.js'

/** As gateways send them, with whether this node has opened the auction. */
export type NodeEventsByType = { readonly [T in EventType]: EventOf<T> & { readonly own: boolean } }
export type NodeEvent = NodeEventsByType[EventType]

export interface NodeEventsDeps {
  readonly api: () => Pick<NodeApi, 'history' | 'show'>
  readonly feed: () => EventFeed
  readonly nodeId: () => string
  readonly logger: Logger
}

type Listener = (event: never) => void

/** Resolves when the event may be followed by the next. */
type Hear = (event: NodeEvent) => Promise<void> | void

const RETRY_MS = 500

/** A node's events, as they happen, for listeners; each iterator follows them for itself, at its own pace. */
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
    const cursor = await this.#deps.feed().now()
    this.stopped = this.#follow(cursor, (event) => this.#notify(event), this.#stop.signal)
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
    const from = this.#deps.feed().now()
    // Its failure is the reader's, who may come later.
    from.catch(() => {})
    const read = (cursor: string) => this.#read(cursor, AbortSignal.any([closed.signal, this.#stop.signal]))
    return {
      close: () => closed.abort(),
      async *[Symbol.asyncIterator]() {
        yield* read(await from)
      },
    }
  }

  #notify(event: NodeEvent): void {
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) {
      try {
        listener(event as never)
      } catch (error) {
        // A mistake of the program, not of the node: thrown again, so that the program sees it.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  async *#read(from: string, signal: AbortSignal): AsyncGenerator<NodeEvent, void, undefined> {
    if (signal.aborted) return
    const left = new AbortController()
    const handover = new Handover<NodeEvent>()
    const until = AbortSignal.any([signal, left.signal])
    until.addEventListener('abort', () => handover.end(), { once: true })
    const following = this.#follow(from, (event) => handover.give(event), until)
    try {
      for (let event = await handover.take(); event !== null; event = await handover.take()) yield event
    } finally {
      left.abort()
      await following
    }
  }

  /** Resolves soon after the signal aborts. Each event is heard once, whatever happens meanwhile. */
  async #follow(from: string, hear: Hear, signal: AbortSignal): Promise<void> {
    const { feed, logger } = this.#deps
    const maker = this.#newMaker()
    let cursor = from
    const take = async (batch: FeedBatch) => {
      const { auctionId, firstSeq, events } = batch
      const disputed = await batch.disputed()
      for (const [i, event] of events.entries()) {
        if (signal.aborted) return
        const made = await maker.of({ auctionId, seq: firstSeq + i, event, disputed })
        const own = made !== null && (await this.#facts.of(auctionId)).sellerId === this.#deps.nodeId()
        cursor = batch.cursor(i + 1)
        if (made !== null && !signal.aborted) await hear({ ...made, own })
      }
    }
    while (!signal.aborted) {
      try {
        await feed().follow(cursor, take, signal)
      } catch (error) {
        if (signal.aborted) return
        logger.error({ err: error }, 'the events could not be read; they are read again')
        await sleep(RETRY_MS, null, { ref: false, signal }).catch(() => {})
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
}

/** Whoever gives waits until the one before has been taken, and whoever takes until there is one. */
class Handover<T> {
  #given: T | null = null
  #wake: (() => void) | null = null
  #ended = false

  async give(thing: T): Promise<void> {
    this.#given = thing
    this.#wake?.()
    while (this.#given !== null && !this.#ended) await this.#change()
  }

  /** Null at the end. */
  async take(): Promise<T | null> {
    while (this.#given === null && !this.#ended) await this.#change()
    const taken = this.#ended ? null : this.#given
    this.#given = null
    this.#wake?.()
    return taken
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  /** Both never wait at once. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
