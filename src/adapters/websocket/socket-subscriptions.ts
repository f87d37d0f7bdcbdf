import { Conflator, type ConflatorBeat } from '../../application/gateway/conflator.js'
import type { LiveMessage } from '../../application/gateway/live-message.js'
import { type ClientMessage, MAX_SUBSCRIPTIONS } from '../../application/gateway/messages.js'
import { Watcher } from '../../application/gateway/presence.js'
import {
  AuctionSubscription,
  CatalogueSubscription,
  type SubscriptionDeps,
} from '../../application/gateway/subscription.js'
import { badCursor, nothingToHear, tooManySubscriptions } from '../../application/gateway/subscription-errors.js'
import { readFeedCursor } from '../../application/log/feed-cursor.js'
import { auctionResource } from '../http/resources.js'
import type { ServingDeps } from '../http/serving-deps.js'
import type { EventFrames } from './event-frames.js'
import type { SocketCaller } from './socket-caller.js'
import type { SocketOutbox } from './socket-outbox.js'
import { textFrame } from './socket-writer.js'

export interface SocketSubscriptionsDeps extends Pick<ServingDeps, 'bidders' | 'hub' | 'movingWatch' | 'presence'> {
  readonly beat: ConflatorBeat
}

export interface SocketSubscriptionsOptions {
  readonly caller: SocketCaller
  readonly outbox: SocketOutbox
  readonly frames: EventFrames
  /** What is heard cannot be read on. */
  readonly fail: (error: unknown) => void
}

export interface Place {
  readonly auction: string
  readonly mode: Mode
  readonly fromSeq: number | undefined
  readonly presence: boolean
}

type Mode = 'all' | 'newest'

interface Subscribed {
  readonly close: () => void
  /** Shows the other watchers who this is now. */
  readonly enter?: () => void
}

/** What one WebSocket hears: auctions, or all of them. */
export class SocketSubscriptions {
  readonly #deps: SocketSubscriptionsDeps
  readonly #options: SocketSubscriptionsOptions
  readonly #conflator: Conflator
  /** By auction; '': the catalogue. */
  readonly #open = new Map<string, Subscribed>()

  constructor(deps: SocketSubscriptionsDeps, options: SocketSubscriptionsOptions) {
    this.#deps = deps
    this.#options = options
    this.#conflator = new Conflator(deps)
  }

  /** Rejects with what the caller did wrong. */
  async take(message: Extract<ClientMessage, { type: 'subscribe' }>): Promise<void> {
    const { auction_id, auction_ids = [], catalogue, from_seq, mode, presence, cursor, since } = message
    const auctions = auction_id === undefined ? auction_ids : [auction_id, ...auction_ids]
    const { caller } = this.#options
    await caller.settled()
    caller.count(Math.max(1, auctions.length))
    if (catalogue) this.#toAll(mode, cursor ?? null, since)
    else if (auctions.length === 0) throw nothingToHear()
    for (const auction of auctions) await this.to({ auction, mode, presence, fromSeq: from_seq })
  }

  /** Resolves with the auction's whole id. */
  async to({ auction, mode, presence, fromSeq }: Place): Promise<string> {
    const { caller, outbox, frames } = this.#options
    const { bidders } = this.#deps
    const view = await bidders.show(auction, caller.known)
    const { auctionId } = view
    if (outbox.closed) return auctionId
    const forget = this.#makeRoom(auctionId)
    // A reader that comes from another gateway may know more than this one's node does yet.
    const afterSeq = fromSeq === undefined ? view.head.seq : Math.max(0, fromSeq - 1)
    const present = presence ? (data: Buffer) => outbox.event(textFrame(data.toString())) : null
    const watcher = new Watcher(this.#deps, auctionId, present)
    const enter = () => watcher.enter(bidders.watcher(caller.known, view)?.name ?? null)
    enter()
    outbox.reply({
      type: 'subscribed',
      auction_id: auctionId,
      seq: afterSeq,
      mode,
      watchers: this.#deps.presence.watchers(auctionId),
      auction: auctionResource(view),
    })
    const unlisten = this.#deps.movingWatch.listen(auctionId, (_, text) => outbox.event(textFrame(text)))
    const deliver = (message: LiveMessage) => outbox.event(message.encoded(frames.auction))
    const subscription = new AuctionSubscription(this.#following(mode, deliver), { auctionId, afterSeq })
    this.#open.set(auctionId, {
      enter,
      close: () => {
        forget()
        subscription.close()
        unlisten()
        watcher.leave()
      },
    })
    // What happened between the look at the auction and now is in the log.
    subscription.catchUp()
    return auctionId
  }

  /** `auction` null: the catalogue. */
  end(auction: string | null): void {
    this.#close(auction ?? '')
    this.#options.outbox.reply({ type: 'unsubscribed', auction_id: auction })
  }

  /** The caller is somebody else from here on. */
  reenter(): void {
    for (const { enter } of this.#open.values()) enter?.()
  }

  endAll(): void {
    this.#conflator.stop()
    for (const key of [...this.#open.keys()]) this.#close(key)
  }

  #toAll(mode: Mode, cursor: string | null, since: number | undefined): void {
    if (cursor !== null && readFeedCursor(cursor) === null) throw badCursor()
    const { outbox, frames } = this.#options
    const forget = this.#makeRoom('')
    outbox.reply({ type: 'subscribed', auction_id: null, seq: null, watchers: null, auction: null, mode })
    const deliver = (message: LiveMessage) => outbox.event(message.encoded(frames.catalogue))
    const past = { cursor, sinceMs: since }
    const subscription = new CatalogueSubscription(this.#following(mode, deliver), past)
    this.#open.set('', {
      close: () => {
        forget()
        subscription.close()
      },
    })
  }

  #following(mode: Mode, deliver: (message: LiveMessage) => void): SubscriptionDeps {
    const { outbox, fail } = this.#options
    return {
      hub: this.#deps.hub,
      deliver: mode === 'newest' ? (message) => this.#conflator.offer(message, deliver) : deliver,
      ready: () => outbox.ready(),
      fail,
    }
  }

  /** The same once more takes the place of the old one. Call the answer when it is over. */
  #makeRoom(key: string): () => void {
    this.#close(key)
    if (this.#open.size < MAX_SUBSCRIPTIONS) return this.#options.caller.subscribe()
    const instead = 'subscribe to the catalogue, or open another connection'
    throw tooManySubscriptions(`hears ${MAX_SUBSCRIPTIONS} auctions`, instead)
  }

  #close(key: string): void {
    this.#open.get(key)?.close()
    this.#open.delete(key)
  }
}
