import { isCommandAmong } from '../../../../src/client/command-id.js'
import type { Auction, EventMessage, EventOf } from '../../../../src/client/messages.js'

/** How the visitor stands in an auction; null: they have no part in it. */
export type Standing = 'seller' | 'leading' | 'outbid' | 'won' | 'lost' | null

export interface LotPicture {
  readonly hash: string
  /** As shown; so much room is kept free for it. */
  readonly width: number
  readonly height: number
  readonly alt: string
}

export type Ending =
  | { readonly kind: 'sold'; readonly price: string; readonly winnerName: string }
  | { readonly kind: 'not-sold'; readonly reason: 'no-bids' | 'reserve-not-met' }
  | { readonly kind: 'cancelled'; readonly by: 'seller' | 'home'; readonly reason: string }

/** An auction as the page knows it: the gateway's resource, with times in milliseconds. */
export interface Lot {
  readonly id: string
  readonly seq: number
  /** `ended`: its end has come, and its home has not closed it yet. */
  readonly status: Auction['status']
  readonly title: string
  readonly description: string
  readonly currency: string
  readonly startPrice: string
  readonly price: string | null
  readonly minimum: string | null
  readonly leaderId: string | null
  readonly leaderName: string | null
  readonly bidCount: number
  readonly hasReserve: boolean
  readonly reserveMet: boolean
  /** While it can be bought at once. */
  readonly buyNow: string | null
  readonly increments: readonly { readonly from: string; readonly step: string }[]
  readonly sellerId: string
  readonly sellerName: string
  /** `inCluster`: another node takes the auction over where its home goes away. */
  readonly home: { readonly name: string; readonly state: string; readonly inCluster: boolean }
  readonly disputed: boolean
  /** Its home has lost maxima that were left with it. */
  readonly maximaLost: boolean
  readonly openedAtMs: number
  readonly opensAtMs: number | null
  readonly closesAtMs: number | null
  readonly softClose: {
    readonly windowMs: number
    readonly extensionMs: number
    readonly hardStopAtMs: number | null
  } | null
  readonly endedAtMs: number | null
  readonly ending: Ending | null
  readonly you: Standing
  /** The first one first. */
  readonly pictures: readonly LotPicture[]
  /** Bidders are shown by names made for this auction alone. */
  readonly pseudonyms: boolean
  /** Who the visitor is in this auction. */
  readonly ownIds: ReadonlySet<string>
  /** The last extension that the page heard of itself. */
  readonly extension: {
    readonly closesAtMs: number
    readonly atMs: number
    readonly by: 'soft-close' | 'seller' | 'outage' | 'takeover'
    readonly seq: number
  } | null
}

export function lotOf(auction: Auction, me: string | null): Lot {
  const { home, soft_close: soft, leader, you } = auction
  const ownIds = new Set(me === null ? [] : [me])
  if (you === 'leading' && leader) ownIds.add(leader.id)
  return {
    id: auction.auction_id,
    seq: auction.seq,
    status: auction.status,
    title: auction.title,
    description: auction.description,
    currency: auction.currency,
    startPrice: auction.start_price,
    price: auction.price,
    minimum: auction.minimum,
    leaderId: leader?.id ?? null,
    leaderName: leader?.name ?? null,
    bidCount: auction.bid_count,
    hasReserve: auction.has_reserve,
    reserveMet: auction.reserve_met,
    buyNow: auction.buy_now_available ? auction.buy_now : null,
    increments: auction.increments,
    sellerId: auction.seller.id,
    sellerName: auction.seller.name,
    home: { name: home.name ?? '', state: home.state, inCluster: home.in_cluster },
    disputed: auction.disputed,
    maximaLost: auction.maxima_lost_since !== null,
    openedAtMs: Date.parse(auction.opened_at),
    opensAtMs: msOf(auction.opens_at),
    closesAtMs: msOf(auction.closes_at),
    softClose: soft && {
      windowMs: soft.window_ms,
      extensionMs: soft.extension_ms,
      hardStopAtMs: msOf(soft.hard_stop_at),
    },
    endedAtMs: msOf(auction.closed_at ?? auction.cancelled_at),
    ending: endingOf(auction),
    you,
    pictures: auction.pictures,
    pseudonyms: auction.bidder_names === 'pseudonyms',
    ownIds,
    extension: null,
  }
}

