import { ClientError } from './client-error.js'
import { EventQueue } from './event-queue.js'
import type { Auction, EventMessage, ReplyMessage, SentMessage } from './messages.js'
import { type AuctionWatch, QueuedWatch, type Watch, type WatchOptions } from './queued-watch.js'
import type { ServerClock } from './server-clock.js'
import type { TimeSource } from './time-source.js'

export interface WatchesDeps {
  readonly clock: ServerClock
  readonly time: TimeSource
  /** False: there is no connection. */
  readonly send: (message: SentMessage) => boolean
}

/** A subscription that the gateway has not confirmed: its node may not know of the auction yet. */
const RETRY_MS = 1_000
/** The most auctions whose place in the catalogue is remembered; beyond this, the longest silent are forgotten. */
const MAX_KNOWN = 100_000
/** Homes' clocks differ: what was stamped this much before the start may have happened after it. */
const CLOCK_MARGIN_MS = 60_000
const FIRST_CURSOR = 'p0.0'

interface Topic {
  readonly watches: Set<QueuedWatch>
  confirmed: boolean
}

/** What is watched, over one connection that comes and goes. */
export class Watches {
  readonly #deps: WatchesDeps
  readonly #topics = new Map<string, Topic>()
  readonly #catalogues = new Set<EventQueue>()
  readonly #known = new Map<string, number>()
  #catalogueFrom: { gateway: string; cursor: string | null } | null = null
  #catalogueSinceMs: number | null = null
  #gateway = ''
  #retry: { cancel(): void } | null = null

  constructor(deps: WatchesDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#topics.size + this.#catalogues.size
  }

