/** Long because it is one switch over all commands, which is read beside `evolve`. */

import { type Auction, buyNowAvailable, type Live, minimumBid, type OpenedAuction, resultOf } from './auction.js'
import type {
  BuyNow,
  CancelAuction,
  CloseAuction,
  Command,
  EndAuction,
  ExtendAuction,
  GiveTimeBack,
  HandOver,
  OpenAuction,
  PlaceBid,
  RevealMaxima,
  SealedMaximum,
  StartAuction,
  TakeOver,
} from './commands.js'
import type { AuctionClosed, AuctionEvent, AuctionResult } from './events.js'
import { evolve, MAX_REVEALS_PER_EVENT } from './evolve.js'
import { endAfterOutage } from './outage.js'
import { liftToReserve, NO_SECRETS, type Secrets, standingAfter } from './pricing.js'
import type { Rejection } from './rejection.js'
import { softCloseEnd } from './soft-close.js'
import { openingProblems, termsProblems } from './terms.js'

/** What the home knows of an auction: the public state and its secrets. */
export interface HomeState {
  readonly auction: Auction
  readonly secrets: Secrets
}

export type Decision =
  | {
      readonly accepted: true
      readonly events: readonly AuctionEvent[]
      /** State and secrets after the events. */
      readonly next: { readonly auction: OpenedAuction; readonly secrets: Secrets }
      /** A maximum that the home has to keep in private. */
      readonly sealed: SealedMaximum | null
    }
  | { readonly accepted: false; readonly rejection: Rejection }

/** Decides one command by the rules of an English auction. Pure: `now`, ids and salts come with the command. */
export function decide(state: HomeState, command: Command): Decision {
  const { auction } = state
  if (command.type === 'OpenAuction') return open(auction, command)
  if (auction.status === 'unopened') throw new Error(`${command.type} needs an auction that has been opened`)
  if (command.type === 'TakeOver') return takeOver(state, auction, command)
  if (auction.status === 'cancelled') return reject({ code: 'AUCTION_CANCELLED', cancelledAt: auction.cancelledAt })
  if (command.type === 'RevealMaxima') return reveal(state, auction, command)
  if (auction.status === 'closed') return reject({ code: 'AUCTION_CLOSED', closedAt: auction.closedAt })

  switch (command.type) {
    case 'StartAuction':
      return start(state, auction, command)
    case 'PlaceBid':
      return placeBid(state, auction, command)
    case 'BuyNow':
      return buyNow(state, auction, command)
    case 'CloseAuction':
      return closeByHand(state, auction, command)
    case 'EndAuction':
      return end(state, auction, command)
    case 'CancelAuction':
      return cancel(state, auction, command)
    case 'ExtendAuction':
      return extend(state, auction, command)
    case 'HandOver':
      return handOver(state, auction, command)
    case 'GiveTimeBack':
      return giveTimeBack(state, auction, command)
    case 'GiveUp': {
      const { now, reason } = command
      return accept(auction, state.secrets, [{ type: 'AuctionGivenUp', at: now, reason }])
    }
    case 'LoseMaxima': {
      const { now, since, leaderMax } = command
      return accept(auction, { ...state.secrets, leaderMax }, [{ type: 'MaximaLost', at: now, since }])
    }
    default: {
      const unknown: never = command
      throw new Error(`unknown command ${JSON.stringify(unknown)}`)
    }
  }
}

function reject(rejection: Rejection): Decision {
  return { accepted: false, rejection }
}

function accept(
  auction: Auction,
  secrets: Secrets,
  events: readonly AuctionEvent[],
  sealed: SealedMaximum | null = null,
): Decision {
  const next = events.reduce<Auction>(evolve, auction) as OpenedAuction
  return { accepted: true, events, next: { auction: next, secrets }, sealed }
}

function open(auction: Auction, command: OpenAuction): Decision {
  const { terms, now, reserve } = command
  if (auction.status !== 'unopened') return reject({ code: 'COMMAND_ID_REUSED' })
  const problems = [...termsProblems(terms, reserve?.amount ?? null), ...openingProblems(terms, now)]
  if (problems.length > 0) return reject({ code: 'TERMS_INVALID', problems })
  const { commandId, meshId, seller, home, cluster } = command
  return accept(auction, { ...NO_SECRETS, reserve }, [
    { type: 'AuctionOpened', at: now, commandId, meshId, seller, home, cluster, terms },
  ])
}

/** The start that a scheduled auction still owes at `now`; the timer may be a moment late. */
function startDue(auction: Live, now: number): AuctionEvent[] {
  if (auction.status !== 'scheduled' || now < (auction.terms.opensAt ?? 0)) return []
  return [{ type: 'AuctionStarted', at: now }]
}

function start({ secrets }: HomeState, auction: Live, { now }: StartAuction): Decision {
  const events = startDue(auction, now)
  if (events.length > 0) return accept(auction, secrets, events)
  return reject({ code: 'NOT_DUE', dueAt: auction.status === 'scheduled' ? auction.terms.opensAt : null })
}

