import { setTimeout as sleep } from 'node:timers/promises'
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
  readonly logger: Logger
  readonly metrics: GatewayMetrics
}

export type Listener = (message: LiveMessage) => void

const WAIT_MS = 20_000
const PAGE = 1_000
const REPLAY_PAGE = 200
/** Between two questions to a node that answers at once that there is nothing. */
const IDLE_MS = 20
/** After the node did not answer. */
const RETRY_MS = [100, 250, 500, 1_000, 2_000] as const

/**
 * The one reader of the node's events in a gateway, and its listeners. Nobody is told twice or in another order; after
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
  #cursor: string | null = null
  #running: Promise<void> | null = null

  constructor(deps: EventHubDeps) {
    this.#deps = deps
    this.#maker = this.#newMaker()
  }

  /** Resolves once events from now on will be heard. Rejects with `NodeError` where the node does not answer. */
  async start(): Promise<void> {
    if (this.#running) return
    this.#cursor = (await this.#deps.api.events({ waitMs: 0 })).cursor
    this.#running = this.#run(this.#cursor)
  }

  /** Does not wait for a call that waits for the next event: the node's stop ends that. */
  stop(): void {
    this.#stopped.abort()
    this.#ofAll.clear()
    this.#ofAuction.clear()
  }

  /** Past all that has been told so far. */
  get cursor(): string {
    return this.#cursor ?? ''
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

  async #run(start: string): Promise<void> {
    let cursor: string | null = start
    let failures = 0
    while (!this.#stopped.signal.aborted) {
      try {
        const askedAt = Date.now()
        const request: EventsRequest = { waitMs: cursor === null ? 0 : WAIT_MS, limit: PAGE }
        const page = await this.#deps.api.events(cursor === null ? request : { ...request, cursor })
        if (this.#stopped.signal.aborted) return
        if (cursor !== null) this.#marks.note(askedAt, cursor)
        for (const item of page.items) {
          // Most are for nobody, and cost no more than a look.
          const told = this.#tell(item)
          if (told) await told
        }
        const missed = cursor === null
        cursor = page.cursor
        this.#cursor = cursor
        if (missed) for (const callback of this.#onGap) callback()
        failures = 0
        // A node that stops answers at once, and empty.
        if (page.items.length === 0) await sleep(IDLE_MS, undefined, { signal: this.#stopped.signal })
      } catch (error) {
        if (this.#stopped.signal.aborted) return
        // Another database than before: its cursors are not ours.
        if (error instanceof NodeError && error.field === 'cursor') {
          cursor = null
          this.#marks.clear()
        }
        if (failures === 0)
          this.#deps.logger.warn({ err: error }, "the node's events cannot be read; trying again")
        const delayMs = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]
        failures += 1
        await sleep(delayMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined)
      }
    }
  }

  #tell(item: FeedItem): Promise<void> | null {
    this.#deps.metrics.event()
    const heard = this.#ofAll.size > 0 || this.#ofAuction.has(item.auctionId)
    if (heard) return this.#tellListeners(item)
    this.#maker.skip(item)
    return null
  }

  #newMaker(): EventMaker {
    const unshown = ({ auctionId, seq }: FeedItem, error: unknown) =>
      this.#deps.logger.error({ err: error, auctionId, seq }, 'an event cannot be shown, and is left out')
    return new EventMaker({ ...this.#deps, unshown })
  }

  async #tellListeners(item: FeedItem): Promise<void> {
    const event = await this.#maker.of(item)
    if (event) {
      const message = new LiveMessage(event, item.cursor ?? null)
      // Whoever begins to listen meanwhile hears it too, and knows by its seq whether it is new.
      for (const listener of this.#ofAuction.get(item.auctionId) ?? []) listener(message)
      for (const listener of this.#ofAll) listener(message)
    }
    this.#deps.metrics.feed.observe(Math.max(0, Date.now() - item.event.at) / 1_000)
  }
}
