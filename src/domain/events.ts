import type { ClusterKeyRotation } from './cluster-key.js'
import type { Minor } from './money.js'
import type { Home, Party } from './party.js'
import type { Terms } from './terms.js'

/**
 * What an auction's log holds, in its home's order. Public: neither a maximum nor the reserve stands in any
 * event before the auction has closed. `at` is the home's clock, UTC milliseconds, never earlier than the event before.
 */
export type AuctionEvent =
  | AuctionOpened
  | AuctionStarted
  | BidPlaced
  | MaxBidChanged
  | LotBoughtNow
  | AuctionExtended
  | AuctionClosed
  | MaximaRevealed
  | AuctionCancelled
  | AuctionGivenUp
  | MaximaLost
  | AuctionHandedOver
  | AuctionTakenOver

export interface AuctionOpened {
  readonly type: 'AuctionOpened'
  readonly at: number
  /** Client-made, random: two auctions with the same terms still have different ids. */
  readonly commandId: string
  /** The mesh that it is held in: the auction's id is made of this, so whatever names the auction names the mesh. */
  readonly meshId: string
  /** A node that sells is the home itself. */
  readonly seller: Party
  readonly home: Home
  /** Public key of the cluster that the home belongs to, which may move the auction to another node; null: of none. */
  readonly cluster: string | null
  readonly terms: Terms
}

/** A scheduled auction's opening time has come. */
export interface AuctionStarted {
  readonly type: 'AuctionStarted'
  readonly at: number
}

/** An accepted bid. Exactly one of `amount` (a plain bid, public) and `commitment` (a maximum, secret) is set. */
export interface BidPlaced {
  readonly type: 'BidPlaced'
  readonly at: number
  readonly bidId: string
  readonly bidder: Party
  readonly amount: Minor | null
  readonly commitment: string | null
  /** The price after this bid. */
  readonly price: Minor
  /** Whether this bid leads now; false: the leader's maximum answered it at once. */
  readonly leads: boolean
  readonly reserveMet: boolean
}

/** The leader raised or lowered their maximum. The price moves only if the new maximum meets the reserve. */
export interface MaxBidChanged {
  readonly type: 'MaxBidChanged'
  readonly at: number
  readonly bidId: string
  readonly bidder: Party
  readonly commitment: string
  readonly price: Minor
  readonly reserveMet: boolean
}

export interface LotBoughtNow {
  readonly type: 'LotBoughtNow'
  readonly at: number
  readonly bidId: string
  readonly bidder: Party
  readonly price: Minor
}

export const CLOSED_BY = ['seller', 'end-time', 'buy-now'] as const
/**
 * `outage`: the home could not take bids when the end came, and gives the lost time back. `takeover`: another node took
 * the auction over close to the end or after it.
 */
export const EXTENDED_BY = ['soft-close', 'seller', 'outage', 'takeover'] as const

export interface AuctionExtended {
  readonly type: 'AuctionExtended'
  readonly at: number
  readonly closesAt: number
  readonly by: (typeof EXTENDED_BY)[number]
  /** Since when nobody could bid; null unless it is by `outage`. */
  readonly since: number | null
  /** The seller's; null if nobody extends by hand. */
  readonly commandId: string | null
  /** Where the seller asked for so much more time, and not for an end. */
  readonly addedMs?: number
}

export interface AuctionClosed {
  readonly type: 'AuctionClosed'
  readonly at: number
  readonly by: (typeof CLOSED_BY)[number]
  /** The seller's; null if nobody closes by hand. */
  readonly commandId: string | null
  readonly result: AuctionResult
  /** Opens the reserve's commitment; null if there was no reserve. */
  readonly reserve: Opening | null
}

export type AuctionResult =
  | { readonly sold: true; readonly winner: Party; readonly bidId: string; readonly price: Minor }
  | { readonly sold: false; readonly reason: 'no-bids' | 'reserve-not-met' }

/** The amount and salt behind a commitment. */
export interface Opening {
  readonly amount: Minor
  readonly salt: string
}

/** Opens bids' commitments after the close: every maximum, save the winner's above the hammer price. */
export interface MaximaRevealed {
  readonly type: 'MaximaRevealed'
  readonly at: number
  readonly maxima: readonly RevealedMaximum[]
}

export interface RevealedMaximum extends Opening {
  readonly bidId: string
}

export interface AuctionCancelled {
  readonly type: 'AuctionCancelled'
  readonly at: number
  /** The seller's. */
  readonly commandId: string
  readonly reason: string
}

/**
 * The home cannot go on with the auction, or will not: nobody wins, and whoever led owes nothing. It is the home's own
 * word, and no mandate covers it.
 */
export interface AuctionGivenUp {
  readonly type: 'AuctionGivenUp'
  readonly at: number
  readonly reason: string
}

/**
 * The home has lost the maxima that were left with it by bids from event `since` on, and not opened before: they stay
 * shut, and where one of them leads it counts for no more than the price from here on.
 */
export interface MaximaLost {
  readonly type: 'MaximaLost'
  readonly at: number
  /** Seq of an event before this one. */
  readonly since: number
}

/** The home's last event: from the next commit on, another node writes and signs. Always alone in its commit. */
export interface AuctionHandedOver {
  readonly type: 'AuctionHandedOver'
  readonly at: number
  readonly to: Home
  /** Public key of the cluster that the new home belongs to; null: of none. The cluster before has no say any more. */
  readonly cluster: string | null
  /** The new home's signature, base64url: that it takes this auction over at this place of its log. */
  readonly consent: string
}

/** `home-dead`: its cluster has not heard of it for too long. `home-left`: it belongs to the cluster no more. */
export const TAKEN_OVER_BECAUSE = ['home-dead', 'home-left'] as const

/**
 * The new home's first event: the cluster of the home before has made another node the home, without a word of that
 * home. Always the first event of its commit, which the new home signs.
 */
export interface AuctionTakenOver {
  readonly type: 'AuctionTakenOver'
  readonly at: number
  readonly from: Home
  readonly to: Home
  readonly why: (typeof TAKEN_OVER_BECAUSE)[number]
  /** When the home before was last heard of, as far as the new one knows. */
  readonly since: number
  /** From the cluster's key that counted until now to the one that signs this; none if it is the same. */
  readonly keys: readonly ClusterKeyRotation[]
  /** By the cluster's key, base64url: that it moves this auction at this place of its log. */
  readonly clusterSignature: string
}

/**
 * The client's command that an event carries out: a bid's id, or that of what the seller did; null for any other event.
 */
export function commandIdOf(event: AuctionEvent): string | null {
  switch (event.type) {
    case 'BidPlaced':
    case 'MaxBidChanged':
    case 'LotBoughtNow':
      return event.bidId
    case 'AuctionExtended':
    case 'AuctionClosed':
    case 'AuctionCancelled':
      return event.commandId
    default:
      return null
  }
}
