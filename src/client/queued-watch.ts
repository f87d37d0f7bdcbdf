import { Emitter, type Listener } from './emitter.js'
import type { EventQueue, EventsByType } from './event-queue.js'
import type { Auction, EventMessage, Moving, Presence } from './messages.js'

export type WatchMode = 'all' | 'newest'

/** Events in order, without a gap and without a duplicate, through whatever gateway. `for await`, or `on` and `off`. */
export interface Watch extends AsyncIterable<EventMessage> {
  on<K extends keyof EventsByType>(type: K, listener: Listener<EventsByType[K]>): () => void
  off<K extends keyof EventsByType>(type: K, listener: Listener<EventsByType[K]>): void
  /** Idempotent; leaving a `for await` does it too. */
  close(): void
}

export interface AuctionWatch extends Watch {
  readonly auctionId: string
  /** As it stood at the start; events after its `seq` follow, unless others were asked for. */
  readonly auction: Auction
  /** Of the last event that was handed on. */
  readonly seq: number
  /** Who watches, for a watch that asked for it. Returns a function that removes the listener. */
  onPresence(listener: Listener<Presence>): () => void
  /**
   * Hears when the auction begins to move to another node (bids wait then, and are not placed yet), and when that is
   * over. If the present state is known, it comes first. Returns a function that removes the listener.
   */
  onMoving(listener: Listener<Moving>): () => void
}

export interface WatchOptions {
  readonly mode: WatchMode
  /** Hears who watches as well. */
  readonly presence: boolean
}

/** What one watcher of an auction hears. */
export class QueuedWatch implements AuctionWatch {
  readonly auction: Auction
  readonly mode: WatchMode
  readonly presence: boolean
  readonly #queue: EventQueue
  readonly #news = new Emitter<{ presence: Presence; moving: Moving }>()
  #moving: Moving = { moving: false, since: null }
  #seq: number
  /** Events were left out because too many wait; they are asked for again once there is room. */
  behind = false

  constructor(
    auction: Auction,
    queue: EventQueue,
    { afterSeq, mode, presence }: WatchOptions & { readonly afterSeq: number },
  ) {
    this.auction = auction
    this.#queue = queue
    this.#seq = afterSeq
    this.mode = mode
    this.presence = presence
  }

  get auctionId(): string {
    return this.auction.auction_id
  }

  get seq(): number {
    return this.#seq
  }

  offer(event: EventMessage): 'taken' | 'known' | 'gap' | 'full' {
    if (event.seq <= this.#seq) return 'known'
    if (this.behind || this.#queue.full) {
      this.behind = true
      return 'full'
    }
    if (this.mode === 'all' && event.seq > this.#seq + 1) return 'gap'
    this.#seq = event.seq
    this.#queue.push(event)
    return 'taken'
  }

  present(presence: Presence): void {
    if (this.presence) this.#news.emit('presence', presence)
  }

  onPresence(listener: Listener<Presence>): () => void {
    return this.#news.on('presence', listener)
  }

  move(moving: Moving): void {
    const isNews = moving.moving !== this.#moving.moving
    this.#moving = moving
    if (isNews) this.#news.emit('moving', moving)
  }

  onMoving(listener: Listener<Moving>): () => void {
    if (this.#moving.moving) listener(this.#moving)
    return this.#news.on('moving', listener)
  }

  on<K extends keyof EventsByType>(type: K, listener: Listener<EventsByType[K]>): () => void {
    return this.#queue.on(type, listener)
  }

  off<K extends keyof EventsByType>(type: K, listener: Listener<EventsByType[K]>): void {
    this.#queue.off(type, listener)
  }

  close(): void {
    this.#queue.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<EventMessage> {
    return this.#queue.iterate()
  }
}
