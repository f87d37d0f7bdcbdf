import type { AuctionClosed, AuctionResult } from './events.js'
import { incrementAt } from './increments.js'
import { MAX_MINOR, type Minor } from './money.js'
import type { Home, Party } from './party.js'
import type { Terms } from './terms.js'

/** The public state of an auction: what any holder of its log knows. */
export type Auction = Unopened | Live | Closed | Cancelled

export interface Unopened {
  readonly status: 'unopened'
  readonly seq: 0
}

interface Opened {
  /** How many events the log holds. */
  readonly seq: number
  /** When the last event happened. */
  readonly at: number
  readonly terms: Terms
  readonly meshId: string
  readonly seller: Party
  readonly home: Home
  /** The node that was home when it opened: it speaks for a seller who is no node. */
  readonly openedBy: string
  /** Whether its opening names a cluster, of which every home since has been: the home speaks for that seller too. */
  readonly keptByCluster: boolean
  /**
   * Seqs of the events that show, with the opening, who is the home, ascending. A takeover needs those alone that say
   * which cluster it is of.
   */
  readonly moves: readonly number[]
  /** The cluster that may move it to another node; null: nobody but the home may. */
  readonly cluster: AuctionCluster | null
  readonly openedAt: number
  /** From which event on the home has lost maxima that were left with it; null if it has not. */
  readonly maximaLostSince: number | null
  /** The end as extended so far; null: closed by hand. */
  readonly closesAt: number | null
  /** Null until the first bid. */
  readonly price: Minor | null
  readonly leader: Party | null
  readonly leadingBidId: string | null
  readonly bidCount: number
  /** False if there is a reserve and the price has not reached it. */
  readonly reserveMet: boolean
}

export interface Live extends Opened {
  readonly status: 'scheduled' | 'open'
  /** What has to follow the last event at once: a buy-now's close, the extension of a late bid or takeover. */
  readonly owed: Owed | null
}

/** `by`: that of the event. */
export type Owed = { readonly by: 'buy-now' } | { readonly by: 'soft-close' | 'takeover'; readonly closesAt: number }

export interface AuctionCluster {
  /** The public key that counts: no older one of the cluster does any more. */
  readonly key: string
  /** Seq of the event that says so. */
  readonly since: number
}

export interface Closed extends Opened {
  readonly status: 'closed'
  readonly closedAt: number
  readonly by: AuctionClosed['by']
  readonly result: AuctionResult
  /** How many commitments have been opened since. */
  readonly revealed: number
}

export interface Cancelled extends Opened {
  readonly status: 'cancelled'
  readonly cancelledAt: number
  /** Before the first bid by the seller; at any time by the home, which gives it up. */
  readonly by: 'seller' | 'home'
  readonly reason: string
}

export type AuctionStatus = Exclude<Auction['status'], 'unopened'>
export type OpenedAuction = Exclude<Auction, Unopened>

/**
 * The phase of an auction at a time. Its log says `open` until its home has closed it, however long that takes: once
 * the end has come nobody can bid, and it is `ended`.
 */
export type AuctionPhase = AuctionStatus | 'ended'
export const AUCTION_PHASES = ['scheduled', 'open', 'ended', 'closed', 'cancelled'] as const satisfies AuctionPhase[]

export const UNOPENED: Unopened = { status: 'unopened', seq: 0 }

/**
 * The least that a new bidder must offer. Null if no bid is possible: the lot can be bought at once for no more, or the
 * price is the last amount there is.
 */
export function minimumBid(auction: OpenedAuction): Minor | null {
  return minimumAfter(auction.terms, auction)
}

/** As above, at this point of an auction; `price` is null before the first bid. */
export function minimumAfter(terms: Terms, point: Pick<Opened, 'price' | 'reserveMet'>): Minor | null {
  const { price } = point
  if (price !== null && price >= MAX_MINOR) return null
  const least = price === null ? terms.startPrice : Math.min(price + incrementAt(terms.increments, price), MAX_MINOR)
  return isBuyNowOffered(terms, point) && least >= (terms.buyNow ?? 0) ? null : least
}

/** `now`: the reader's clock, UTC milliseconds. What counts is the home's, which closes the auction. */
export function phaseAt(auction: OpenedAuction, now: number): AuctionPhase {
  if (auction.status === 'closed' || auction.status === 'cancelled') return auction.status
  return auction.closesAt !== null && now >= auction.closesAt ? 'ended' : auction.status
}

/** Withdrawn by the first bid; where there is a reserve, once it is met. */
export function isBuyNowOffered(
  { buyNow, reserveCommitment }: Terms,
  { price, reserveMet }: Pick<Opened, 'price' | 'reserveMet'>,
): boolean {
  if (buyNow === null) return false
  return reserveCommitment === null ? price === null : !reserveMet
}

export function buyNowAvailable(auction: OpenedAuction): boolean {
  if (auction.status === 'closed' || auction.status === 'cancelled') return false
  return isBuyNowOffered(auction.terms, auction)
}

/** What the result would be if the auction closed now. */
export function resultOf(auction: OpenedAuction): AuctionResult {
  if (auction.leader === null || auction.leadingBidId === null || auction.price === null) {
    return { sold: false, reason: 'no-bids' }
  }
  if (!auction.reserveMet) return { sold: false, reason: 'reserve-not-met' }
  return { sold: true, winner: auction.leader, bidId: auction.leadingBidId, price: auction.price }
}

/**
 * When a live auction's home has to act next, UTC milliseconds; null: not before somebody asks. 0, at once, where the
 * log itself has come to that time: it is decided by that then, be the clock of a new home behind.
 */
export function dueAt(auction: OpenedAuction): number | null {
  const due = actsAt(auction)
  return due !== null && auction.at >= due ? 0 : due
}

function actsAt(auction: OpenedAuction): number | null {
  if (auction.status === 'scheduled') return auction.terms.opensAt
  return auction.status === 'open' ? auction.closesAt : null
}
