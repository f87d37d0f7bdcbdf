import { minimumAfter } from '../../domain/auction.js'
import type { AuctionEvent, AuctionResult } from '../../domain/events.js'
import { formatAmount, type Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { FeedItem } from '../../ports/node/node-answers.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { bidOf } from '../log/read-model.js'
import type { AuctionFacts, AuctionFactsCache } from './auction-facts.js'
import { auctionResultJson, jsonTime } from './json-shapes.js'
import type { EventMessage, EventType } from './messages.js'

/** How one protocol writes a message. Each is a constant: its bytes are made once, however many readers there are. */
export type Encoding = (message: LiveMessage) => Buffer

/** An event as all readers get it: its text is made once, however many there are. */
export class LiveMessage {
  readonly auctionId: string
  readonly seq: number
  readonly body: EventMessage
  /** Goes on past it in the list of all events; null where it was read from one auction's list. */
  readonly cursor: string | null
  #data: Buffer | null = null
  #catalogueData: Buffer | null = null
  #encoded: Map<Encoding, Buffer> | null = null

  constructor(body: EventMessage, cursor: string | null) {
    this.auctionId = body.auction_id
    this.seq = body.seq
    this.body = body
    this.cursor = cursor
  }

  get type(): EventType {
    return this.body.type
  }

  get data(): Buffer {
    this.#data ??= Buffer.from(JSON.stringify(this.body))
    return this.#data
  }

  /** As `encoding` writes it. */
  encoded(encoding: Encoding): Buffer {
    this.#encoded ??= new Map()
    let bytes = this.#encoded.get(encoding)
    if (bytes === undefined) {
      bytes = encoding(this)
      this.#encoded.set(encoding, bytes)
    }
    return bytes
  }

  /** With the cursor, for those who hear everything. */
  get catalogueData(): Buffer {
    this.#catalogueData ??=
      this.cursor === null ? this.data : Buffer.from(JSON.stringify({ ...this.body, cursor: this.cursor }))
    return this.#catalogueData
  }
}

export interface EventMessagesDeps {
  readonly api: Pick<NodeApi, 'history'>
  readonly facts: AuctionFactsCache
}

const MAX_LEADERS = 10_000
const HISTORY_PAGE = 100

/** Makes messages of one list of events, in their order; who leads after a bid that does not is what it remembers. */
export class EventMessages {
  readonly #deps: EventMessagesDeps
  readonly #leaders = new Map<string, Party | null>()

  constructor(deps: EventMessagesDeps) {
    this.#deps = deps
  }

  /** For events that nobody wants to hear: what later ones need to know of them. */
  skip({ auctionId, event }: FeedItem): void {
    this.#note(auctionId, event)
  }

  async of(item: FeedItem): Promise<LiveMessage> {
    const { auctionId, event } = item
    const facts =
      event.type === 'AuctionOpened'
        ? this.#deps.facts.keep(auctionId, {
            auctionId,
            terms: event.terms,
            sellerId: event.seller.id,
            sellerName: event.seller.name,
            homeNodeId: event.home.nodeId,
          })
        : await this.#deps.facts.of(auctionId)
    const bid = bidOf(event)
    const leader = bid && !bid.leads ? await this.#leaderAt(item) : (bid?.bidder ?? null)
    this.#note(auctionId, event)
    return new LiveMessage(messageOf(item, facts, leader), item.cursor ?? null)
  }

  #note(auctionId: string, event: AuctionEvent): void {
    if (event.type === 'AuctionHandedOver') this.#deps.facts.forget(auctionId)
    const bid = bidOf(event)
    if (bid?.leads !== true) return
    if (this.#leaders.size >= MAX_LEADERS) this.#leaders.clear()
    this.#leaders.set(auctionId, bid.bidder)
  }

  /** Whoever led when a bid came that does not lead. */
  async #leaderAt({ auctionId, seq }: FeedItem): Promise<Party | null> {
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
      if (last === undefined) return null
      beforeSeq = last.seq
    }
  }
}

/** A reserve is not met before the first bid; where there is none, that is all one. */
const BEFORE_BIDS = { price: null, reserveMet: false }

function messageOf(item: FeedItem, facts: AuctionFacts, leader: Party | null): EventMessage {
  const { auctionId, seq, event, title, currency, disputed } = item
  const { terms } = facts
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
      }
    case 'AuctionStarted':
      return { type: 'auction_started', ...common, minimum: perhaps(minimumAfter(terms, BEFORE_BIDS)) }
    case 'BidPlaced':
    case 'MaxBidChanged':
    case 'LotBoughtNow': {
      const bid = bidOf(event)
      if (bid === null) throw new Error(`${event.type} is no bid`)
      return {
        type: 'bid_update',
        ...common,
        current_bid: amount(bid.price),
        current_winner: leader?.name ?? null,
        current_winner_id: leader?.id ?? null,
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
      const end = jsonTime(event.closesAt)
      const since = jsonTime(event.since)
      return { type: 'auction_extended', ...common, closes_at: end, new_end_time: end, by: event.by, since }
    }
    case 'AuctionClosed': {
      const { result } = event
      return {
        type: 'auction_ended',
        ...common,
        by: event.by,
        winner: result.sold ? result.winner.name : null,
        final_price: result.sold ? amount(result.price) : null,
        result: resultOf(result, item),
      }
    }
    case 'AuctionCancelled':
      return { type: 'auction_cancelled', ...common, reason: event.reason }
    case 'AuctionHandedOver': {
      const { nodeId, publicKey } = event.to
      return { type: 'auction_moved', ...common, home: { node_id: nodeId, public_key: publicKey } }
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

type ResultMessage = Extract<EventMessage, { type: 'auction_ended' }>['result']

function resultOf(result: AuctionResult, { currency }: FeedItem): ResultMessage {
  return auctionResultJson(result, currency) as ResultMessage
}