/** Why nobody can bid or buy at `now`, if so. */
function notBiddable(auction: Live, bidderId: string, now: number): Rejection | null {
  if (auction.closesAt !== null && now >= auction.closesAt) {
    return { code: 'AUCTION_ENDED', endedAt: auction.closesAt }
  }
  if (auction.status === 'scheduled' && now < (auction.terms.opensAt ?? 0)) {
    return { code: 'NOT_OPEN_YET', opensAt: auction.terms.opensAt ?? 0 }
  }
  return bidderId === auction.seller.id ? { code: 'OWN_AUCTION' } : null
}

function placeBid(state: HomeState, auction: Live, command: PlaceBid): Decision {
  const { secrets } = state
  const { bidId, bidder, now, offer } = command
  const refusal = notBiddable(auction, bidder.id, now)
  if (refusal !== null) return reject(refusal)
  if (bidder.id === auction.leader?.id) return changeMax(state, auction, command)

  const minimum = minimumBid(auction)
  const buyNow = buyNowAvailable(auction) ? auction.terms.buyNow : null
  // Nobody pays more by a bid than the lot can be bought for.
  if (buyNow !== null && (minimum === null || (offer.kind === 'plain' && offer.amount >= buyNow)))
    return reject({ code: 'BUY_NOW_AVAILABLE', buyNow, minimum })
  if (minimum === null || offer.amount < minimum) return reject({ code: 'BID_TOO_LOW', minimum, price: auction.price })
  const { startPrice, increments } = auction.terms
  const standing = standingAfter({ startPrice, increments, secrets, offer })
  const events = startDue(auction, now)
  events.push({
    type: 'BidPlaced',
    at: now,
    bidId,
    bidder,
    amount: offer.kind === 'plain' ? offer.amount : null,
    commitment: offer.kind === 'max' ? offer.commitment : null,
    price: standing.price,
    leads: standing.leads,
    reserveMet: standing.reserveMet,
  })
  pushExtension(events, auction, now)
  return accept(auction, { ...secrets, leaderMax: standing.leaderMax }, events, sealedBy(command))
}

function pushExtension(events: AuctionEvent[], auction: Live, now: number): void {
  const closesAt = softCloseEnd(auction, now)
  if (closesAt !== null)
    events.push({
      type: 'AuctionExtended',
      at: now,
      closesAt,
      by: 'soft-close',
      since: null,
      commandId: null,
    })
}

function sealedBy({ offer, bidId, bidder }: PlaceBid): SealedMaximum | null {
  if (offer.kind === 'plain') return null
  return { bidId, bidderId: bidder.id, amount: offer.amount, salt: offer.salt }
}

/** The leader may change their maximum, down to the price; a plain bid would be a bid against oneself. */
function changeMax({ secrets }: HomeState, auction: Live, command: PlaceBid): Decision {
  const { bidId, bidder, now, offer } = command
  const held = auction.price ?? 0
  if (offer.kind === 'plain') return reject({ code: 'ALREADY_LEADING', price: held })
  if (offer.amount < held) return reject({ code: 'MAX_BELOW_PRICE', price: held })
  const { price, reserveMet } = liftToReserve(held, offer.amount, secrets)
  const events: AuctionEvent[] = [
    { type: 'MaxBidChanged', at: now, bidId, bidder, commitment: offer.commitment, price, reserveMet },
  ]
  if (price !== held) pushExtension(events, auction, now)
  return accept(auction, { ...secrets, leaderMax: offer.amount }, events, sealedBy(command))
}

function buyNow({ secrets }: HomeState, auction: Live, { commandId: bidId, bidder, now }: BuyNow): Decision {
  const refusal = notBiddable(auction, bidder.id, now)
  if (refusal !== null) return reject(refusal)
  const price = auction.terms.buyNow
  if (price === null) return reject({ code: 'NO_BUY_NOW' })
  if (!buyNowAvailable(auction)) return reject({ code: 'BUY_NOW_WITHDRAWN', minimum: minimumBid(auction) })
  const events: AuctionEvent[] = [...startDue(auction, now), { type: 'LotBoughtNow', at: now, bidId, bidder, price }]
  const result: AuctionResult = { sold: true, winner: bidder, bidId, price }
  const { reserve } = secrets
  events.push({ type: 'AuctionClosed', at: now, by: 'buy-now', commandId: null, result, reserve })
  return accept(auction, { ...secrets, leaderMax: price }, events)
}

function closeByHand({ secrets }: HomeState, auction: Live, { by, now, commandId }: CloseAuction): Decision {
  if (by.id !== auction.seller.id) return reject({ code: 'NOT_SELLER', seller: auction.seller.name })
  const over = auction.closesAt !== null && now >= auction.closesAt
  const close = closing(auction, secrets, over ? null : commandId, now)
  return accept(auction, secrets, [...startDue(auction, now), close])
}

