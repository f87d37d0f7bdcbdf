import { setTimeout as sleep } from 'node:timers/promises'
import type { EventFeed, FeedBatch } from '../../ports/node/event-feed.js'
import type { FeedItem } from '../../ports/node/node-answers.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { EventsRequest } from '../../ports/node/node-requests.js'
import type { Logger } from '../../ports/system/logger.js'
import type { AuctionFactsCache } from './auction-facts.js'
import { CursorMarks } from './cursor-marks.js'
import { EventMaker } from './event-maker.js'
import type { GatewayMetrics } from './gateway-metrics.js'
import { LiveMessage } from './live-message.js'

export interface EventHubDeps {
  readonly api: Pick<NodeApi, 'events' | 'history'>
  readonly facts: AuctionFactsCache
  readonly feed: EventFeed
  readonly logger: Logger
  readonly metrics: GatewayMetrics
}

export type Listener = (message: LiveMessage) => void

const REPLAY_PAGE = 200
/** After the node did not answer. */
const RETRY_MS = [100, 250, 500, 1_000, 2_000] as const
/** A node that has been followed for so long was there. */
const LASTED_MS = 5_000

/**
 * The one reader of the node's events in a gateway, and its listeners. No event comes twice or in another order; after
 * a time in which the node could not be reached, it goes on where it was.
 */
export class EventHub {
  readonly #deps: EventHubDeps
  readonly #maker: EventMaker
  readonly #ofAuction = new Map<string, Set<Listener>>()
  readonly #ofAll = new Set<Listener>()
  readonly #onGap = new Set<() => void>()
  readonly #marks = new CursorMarks()
  readonly #stopped = new AbortController()
  #begun = ''
  /** What was heard last, and how much of it has been handed on. */
  #batch: FeedBatch | null = null
  #taken = 0
  #running: Promise<void> | null = null

  constructor(deps: EventHubDeps) {
    this.#deps = deps
    this.#maker = this.#newMaker()
  }

  /** Resolves once events from now on will be heard. Rejects with `NodeError` where the node does not answer. */
  async start(): Promise<void> {
    if (this.#running) return
    this.#begun = await this.#deps.feed.now()
    this.#running = this.#run()
  }

  /** Does not wait for a call that waits for the next event: the node's stop ends that. */
  stop(): void {
    this.#stopped.abort()
    this.#ofAll.clear()
    this.#ofAuction.clear()
  }

  /** After everything that has been sent so far. */
  get cursor(): string {
    return this.#batch?.cursor(this.#taken) ?? this.#begun
  }

  /** Nothing past it had been heard at this time (UTC milliseconds); null where that is not known any more. */
  cursorAt(ms: number): string | null {
    return this.#marks.before(ms)
  }

  /** Hears one auction, or all; from the next event on. Call the answer to hear no more. */
  listen(auctionId: string | null, listener: Listener): () => void {
    if (auctionId === null) {
      this.#ofAll.add(listener)
      return () => this.#ofAll.delete(listener)
    }
    let listeners = this.#ofAuction.get(auctionId)
    if (listeners === undefined) {
      listeners = new Set()
      this.#ofAuction.set(auctionId, listeners)
    }
    const mine = listeners
    mine.add(listener)
    return () => {
      mine.delete(listener)
      if (mine.size === 0 && this.#ofAuction.get(auctionId) === mine) this.#ofAuction.delete(auctionId)
    }
  }

  /** Called where events may have been missed: whoever knows a seq should read on from it. */
  onGap(callback: () => void): () => void {
    this.#onGap.add(callback)
    return () => this.#onGap.delete(callback)
  }

  /** What the log holds of an auction from a seq on. */
  replay(auction: string, fromSeq: number): AsyncGenerator<LiveMessage[], void, undefined> {
    return this.#pages({ auction, fromSeq })
  }

  /** What has happened anywhere past a cursor, and not before `sinceMs`. */
  replayAll(cursor: string, sinceMs = 0): AsyncGenerator<LiveMessage[], void, undefined> {
    return this.#pages({ cursor }, sinceMs)
  }

  async *#pages(
    start: Pick<EventsRequest, 'auction' | 'fromSeq' | 'cursor'>,
    sinceMs = 0,
  ): AsyncGenerator<LiveMessage[], void, undefined> {
    const maker = this.#newMaker()
    let request: Pick<EventsRequest, 'auction' | 'fromSeq' | 'cursor'> = start
    for (;;) {
      const { items, cursor } = await this.#deps.api.events({ ...request, waitMs: 0, limit: REPLAY_PAGE })
      if (items.length === 0) return
      const page: LiveMessage[] = []
      for (const item of items) {
        if (item.event.at < sinceMs) {
          maker.skip(item)
          continue
        }
        const message = await maker.of(item)
        if (message) page.push(new LiveMessage(message, item.cursor ?? null))
      }
      yield page
      request = { cursor }
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    const { feed, logger } = this.#deps
    let failures = 0
    let anew = false
    const hear = (batch: FeedBatch) => this.#hear(batch)
    while (!signal.aborted) {
      const startedMs = performance.now()
      try {
        if (anew) await this.#startAnew()
        anew = false
        await feed.follow(this.cursor, hear, signal)
      } catch (error) {
        if (signal.aborted) return
        // Another database than before: its cursors are not ours.
        anew ||= error instanceof NodeError && error.field === 'cursor'
        if (performance.now() - startedMs > LASTED_MS) failures = 0
        if (failures === 0) logger.warn({ err: error }, "the node's events cannot be read; trying again")
        const delayMs = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]
        failures += 1
        await sleep(delayMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  async #startAnew(): Promise<void> {
    this.#begun = await this.#deps.feed.now()
    this.#batch = null
    this.#marks.clear()
    for (const callback of this.#onGap) callback()
  }

  /** Null where nobody wants to hear it: that costs no more than a look. */
  #hear(batch: FeedBatch): Promise<void> | null {
    const { auctionId, events } = batch
    this.#marks.note(Date.now(), this.cursor)
    this.#deps.metrics.events(events.length)
    this.#batch = batch
    this.#taken = 0
    if (this.#ofAll.size > 0 || this.#ofAuction.has(auctionId)) return this.#notify(batch)
    for (const event of events) this.#maker.skip({ auctionId, event })
    this.#taken = events.length
    return null
  }

  async #notify(batch: FeedBatch): Promise<void> {
    const { auctionId, firstSeq, events } = batch
    const disputed = await batch.disputed()
    for (const event of events) {
      const taken = this.#taken
      const made = await this.#maker.of({ auctionId, seq: firstSeq + taken, event, disputed })
      this.#taken = taken + 1
      if (made) this.#notifyListeners(new LiveMessage(made, batch.cursor(this.#taken)))
      this.#deps.metrics.feed.observe(Math.max(0, Date.now() - event.at) / 1_000)
    }
  }

  #notifyListeners(message: LiveMessage): void {
    // Whoever begins to listen meanwhile hears it too, and knows by its seq whether it is new.
    for (const listener of this.#ofAuction.get(message.auctionId) ?? []) listener(message)
    for (const listener of this.#ofAll) listener(message)
  }

  #newMaker(): EventMaker {
    const unshown = ({ auctionId, seq }: FeedItem, error: unknown) =>
      this.#deps.logger.error({ err: error, auctionId, seq }, 'an event cannot be shown, and is left out')
    return new EventMaker({ ...this.#deps, unshown })
  }
}
