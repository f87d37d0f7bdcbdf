/** Long because it is one switch over all events, which is read beside `decide`. */

import {
  type Auction,
  type AuctionCluster,
  buyNowAvailable,
  type Cancelled,
  type Closed,
  type Live,
  minimumBid,
  type OpenedAuction,
  type Owed,
  resultOf,
} from './auction.js'
import { MAX_CLUSTER_ROTATIONS } from './cluster-key.js'
import type {
  AuctionCancelled,
  AuctionClosed,
  AuctionEvent,
  AuctionExtended,
  AuctionGivenUp,
  AuctionOpened,
  AuctionResult,
  AuctionTakenOver,
  BidPlaced,
  LotBoughtNow,
  MaxBidChanged,
  MaximaRevealed,
} from './events.js'
import { incrementAt } from './increments.js'
import { isTime, MAX_DURATION_MS } from './limits.js'
import { isMinor } from './money.js'
import { endAfterOutage } from './outage.js'
import { isNode, sameParty } from './party.js'
import { softCloseEnd } from './soft-close.js'
import { endAfterTakeover } from './takeover.js'
import { openingProblems, termsProblems } from './terms.js'

export const MAX_REVEALS_PER_EVENT = 1_000
/** Of the events that show who is the home. */
export const MAX_MOVES = 100

/** An event that the rules do not allow in this state: a bug here, or a lie from a peer. */
export class IllegalEventError extends Error {
  readonly code = 'ILLEGAL_EVENT'
  constructor(
    readonly event: AuctionEvent,
    readonly seq: number,
    rule: string,
  ) {
    super(`event ${seq} (${event.type}) breaks a rule: ${rule}`)
    this.name = 'IllegalEventError'
  }
}

/**
 * Returns the state after one more event. Refuses every step that is illegal by public knowledge; what depends on
 * secrets is checked after the close, against the commitments.
 */
export function evolve(state: Auction, event: AuctionEvent): OpenedAuction {
  const seq = state.seq + 1
  const must = (holds: boolean, rule: string) => {
    if (!holds) throw new IllegalEventError(event, seq, rule)
  }
  if (event.type === 'AuctionOpened') {
    must(state.status === 'unopened', 'an auction opens once')
    return opened(event, must)
  }
  if (state.status === 'unopened') throw new IllegalEventError(event, seq, 'the first event opens the auction')
  must(isTime(event.at) && event.at >= state.at, 'time does not run backwards')

  if (event.type === 'AuctionTakenOver') return takenOver(state, event, must)
  if (event.type === 'MaximaRevealed') {
    if (state.status !== 'closed') throw new IllegalEventError(event, seq, 'maxima are revealed after the close')
    return revealed(state, event, must)
  }
  if (state.status === 'closed' || state.status === 'cancelled') {
    throw new IllegalEventError(event, seq, `nothing else happens once an auction is ${state.status}`)
  }
  const { owed } = state
  if (owed !== null) must('by' in event && event.by === owed.by && event.at === state.at, OWED[owed.by])

  switch (event.type) {
    case 'AuctionStarted':
      must(state.status === 'scheduled', 'an auction starts once')
      must(event.at >= (state.terms.opensAt ?? 0), 'not before its opening time')
      return advance(state, event, { status: 'open' })
    case 'BidPlaced':
      return bidPlaced(state, event, must)
    case 'MaxBidChanged':
      return maxBidChanged(state, event, must)
    case 'LotBoughtNow':
      return lotBoughtNow(state, event, must)
    case 'AuctionExtended':
      return extended(state, event, must)
    case 'AuctionClosed':
      return closed(state, event, must)
    case 'AuctionCancelled': {
      must(state.bidCount === 0, 'an auction with bids cannot be cancelled')
      return cancelled(state, event, 'seller')
    }
    case 'AuctionGivenUp':
      return cancelled(state, event, 'home')
    case 'MaximaLost': {
      const { since } = event
      must(since >= 1 && since <= state.seq, 'maxima are lost of events that lie before')
      return advance(state, event, { maximaLostSince: Math.min(since, state.maximaLostSince ?? since) })
    }
    case 'AuctionHandedOver':
      must(event.to.nodeId !== state.home.nodeId, 'an auction is handed over to another node')
      must(state.moves.length < MAX_MOVES, `an auction is handed over ${MAX_MOVES} times at most`)
      return advance(state, event, {
        home: event.to,
        moves: [...state.moves, seq],
        cluster: clusterAfter(state.cluster, event.cluster, seq),
        keptByCluster: state.keptByCluster && event.cluster === state.cluster?.key,
      })
    default: {
      const unknown: never = event
      throw new IllegalEventError(unknown, seq, 'unknown event type')
    }
  }
}