function end({ secrets }: HomeState, auction: Live, { now }: EndAuction): Decision {
  if (auction.closesAt === null || now < auction.closesAt) return reject({ code: 'NOT_DUE', dueAt: auction.closesAt })
  return accept(auction, secrets, [...startDue(auction, now), closing(auction, secrets, null, now)])
}

/** `commandId`: the seller's, where it is not the end time that closes. */
function closing(auction: Live, secrets: Secrets, commandId: string | null, now: number): AuctionClosed {
  const by = commandId === null ? 'end-time' : 'seller'
  const { reserve } = secrets
  return { type: 'AuctionClosed', at: now, by, commandId, result: resultOf(auction), reserve }
}

function reveal({ secrets }: HomeState, auction: OpenedAuction, { sealed, now }: RevealMaxima): Decision {
  if (auction.status !== 'closed') return reject({ code: 'NOT_DUE', dueAt: auction.closesAt })
  const open = sealed.filter((maximum) => isRevealed(auction.result, maximum))
  const events: AuctionEvent[] = []
  for (let i = 0; i < open.length; i += MAX_REVEALS_PER_EVENT) {
    const maxima = open.slice(i, i + MAX_REVEALS_PER_EVENT)
    events.push({
      type: 'MaximaRevealed',
      at: now,
      maxima: maxima.map(({ bidId, amount, salt }) => ({ bidId, amount, salt })),
    })
  }
  return accept(auction, secrets, events)
}

/** A winner's maximum above the hammer price did not set the price, and stays the winner's secret. */
export function isRevealed(result: AuctionResult, maximum: SealedMaximum): boolean {
  return !(result.sold && maximum.bidderId === result.winner.id && maximum.amount > result.price)
}

function cancel({ secrets }: HomeState, auction: Live, { by, now, commandId, reason }: CancelAuction): Decision {
  if (by.id !== auction.seller.id) return reject({ code: 'NOT_SELLER', seller: auction.seller.name })
  if (auction.bidCount > 0) return reject({ code: 'HAS_BIDS', bidCount: auction.bidCount })
  return accept(auction, secrets, [{ type: 'AuctionCancelled', at: now, commandId, reason }])
}

function extend({ secrets }: HomeState, auction: Live, command: ExtendAuction): Decision {
  const { by, now, commandId } = command
  if (by.id !== auction.seller.id) return reject({ code: 'NOT_SELLER', seller: auction.seller.name })
  if (auction.closesAt === null) return reject({ code: 'NO_END_TIME' })
  if (now >= auction.closesAt) return reject({ code: 'AUCTION_ENDED', endedAt: auction.closesAt })
  const added = 'addedMs' in command ? { addedMs: command.addedMs } : null
  const closesAt = 'addedMs' in command ? auction.closesAt + command.addedMs : command.closesAt
  if (closesAt <= auction.closesAt) return reject({ code: 'EXTENSION_NOT_LATER', closesAt: auction.closesAt })
  const hardStopAt = auction.terms.softClose?.hardStopAt ?? null
  if (hardStopAt !== null && closesAt > hardStopAt) return reject({ code: 'PAST_HARD_STOP', hardStopAt })
  const problems = openingProblems({ opensAt: null, closesAt, softClose: null }, now)
  if (problems.length > 0) return reject({ code: 'TERMS_INVALID', problems })
  return accept(auction, secrets, [
    { type: 'AuctionExtended', at: now, closesAt, by: 'seller', since: null, commandId, ...added },
  ])
}

function handOver({ secrets }: HomeState, auction: Live, { to, now, cluster, consent }: HandOver): Decision {
  return accept(auction, secrets, [{ type: 'AuctionHandedOver', at: now, to, cluster, consent }])
}

/** Whatever its status: maxima are still to be opened after the close, and somebody has to answer for what was. */
function takeOver({ secrets }: HomeState, auction: OpenedAuction, { now, ...command }: TakeOver): Decision {
  const { to, why, since, keys, clusterSignature } = command
  const moved = {
    type: 'AuctionTakenOver',
    at: now,
    from: auction.home,
    to,
    why,
    since,
    keys,
    clusterSignature,
  } as const
  const { owed } = { owed: null, ...evolve(auction, moved) }
  if (owed?.by !== 'takeover') return accept(auction, secrets, [moved])
  const { by, closesAt } = owed
  return accept(auction, secrets, [
    moved,
    { type: 'AuctionExtended', at: now, closesAt, by, since: null, commandId: null },
  ])
}

/** First the end, then the start that is owed as well: nothing happens after an end that stands. */
function giveTimeBack({ secrets }: HomeState, auction: Live, { now, since }: GiveTimeBack): Decision {
  const closesAt = endAfterOutage(auction, since, now)
  if (closesAt === null) return reject({ code: 'NOT_DUE', dueAt: auction.closesAt })
  return accept(auction, secrets, [
    { type: 'AuctionExtended', at: now, closesAt, by: 'outage', since, commandId: null },
    ...startDue(auction, now),
  ])
}
