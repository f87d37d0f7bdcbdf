import { setTimeout as sleep } from 'node:timers/promises'
import { bidOf } from '../../src/application/log/read-model.js'
import { formatAmount } from '../../src/domain/money.js'
import type { Party } from '../../src/domain/party.js'
import type { FeedItem } from '../../src/ports/node/node-answers.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { Logger } from '../../src/ports/system/logger.js'

interface Common {
  readonly auctionId: string
  /** Of the auction's log: a number for each event, without gaps. */
  readonly seq: number
  /** By its home's clock, UTC milliseconds. */
  readonly at: number
  readonly title: string
  readonly currency: string
  /** Of an auction that this node opened; the others' otherwise. */
  readonly own: boolean
}

export interface AuctionCreated extends Common {
  readonly name: 'auctionCreated'
  readonly seller: Party
  /** Amounts are decimal text. */
  readonly startPrice: string
  readonly opensAt: number | null
  readonly closesAt: number | null
}

export interface BidPlaced extends Common {
  readonly name: 'bidPlaced'
  readonly bidId: string
  readonly bidder: Party
  /** By this node. */
  readonly byMe: boolean
  readonly kind: 'plain' | 'max' | 'max-change' | 'buy-now'
  /** Null: a maximum, which is secret. */
  readonly amount: string | null
  /** After the bid. */
  readonly price: string
  /** False: the leader's maximum answered at once. */
  readonly leads: boolean
}

export interface AuctionFinalized extends Common {
  readonly name: 'auctionFinalized'
  readonly outcome: 'sold' | 'unsold' | 'cancelled'
  readonly winner: Party | null
  /** This node has won. */
  readonly wonByMe: boolean
  readonly price: string | null
}

export interface NodeEventsByName {
  readonly auctionCreated: AuctionCreated
  readonly bidPlaced: BidPlaced
  readonly auctionFinalized: AuctionFinalized
}
export type NodeEvent = NodeEventsByName[keyof NodeEventsByName]

export interface NodeEventsDeps {
  readonly api: () => Pick<NodeApi, 'events' | 'show'>
  readonly nodeId: () => string
  readonly logger: Logger
}

type Listener = (event: never) => void

const WAIT_MS = 20_000
const RETRY_MS = 500
const MAX_KNOWN = 10_000

/** Reads a node's events, page by page, for listeners; each iterator reads for itself, at its own pace. */
export class NodeEvents {
  readonly #deps: NodeEventsDeps
  readonly #listeners = new Map<string, Set<Listener>>()
  /** Of auctions heard of, whether this node sells. */
  readonly #own = new Map<string, boolean>()
  readonly #stop = new AbortController()
  stopped: Promise<void> = Promise.resolve()

  constructor(deps: NodeEventsDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    const { cursor } = await this.#deps.api().events({ waitMs: 0 })
    this.stopped = this.#tell(cursor)
  }

  /** Idempotent. */
  stop(): void {
    this.#stop.abort()
  }

  on<K extends keyof NodeEventsByName>(name: K, listener: (event: NodeEventsByName[K]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener as Listener))
    return () => this.off(name, listener)
  }

  off<K extends keyof NodeEventsByName>(name: K, listener: (event: NodeEventsByName[K]) => void): void {
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

  async #tell(cursor: string): Promise<void> {
    for await (const event of this.#read(cursor, this.#stop.signal)) {
      for (const listener of [...(this.#listeners.get(event.name) ?? [])]) {
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
    let cursor = from
    const ended = new Promise<null>((resolve) =>
      signal.addEventListener('abort', () => resolve(null), { once: true }),
    )
    while (!signal.aborted) {
      try {
        const page = await Promise.race([api().events({ cursor, waitMs: WAIT_MS }), ended])
        if (page === null) return
        const events = await this.#eventsOf(page.items)
        // Told once, whatever happens while they are.
        cursor = page.cursor
        for (const event of events) if (!signal.aborted) yield event
      } catch (error) {
        if (signal.aborted) return
        logger.error({ err: error }, 'the events could not be read; they are read again')
        await Promise.race([sleep(RETRY_MS, null, { ref: false }), ended])
      }
    }
  }

  async #eventsOf(items: readonly FeedItem[]): Promise<NodeEvent[]> {
    const nodeId = this.#deps.nodeId()
    const events: NodeEvent[] = []
    for (const item of items) {
      const event = eventOf(item, { own: await this.#isOwn(item, nodeId), nodeId })
      if (event) events.push(event)
    }
    return events
  }

  async #isOwn({ auctionId, event }: FeedItem, nodeId: string): Promise<boolean> {
    const known = this.#own.get(auctionId)
    if (known !== undefined) return known
    const { seller } =
      event.type === 'AuctionOpened' ? event : (await this.#deps.api().show({ auction: auctionId })).state
    if (this.#own.size >= MAX_KNOWN) this.#own.clear()
    this.#own.set(auctionId, seller.id === nodeId)
    return seller.id === nodeId
  }
}

function eventOf(
  { auctionId, seq, event, title, currency }: FeedItem,
  { own, nodeId }: { own: boolean; nodeId: string },
): NodeEvent | null {
  const amount = (minor: number) => formatAmount(minor, currency)
  const common = { auctionId, seq, at: event.at, title, currency: currency.code, own }
  const bid = bidOf(event)
  if (bid) {
    const { bidId, bidder, kind, price, leads } = bid
    const shown = bid.amount === null ? null : amount(bid.amount)
    const byMe = bidder.id === nodeId
    return {
      name: 'bidPlaced',
      ...common,
      bidId,
      bidder,
      byMe,
      kind,
      amount: shown,
      price: amount(price),
      leads,
    }
  }
  const unsold = { winner: null, wonByMe: false, price: null }
  switch (event.type) {
    case 'AuctionOpened': {
      const { startPrice, opensAt, closesAt } = event.terms
      const start = amount(startPrice)
      return { name: 'auctionCreated', ...common, seller: event.seller, startPrice: start, opensAt, closesAt }
    }
    case 'AuctionClosed': {
      const { result } = event
      if (!result.sold) return { name: 'auctionFinalized', ...common, outcome: 'unsold', ...unsold }
      const { winner, price } = result
      const won = { winner, wonByMe: winner.id === nodeId, price: amount(price) }
      return { name: 'auctionFinalized', ...common, outcome: 'sold', ...won }
    }
    case 'AuctionCancelled':
      return { name: 'auctionFinalized', ...common, outcome: 'cancelled', ...unsold }
    default:
      return null
  }
}