const OWED: Readonly<Record<Owed['by'], string>> = {
  'buy-now': 'a buy-now closes the auction, at once',
  'soft-close': 'a late bid extends the end by the soft close, at once',
  takeover: 'a late takeover extends the end, at once',
}

type Must = (holds: boolean, rule: string) => void

type Change = Partial<
  Pick<
    Live,
    | 'status'
    | 'home'
    | 'moves'
    | 'cluster'
    | 'keptByCluster'
    | 'closesAt'
    | 'price'
    | 'leader'
    | 'leadingBidId'
    | 'bidCount'
    | 'reserveMet'
    | 'maximaLostSince'
    | 'owed'
  >
>

/** Field by field: to spread `state` here would cost more than all the rest of a bid. */
function advance(state: Live, { at }: AuctionEvent, change: Change): Live {
  const { status = state.status, home = state.home, moves = state.moves, cluster = state.cluster } = change
  const { keptByCluster = state.keptByCluster, closesAt = state.closesAt, price = state.price } = change
  const { leader = state.leader, leadingBidId = state.leadingBidId } = change
  const { bidCount = state.bidCount, reserveMet = state.reserveMet, owed = null } = change
  const { maximaLostSince = state.maximaLostSince } = change
  const { terms, meshId, seller, openedBy, openedAt } = state
  return {
    status,
    seq: state.seq + 1,
    at,
    terms,
    meshId,
    seller,
    home,
    openedBy,
    keptByCluster,
    moves,
    cluster,
    openedAt,
    maximaLostSince,
    closesAt,
    price,
    leader,
    leadingBidId,
    bidCount,
    reserveMet,
    owed,
  }
}

/** Whether a bid that moved the price now has to extend the end. */
function owedBy(state: Live, { at }: AuctionEvent): Live['owed'] {
  const closesAt = softCloseEnd(state, at)
  return closesAt === null ? null : { by: 'soft-close', closesAt }
}

/** Where the key stays the same, what said so first is enough to prove it. */
function clusterAfter(before: AuctionCluster | null, key: string | null, seq: number): AuctionCluster | null {
  if (key === null) return null
  return key === before?.key ? before : { key, since: seq }
}

function takenOver(state: OpenedAuction, event: AuctionTakenOver, must: Must): OpenedAuction {
  const { at, from, to, since, keys } = event
  const { cluster, home } = state
  const seq = state.seq + 1
  if (cluster === null) throw new IllegalEventError(event, seq, 'only an auction of a cluster is taken over')
  must(!('owed' in state) || state.owed === null, 'what the last event calls for comes first')
  must(from.nodeId === home.nodeId && from.publicKey === home.publicKey, 'an auction is taken over from its home')
  must(to.nodeId !== home.nodeId, 'an auction is taken over by another node')
  must(since >= state.at && since <= at, 'the home before was there at the last event, and not after the takeover')
  must(keys.length <= MAX_CLUSTER_ROTATIONS, `a cluster's key is exchanged ${MAX_CLUSTER_ROTATIONS} times at most`)
  const moves = [...state.moves.filter((move) => move <= cluster.since), seq]
  must(moves.length <= MAX_MOVES, `no more than ${MAX_MOVES} events show who is the home`)
  const next = {
    ...state,
    seq,
    at,
    home: to,
    moves,
    cluster: clusterAfter(cluster, keys.at(-1)?.publicKey ?? cluster.key, seq),
  }
  if (next.status === 'closed' || next.status === 'cancelled') return next
  const closesAt = endAfterTakeover(state as Live, since, at)
  return { ...next, owed: closesAt === null ? null : { by: 'takeover', closesAt } }
}

function opened(event: AuctionOpened, must: Must): Live {
  const problem = [...termsProblems(event.terms), ...openingProblems(event.terms, event.at)][0]
  must(problem === undefined, `terms: ${problem?.field} ${problem?.rule}`)
  must(isTime(event.at) && event.at > 0, 'it opens at a time')
  must(
    !isNode(event.seller) || event.seller.id === event.home.nodeId,
    'a node that sells is the home: nobody opens an auction in its name',
  )
  return {
    status: event.terms.opensAt === null ? 'open' : 'scheduled',
    seq: 1,
    at: event.at,
    terms: event.terms,
    meshId: event.meshId,
    seller: event.seller,
    home: event.home,
    openedBy: event.home.nodeId,
    keptByCluster: event.cluster !== null,
    moves: [],
    cluster: clusterAfter(null, event.cluster, 1),
    openedAt: event.at,
    maximaLostSince: null,
    closesAt: event.terms.closesAt,
    price: null,
    leader: null,
    leadingBidId: null,
    bidCount: 0,
    reserveMet: event.terms.reserveCommitment === null,
    owed: null,
  }
}