  /** Events past `afterSeq`. */
  auction(auction: Auction, options: WatchOptions & { readonly afterSeq: number }): AuctionWatch {
    const { auction_id: id } = auction
    const topic: Topic = this.#topics.get(id) ?? { watches: new Set(), confirmed: false }
    const queue = new EventQueue({
      onRoom: () => {
        if (watch.behind) this.#subscribe(id)
      },
      onClose: () => {
        topic.watches.delete(watch)
        if (topic.watches.size > 0 || this.#topics.get(id) !== topic) return
        this.#topics.delete(id)
        this.#deps.send({ type: 'unsubscribe', auction_id: id })
      },
    })
    const watch = new QueuedWatch(auction, queue, options)
    topic.watches.add(watch)
    this.#topics.set(id, topic)
    this.#subscribe(id)
    return watch
  }

  /** Every auction's events, from now on. */
  catalogue(): Watch {
    const queue = new EventQueue({
      onRoom: () => {},
      onClose: () => {
        this.#catalogues.delete(queue)
        if (this.#catalogues.size > 0) return
        this.#catalogueFrom = null
        this.#catalogueSinceMs = null
        this.#known.clear()
        this.#deps.send({ type: 'unsubscribe', catalogue: true })
      },
    })
    this.#catalogues.add(queue)
    if (this.#catalogues.size === 1) this.#subscribeAll()
    return watchOf(queue)
  }

  online(gateway: string): void {
    this.#gateway = gateway
    for (const id of this.#topics.keys()) this.#subscribe(id)
    if (this.#catalogues.size > 0) this.#subscribeAll()
  }

  lost(): void {
    for (const topic of this.#topics.values()) topic.confirmed = false
  }

  message(message: ReplyMessage | EventMessage): void {
    if (message.type === 'subscribed') {
      const topic = this.#topics.get(message.auction_id ?? '')
      if (topic) topic.confirmed = true
      // Where it moves at this gateway, that comes next.
      for (const watch of topic?.watches ?? []) watch.move({ moving: false, since: null })
    } else if (message.type === 'presence') {
      const { auction_id, watchers, names } = message
      for (const watch of this.#topics.get(auction_id)?.watches ?? []) watch.present({ watchers, names })
    } else if (message.type === 'auction_moving') {
      const { auction_id, moving, since } = message
      for (const watch of this.#topics.get(auction_id)?.watches ?? []) watch.move({ moving, since })
    } else if (isEvent(message)) {
      if (message.cursor !== undefined) this.#ofCatalogue(message, message.cursor)
      else this.#ofAuction(message)
    }
  }

  close(): void {
    this.#retry?.cancel()
    for (const { watches } of [...this.#topics.values()]) for (const watch of [...watches]) watch.close()
    for (const queue of [...this.#catalogues]) queue.close()
  }

  #subscribe(id: string): void {
    const topic = this.#topics.get(id)
    if (!topic) return
    topic.confirmed = false
    const watches = [...topic.watches]
    for (const watch of watches) watch.behind = false
    const from = Math.min(...watches.map(({ seq }) => seq)) + 1
    const mode = watches.every((watch) => watch.mode === 'newest') ? 'newest' : 'all'
    const presence = watches.some((watch) => watch.presence)
    const request = { type: 'subscribe', auction_id: id, from_seq: from, mode } as const
    if (!this.#deps.send({ ...request, ...(presence && { presence }) })) return
    this.#retry ??= this.#deps.time.after(RETRY_MS, () => this.#askAgain())
  }

  #askAgain(): void {
    this.#retry = null
    for (const [id, { confirmed }] of this.#topics) if (!confirmed) this.#subscribe(id)
  }

  #ofAuction(event: EventMessage): void {
    const topic = this.#topics.get(event.auction_id)
    if (!topic) return
    for (const watch of [...topic.watches]) {
      // One missing: what is asked for again starts behind the last.
      if (watch.offer(event) === 'gap' && topic.confirmed) this.#subscribe(event.auction_id)
    }
  }

  #subscribeAll(): void {
    const { clock, send } = this.#deps
    const from = this.#catalogueFrom
    // Cursors are places in the list of one gateway's node. Elsewhere that list is read from its start, and what is
    // known of it, or older than this watch, is left out: the latter by the gateway, so that it is not sent.
    const cursor =
      from === null ? undefined : from.gateway === this.#gateway && from.cursor ? from.cursor : FIRST_CURSOR
    const sinceMs = (this.#catalogueSinceMs ?? clock.now()) - CLOCK_MARGIN_MS
    const since = cursor === FIRST_CURSOR && { since: new Date(sinceMs).toISOString() }
    if (!send({ type: 'subscribe', catalogue: true, ...(cursor !== undefined && { cursor }), ...since })) return
    this.#catalogueSinceMs ??= clock.now()
    this.#catalogueFrom = {
      gateway: this.#gateway,
      cursor: cursor === FIRST_CURSOR ? null : (cursor ?? null),
    }
  }

  #ofCatalogue(event: EventMessage, cursor: string): void {
    const { auction_id: id, seq, timestamp } = event
    this.#catalogueFrom = { gateway: this.#gateway, cursor }
    const known = this.#known.get(id)
    if (known !== undefined && seq <= known) return
    const sinceMs = (this.#catalogueSinceMs ?? 0) - CLOCK_MARGIN_MS
    if (known === undefined && Date.parse(timestamp) < sinceMs) return
    this.#known.delete(id)
    this.#known.set(id, seq)
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value as string)
    for (const queue of [...this.#catalogues]) {
      if (queue.full) queue.close(new ClientError('TOO_SLOW', 'too many events of the catalogue wait to be taken'))
      else queue.push(event)
    }
  }
}

function watchOf(queue: EventQueue): Watch {
  return {
    on: (type, listener) => queue.on(type, listener),
    off: (type, listener) => queue.off(type, listener),
    close: () => queue.close(),
    [Symbol.asyncIterator]: () => queue.iterate(),
  }
}

function isEvent(message: ReplyMessage | EventMessage): message is EventMessage {
  return 'title' in message && 'seq' in message
}
