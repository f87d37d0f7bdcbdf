import { isPastCursor } from '../log/feed-cursor.js'
import type { EventHub } from './event-hub.js'
import type { LiveMessage } from './live-message.js'

export interface SubscriptionDeps {
  readonly hub: EventHub
  readonly deliver: (message: LiveMessage) => void
  /** Resolves when more may be delivered: a replay waits for slow readers, live events do not. */
  readonly ready: () => Promise<void>
  /** The replay failed: nothing more comes. */
  readonly fail: (error: unknown) => void
}

/**
 * One auction for one reader: every event past a seq, in order, none missing and none twice. Live events are passed
 * on as long as they follow each other; where one is missing, the log is read on from the last.
 */
export class AuctionSubscription {
  readonly auctionId: string
  readonly #deps: SubscriptionDeps
  readonly #unlisten: (() => void)[]
  #last: number
  /** The newest seq heard of while the log is read. */
  #offered = 0
  #reading = false
  #closed = false

  constructor(deps: SubscriptionDeps, options: { readonly auctionId: string; readonly afterSeq: number }) {
    this.#deps = deps
    this.auctionId = options.auctionId
    this.#last = options.afterSeq
    this.#unlisten = [
      deps.hub.listen(options.auctionId, (message) => this.#offer(message)),
      deps.hub.onGap(() => this.catchUp()),
    ]
  }

  get lastSeq(): number {
    return this.#last
  }

  close(): void {
    this.#closed = true
    for (const unlisten of this.#unlisten) unlisten()
  }

  /** Reads what the log holds past the last event. */
  catchUp(): void {
    if (this.#reading || this.#closed) return
    this.#reading = true
    this.#read()
      .catch((error: unknown) => {
        if (!this.#closed) this.#deps.fail(error)
      })
      .finally(() => {
        this.#reading = false
        if (this.#offered > this.#last) this.catchUp()
      })
  }

  #offer(message: LiveMessage): void {
    if (this.#reading || message.seq > this.#last + 1) {
      this.#offered = Math.max(this.#offered, message.seq)
      this.catchUp()
      return
    }
    if (message.seq <= this.#last) return
    this.#last = message.seq
    this.#deps.deliver(message)
  }

  async #read(): Promise<void> {
    for await (const page of this.#deps.hub.replay(this.auctionId, this.#last + 1)) {
      for (const message of page) {
        if (this.#closed) return
        if (message.seq <= this.#last) continue
        this.#last = message.seq
        this.#deps.deliver(message)
      }
      await this.#deps.ready()
    }
  }
}

/** The most live events that wait while the catalogue is read; beyond this, it is read on from the last one sent. */
const MAX_WAITING = 10_000

/** All auctions for one reader, past a cursor. */
export class CatalogueSubscription {
  readonly #deps: SubscriptionDeps
  readonly #unlisten: (() => void)[]
  readonly #sinceMs: number
  #cursor: string
  #waiting: LiveMessage[] | null = null
  #overflowed = false
  #closed = false

  /** What happened before `sinceMs` (UTC milliseconds) is left out of what is read past the cursor. */
  constructor(
    deps: SubscriptionDeps,
    options: { readonly cursor: string | null; readonly sinceMs?: number | undefined },
  ) {
    this.#deps = deps
    this.#cursor = options.cursor ?? deps.hub.cursor
    this.#sinceMs = options.sinceMs ?? 0
    const heard = deps.hub.cursorAt(this.#sinceMs)
    if (heard !== null && isPastCursor(heard, this.#cursor)) this.#cursor = heard
    this.#unlisten = [deps.hub.listen(null, (message) => this.#offer(message)), deps.hub.onGap(() => this.catchUp())]
    if (options.cursor !== null) this.catchUp()
  }

  close(): void {
    this.#closed = true
    for (const unlisten of this.#unlisten) unlisten()
  }

  catchUp(): void {
    if (this.#waiting !== null || this.#closed) return
    this.#waiting = []
    this.#read().catch((error: unknown) => {
      if (!this.#closed) this.#deps.fail(error)
    })
  }

  #offer(message: LiveMessage): void {
    if (this.#waiting === null) this.#take(message)
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(message)
    else this.#overflowed = true
  }

  #take(message: LiveMessage): void {
    if (this.#closed || message.cursor === null || !isPastCursor(message.cursor, this.#cursor)) return
    this.#cursor = message.cursor
    this.#deps.deliver(message)
  }

  async #read(): Promise<void> {
    do {
      this.#overflowed = false
      this.#waiting = []
      for await (const page of this.#deps.hub.replayAll(this.#cursor, this.#sinceMs)) {
        if (this.#closed) return
        for (const message of page) this.#take(message)
        await this.#deps.ready()
      }
    } while (this.#overflowed)
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const message of waiting) this.#take(message)
  }
}