function bidPlaced(state: Live, event: BidPlaced, must: Must): Live {
  const { price, amount, leads } = event
  const first = state.price === null
  must(state.status === 'open', 'bids need an open auction')
  must(state.closesAt === null || event.at < state.closesAt, 'no bid is accepted after the end')
  must(event.bidder.id !== state.seller.id, 'sellers do not bid on their own auction')
  must(event.bidder.id !== state.leader?.id, 'the leader does not bid against himself')
  must((amount === null) !== (event.commitment === null), 'a bid is either public or committed to')
  const minimum = minimumBid(state)
  if (minimum === null)
    throw new IllegalEventError(event, state.seq + 1, 'nobody bids where the lot can be bought for no more')
  must(isMinor(price) && price > (state.price ?? 0), 'a bid raises the price')
  must(!first || leads, 'the first bid leads')
  must(!state.reserveMet || event.reserveMet, 'a reserve stays met')
  must(leads || event.reserveMet === state.reserveMet, 'only a bid that leads meets the reserve')
  if (amount !== null) {
    must(isMinor(amount) && amount >= minimum, 'a bid reaches the minimum')
    must(
      !buyNowAvailable(state) || amount < (state.terms.buyNow ?? 0),
      'an offer that reaches the buy-now price is no bid while that is on offer',
    )
    if (leads) must(price === amount, 'a plain bid that leads is the price')
    else must(price >= amount && price <= amount + step(state, amount), 'the leader answers by one increment at most')
  } else if (first) {
    must(
      price === state.terms.startPrice || (event.reserveMet && !state.reserveMet),
      'bidding starts at the start price',
    )
    must(price >= state.terms.startPrice, 'the price is at least the start price')
  } else {
    must(leads || price >= minimum, 'an answered bid reaches the minimum')
  }
  return advance(state, event, {
    price,
    leader: leads ? event.bidder : state.leader,
    leadingBidId: leads ? event.bidId : state.leadingBidId,
    bidCount: state.bidCount + 1,
    reserveMet: event.reserveMet,
    owed: owedBy(state, event),
  })
}

function step(state: OpenedAuction, price: number): number {
  return incrementAt(state.terms.increments, price)
}

function maxBidChanged(state: Live, event: MaxBidChanged, must: Must): Live {
  must(state.status === 'open', 'bids need an open auction')
  must(state.closesAt === null || event.at < state.closesAt, 'no bid is accepted after the end')
  must(event.bidder.id === state.leader?.id, 'only the leader changes the leading maximum')
  must(!state.reserveMet || event.reserveMet, 'a reserve stays met')
  const lifted = event.reserveMet && !state.reserveMet
  must(
    lifted ? isMinor(event.price) && event.price > (state.price ?? 0) : event.price === state.price,
    "changing one's own maximum moves the price only up to the reserve",
  )
  return advance(state, event, {
    price: event.price,
    // The same bidder, by the name that goes with the bid that leads now.
    leader: event.bidder,
    leadingBidId: event.bidId,
    bidCount: state.bidCount + 1,
    reserveMet: event.reserveMet,
    owed: lifted ? owedBy(state, event) : null,
  })
}

function lotBoughtNow(state: Live, event: LotBoughtNow, must: Must): Live {
  must(state.status === 'open', 'buying needs an open auction')
  must(state.closesAt === null || event.at < state.closesAt, 'nothing is sold after the end')
  must(event.bidder.id !== state.seller.id, 'sellers do not buy their own lot')
  must(buyNowAvailable(state) && event.price === state.terms.buyNow, 'buy-now is on offer at this price')
  return advance(state, event, {
    price: event.price,
    leader: event.bidder,
    leadingBidId: event.bidId,
    bidCount: state.bidCount + 1,
    reserveMet: true,
    owed: { by: 'buy-now' },
  })
}