/** A new auction, as its opening says it; the rest follows when somebody looks at it. */
export function lotOpened(event: EventOf<'auction_opened'>, me: string | null): Lot {
  const at = Date.parse(event.timestamp)
  return {
    id: event.auction_id,
    seq: event.seq,
    title: event.title,
    description: '',
    currency: event.currency,
    status: event.opens_at === null ? 'open' : 'scheduled',
    startPrice: event.start_price,
    price: null,
    minimum: event.buy_now === event.start_price ? null : event.start_price,
    leaderId: null,
    leaderName: null,
    bidCount: 0,
    hasReserve: event.has_reserve,
    reserveMet: !event.has_reserve,
    buyNow: event.buy_now,
    increments: [],
    sellerId: event.seller.id,
    sellerName: event.seller.name,
    home: { name: '', state: 'unknown', inCluster: false },
    disputed: event.disputed,
    maximaLost: false,
    openedAtMs: at,
    opensAtMs: msOf(event.opens_at),
    closesAtMs: msOf(event.closes_at),
    softClose: null,
    endedAtMs: null,
    ending: null,
    you: event.seller.id === me ? 'seller' : null,
    pictures: event.pictures,
    pseudonyms: false,
    ownIds: new Set(me === null ? [] : [me]),
    extension: null,
  }
}

/** The auction after an event. Only events of its home change it, and with it the visitor's standing. */
export function afterEvent(lot: Lot, event: EventMessage, ownBids: ReadonlySet<string> = new Set()): Lot {
  if (event.seq <= lot.seq) return lot
  const next: Lot = { ...lot, seq: event.seq, disputed: event.disputed }
  switch (event.type) {
    case 'auction_opened':
      return next
    case 'auction_started':
      return { ...next, status: 'open', minimum: event.minimum }
    case 'bid_placed':
      return afterBid(next, event, ownBids)
    case 'auction_extended': {
      const closesAtMs = Date.parse(event.closes_at)
      const extension = { closesAtMs, atMs: Date.parse(event.timestamp), by: event.by, seq: event.seq }
      return { ...next, status: goesOn(lot), closesAtMs, extension }
    }
    case 'auction_closed': {
      const { result } = event
      const ending: Ending = result.sold
        ? { kind: 'sold', price: result.price, winnerName: result.winner.name }
        : { kind: 'not-sold', reason: result.reason }
      const own = result.sold && lot.ownIds.has(result.winner.id)
      const price = result.sold ? result.price : next.price
      return over({ ...next, status: 'closed', ending, price }, event.timestamp, own)
    }
    case 'auction_cancelled':
      return over(
        { ...next, status: 'cancelled', ending: { kind: 'cancelled', by: event.by, reason: event.reason } },
        event.timestamp,
        false,
      )
    case 'auction_moved':
      return { ...next, home: { ...next.home, state: 'unknown' } }
    case 'maxima_revealed':
      return next
    case 'maxima_lost':
      return { ...next, maximaLost: true }
    default: {
      const unknown: never = event
      throw new Error(`unknown event ${JSON.stringify(unknown)}`)
    }
  }
}

function afterBid(lot: Lot, event: EventOf<'bid_placed'>, ownBids: ReadonlySet<string>): Lot {
  const isOwn = isCommandAmong(event.bid_id, ownBids) || lot.ownIds.has(event.bidder.id)
  const ownIds = isOwn ? new Set([...lot.ownIds, event.bidder.id]) : lot.ownIds
  const leads = ownIds.has(event.leader.id)
  const takesPart = isOwn || lot.you === 'leading' || lot.you === 'outbid'
  return {
    ...lot,
    status: goesOn(lot),
    price: event.price,
    minimum: event.minimum,
    leaderId: event.leader.id,
    leaderName: event.leader.name,
    bidCount: lot.bidCount + 1,
    reserveMet: event.reserve_met,
    buyNow: lot.hasReserve && !event.reserve_met ? lot.buyNow : null,
    ownIds,
    you: lot.you === 'seller' ? 'seller' : leads ? 'leading' : takesPart ? 'outbid' : lot.you,
  }
}

/** Of a home whose clock is behind, or that gives time back: it had not ended. */
function goesOn({ status }: Lot): Lot['status'] {
  return status === 'ended' ? 'open' : status
}

function over(lot: Lot, at: string, won: boolean): Lot {
  const took = lot.you === 'leading' || lot.you === 'outbid'
  const you = lot.you === 'seller' ? 'seller' : won ? 'won' : took ? 'lost' : null
  return { ...lot, endedAtMs: Date.parse(at), minimum: null, buyNow: null, you }
}

function endingOf({ status, result, cancelled_by: by, cancel_reason: reason }: Auction): Ending | null {
  if (status === 'cancelled') return { kind: 'cancelled', by: by ?? 'seller', reason: reason ?? '' }
  if (!result) return null
  return result.sold
    ? { kind: 'sold', price: result.price, winnerName: result.winner.name }
    : { kind: 'not-sold', reason: result.reason }
}

function msOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time)
}
