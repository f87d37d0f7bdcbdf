import { minimumAfter } from '../../domain/auction.js'
import type { AuctionEvent } from '../../domain/events.js'
import { formatAmount, type Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { FeedItem } from '../../ports/node/node-answers.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { NodeError, type NodeErrorCode } from '../../ports/node/node-error.js'
import { isMove } from '../log/move-rule.js'
import { bidOf } from '../log/read-model.js'
import type { AuctionFacts, AuctionFactsCache } from './auction-facts.js'
import { auctionResultJson, jsonTime } from './json-shapes.js'
import type { EventMessage } from './public-events.js'

export interface EventMakerDeps {
  readonly api: Pick<NodeApi, 'history'>
  readonly facts: AuctionFactsCache
  /** Called with what cannot be shown: it is left out, and must not keep what follows from being heard. */
  readonly unshown: (item: FeedItem, error: unknown) => void
}

/** The node answers nothing at the moment, whatever it is asked. */
const AWAY: readonly NodeErrorCode[] = ['NODE_UNREACHABLE', 'STOPPING', 'BUSY', 'FORBIDDEN', 'LOG_IO_ERROR']

const MAX_LEADERS = 10_000
const HISTORY_PAGE = 100

/**
 * Makes public events of what a node's feed holds, in its order. Who leads after a bid that does not is what it
 * remembers.
 */
export class EventMaker {
  readonly #deps: EventMakerDeps
  readonly #leaders = new Map<string, Party>()

  constructor(deps: EventMakerDeps) {
    this.#deps = deps
  }

  /** For events that nobody wants to hear: what later ones need to know of them. */
  skip({ auctionId, event }: Pick<FeedItem, 'auctionId' | 'event'>): void {
    this.#note(auctionId, event)
  }

  /** Null if it cannot be shown. Rejects with `NodeError` if the node is away: ask again then. */
  async of(item: FeedItem): Promise<EventMessage | null> {
    try {
      return await this.#made(item)
    } catch (error) {
      if (error instanceof NodeError && AWAY.includes(error.code)) throw error
      this.#deps.unshown(item, error)
      return null
    }
  }

  /** Of those that can be shown. */
  async all(items: readonly FeedItem[]): Promise<EventMessage[]> {
    const events: EventMessage[] = []
    for (const item of items) {
      const event = await this.of(item)
      if (event) events.push(event)
    }
    return events
  }

  async #made(item: FeedItem): Promise<EventMessage> {
    const { auctionId, event } = item
    const facts =
      event.type === 'AuctionOpened'
        ? this.#deps.facts.keep(auctionId, {
            auctionId,
            terms: event.terms,
            sellerId: event.seller.id,
            sellerName: event.seller.name,
            homeNodeId: event.home.nodeId,
            inCluster: event.cluster !== null,
          })
        : await this.#deps.facts.of(auctionId)
    const bid = bidOf(event)
    const leader = bid && (bid.leads ? bid.bidder : await this.#leaderAt(item))
    this.#note(auctionId, event)
    return messageOf(item, facts, leader)
  }

  #note(auctionId: string, event: AuctionEvent): void {
    if (isMove(event)) this.#deps.facts.forget(auctionId)
    const bid = bidOf(event)
    if (bid?.leads !== true) return
    if (this.#leaders.size >= MAX_LEADERS) this.#leaders.clear()
    this.#leaders.set(auctionId, bid.bidder)
  }

  /** Whoever led when a bid came that does not lead. */
  async #leaderAt({ auctionId, seq }: FeedItem): Promise<Party> {
    const known = this.#leaders.get(auctionId)
    if (known !== undefined) return known
    let beforeSeq = seq
    for (;;) {
      const { bids } = await this.#deps.api.history({ auction: auctionId, beforeSeq, limit: HISTORY_PAGE })
      const leading = bids.find(({ leads }) => leads)
      if (leading) {
        this.#leaders.set(auctionId, leading.bidder)
        return leading.bidder
      }
      const last = bids.at(-1)
      if (last === undefined) throw new Error(`nobody leads ${auctionId} at ${seq}`)
      beforeSeq = last.seq
    }
  }
}

/** A reserve is not met before the first bid; where there is none, that is all one. */
const BEFORE_BIDS = { price: null, reserveMet: false }

function messageOf(item: FeedItem, facts: AuctionFacts, leader: Party | null): EventMessage {
  const { auctionId, seq, event, disputed } = item
  const { terms } = facts
  const { title, currency } = terms
  const amount = (minor: Minor) => formatAmount(minor, currency)
  const perhaps = (minor: Minor | null) => (minor === null ? null : amount(minor))
  const common = {
    auction_id: auctionId,
    seq,
    timestamp: jsonTime(event.at),
    title,
    currency: currency.code,
    disputed,
  }
  switch (event.type) {
    case 'AuctionOpened':
      return {
        type: 'auction_opened',
        ...common,
        seller: event.seller,
        start_price: amount(event.terms.startPrice),
        buy_now: perhaps(event.terms.buyNow),
        has_reserve: event.terms.reserveCommitment !== null,
        opens_at: jsonTime(event.terms.opensAt),
        closes_at: jsonTime(event.terms.closesAt),
        pictures: [...event.terms.pictures],
      }
    case 'AuctionStarted':
      return { type: 'auction_started', ...common, minimum: perhaps(minimumAfter(terms, BEFORE_BIDS)) }
    case 'BidPlaced':
    case 'MaxBidChanged':
    case 'LotBoughtNow': {
      const bid = bidOf(event)
      if (bid === null || leader === null) throw new Error(`${event.type} is no bid`)
      return {
        type: 'bid_placed',
        ...common,
        price: amount(bid.price),
        leader,
        minimum: perhaps(minimumAfter(terms, bid)),
        reserve_met: bid.reserveMet,
        bid_id: bid.bidId,
        bidder: bid.bidder,
        kind: bid.kind,
        amount: perhaps(bid.amount),
        leads: bid.leads,
      }
    }
    case 'AuctionExtended': {
      const { closesAt, by, since } = event
      return {
        type: 'auction_extended',
        ...common,
        closes_at: jsonTime(closesAt),
        by,
        since: jsonTime(since),
      }
    }
    case 'AuctionClosed':
      return {
        type: 'auction_closed',
        ...common,
        by: event.by,
        result: auctionResultJson(event.result, currency),
      }
    case 'AuctionCancelled':
      return { type: 'auction_cancelled', ...common, by: 'seller', reason: event.reason }
    case 'AuctionGivenUp':
      return { type: 'auction_cancelled', ...common, by: 'home', reason: event.reason }
    case 'MaximaLost':
      return { type: 'maxima_lost', ...common, since_seq: event.since }
    case 'AuctionHandedOver':
    case 'AuctionTakenOver': {
      const { nodeId, publicKey } = event.to
      const isTaken = event.type === 'AuctionTakenOver'
      return {
        type: 'auction_moved',
        ...common,
        home: { node_id: nodeId, public_key: publicKey },
        why: isTaken ? event.why : 'handed-over',
        since: jsonTime(isTaken ? event.since : null),
      }
    }
    case 'MaximaRevealed':
      return {
        type: 'maxima_revealed',
        ...common,
        maxima: event.maxima.map((maximum) => ({ bid_id: maximum.bidId, amount: amount(maximum.amount) })),
      }
    default: {
      const unknown: never = event
      throw new Error(`unknown event ${JSON.stringify(unknown)}`)
    }
  }
}