function extended(state: Live, event: AuctionExtended, must: Must): Live {
  const rule = state.terms.softClose
  if (state.closesAt === null) throw new IllegalEventError(event, state.seq + 1, 'only an end time can be extended')
  must(isTime(event.closesAt) && event.closesAt > state.closesAt, 'an extension is later than the end')
  must(event.closesAt <= (rule?.hardStopAt ?? Number.POSITIVE_INFINITY), 'no extension passes the hard stop')
  must((event.by === 'outage') === (event.since !== null), 'an outage has a beginning, and nothing else does')
  if (event.by === 'outage') return givenBack(state, event, must)
  if (event.by === 'takeover') {
    must(event.closesAt === owedEnd(state, event), 'a late takeover extends by as much as it calls for')
    must(event.addedMs === undefined, 'only the seller asks for so much more time')
  } else if (event.by === 'soft-close') {
    must(state.owed !== null, 'a soft close follows a late bid')
    must(event.closesAt === owedEnd(state, event), 'a soft close extends by its extension')
    must(event.addedMs === undefined, 'only the seller asks for so much more time')
  } else {
    must(event.at < state.closesAt, 'an auction that ended is not extended')
    must(
      event.addedMs === undefined || event.closesAt === state.closesAt + event.addedMs,
      'an extension by so much moves the end by as much',
    )
    must(event.closesAt - event.at <= MAX_DURATION_MS, 'an end is within 10 years')
  }
  must((event.by === 'seller') === (event.commandId !== null), 'what the seller does has a command of his')
  return advance(state, event, { closesAt: event.closesAt })
}

/** Where that is what the last event calls for. */
function owedEnd({ owed }: Live, { by }: AuctionExtended): number | null {
  return owed !== null && owed.by === by && 'closesAt' in owed ? owed.closesAt : null
}

/** Whether the home could take bids is its own word; when it says it could not, what follows from that is not. */
function givenBack(state: Live, event: AuctionExtended, must: Must): Live {
  const since = event.since ?? 0
  must(state.owed === null, 'what a bid calls for comes first')
  must(event.commandId === null && event.addedMs === undefined, 'no command gives time back')
  must(since >= state.at, 'no outage begins before the last event')
  must(
    event.closesAt === endAfterOutage(state, since, event.at),
    'an end within an outage moves by what was left of it then',
  )
  return advance(state, event, { closesAt: event.closesAt })
}

function closed(state: Live, event: AuctionClosed, must: Must): Closed {
  const over = state.closesAt !== null && event.at >= state.closesAt
  const boughtNow = state.owed?.by === 'buy-now'
  must(boughtNow === (event.by === 'buy-now'), 'a buy-now, and nothing else, closes by buy-now')
  must(boughtNow || over === (event.by === 'end-time'), 'an auction ends at its end time, and by it alone')
  must((event.by === 'seller') === (event.commandId !== null), 'what the seller does has a command of his')
  must(sameResult(event.result, resultOf(state)), 'the result follows from the bids')
  must((event.reserve === null) === (state.terms.reserveCommitment === null), 'the close reveals the reserve')
  if (event.reserve !== null) {
    const { amount } = event.reserve
    must(termsProblems(state.terms, amount).length === 0, 'the reserve keeps to the terms')
    must((state.price !== null && state.price >= amount) === state.reserveMet, 'the reserve was met as stated')
  }
  const { owed: _, ...rest } = state
  return {
    ...rest,
    status: 'closed',
    seq: state.seq + 1,
    at: event.at,
    closedAt: event.at,
    by: event.by,
    result: event.result,
    revealed: 0,
  }
}

function cancelled(
  { owed: _, ...rest }: Live,
  { at, reason }: AuctionCancelled | AuctionGivenUp,
  by: Cancelled['by'],
): Cancelled {
  return { ...rest, status: 'cancelled', seq: rest.seq + 1, at, cancelledAt: at, by, reason }
}

function sameResult(a: AuctionResult, b: AuctionResult): boolean {
  if (a.sold && b.sold) return sameParty(a.winner, b.winner) && a.bidId === b.bidId && a.price === b.price
  return !a.sold && !b.sold && a.reason === b.reason
}

function revealed(state: Closed, event: MaximaRevealed, must: Must): Closed {
  const count = event.maxima.length
  must(count > 0 && count <= MAX_REVEALS_PER_EVENT, `1 to ${MAX_REVEALS_PER_EVENT} maxima a reveal`)
  must(state.revealed + count <= state.bidCount, 'no more maxima are revealed than bids were placed')
  return { ...state, seq: state.seq + 1, at: event.at, revealed: state.revealed + count }
}
