import type { AuctionTakenOver, Opening } from './events.js'
import type { Minor } from './money.js'
import type { Home, Party } from './party.js'
import type { Terms } from './terms.js'

/** What the home is asked to do. `now` is the home's clock; ids are made by the client and make retries harmless. */
export type Command =
  | OpenAuction
  | StartAuction
  | PlaceBid
  | BuyNow
  | CloseAuction
  | EndAuction
  | RevealMaxima
  | CancelAuction
  | ExtendAuction
  | HandOver
  | TakeOver
  | GiveTimeBack
  | GiveUp
  | LoseMaxima

export interface OpenAuction {
  readonly type: 'OpenAuction'
  readonly commandId: string
  readonly now: number
  readonly meshId: string
  readonly seller: Party
  readonly home: Home
  /** See `AuctionOpened`. */
  readonly cluster: string | null
  readonly terms: Terms
  /** The reserve behind `terms.reserveCommitment`. */
  readonly reserve: Opening | null
}

/** The home's timer: the opening time has come. */
export interface StartAuction {
  readonly type: 'StartAuction'
  readonly now: number
}

export interface PlaceBid {
  readonly type: 'PlaceBid'
  readonly bidId: string
  readonly now: number
  readonly bidder: Party
  readonly offer: Offer
}

export type Offer = PlainOffer | SealedOffer

/** Public, and a maximum equal to itself. */
export interface PlainOffer {
  readonly kind: 'plain'
  readonly amount: Minor
}

/** A maximum, which stays secret behind its commitment. */
export interface SealedOffer {
  readonly kind: 'max'
  readonly amount: Minor
  readonly salt: string
  readonly commitment: string
}

export interface BuyNow {
  readonly type: 'BuyNow'
  readonly commandId: string
  readonly now: number
  readonly bidder: Party
}

/** The seller closes by hand. */
export interface CloseAuction {
  readonly type: 'CloseAuction'
  readonly commandId: string
  readonly now: number
  readonly by: Party
}

/** The home's timer: the end time has come. */
export interface EndAuction {
  readonly type: 'EndAuction'
  readonly now: number
}

/** The home opens the commitments that the close calls for, in pages of its own. */
export interface RevealMaxima {
  readonly type: 'RevealMaxima'
  readonly now: number
  readonly sealed: readonly SealedMaximum[]
}

/** A maximum as its home keeps it. */
export interface SealedMaximum extends Opening {
  readonly bidId: string
  readonly bidderId: string
}

/** Before the first bid only. */
export interface CancelAuction {
  readonly type: 'CancelAuction'
  readonly commandId: string
  readonly now: number
  readonly by: Party
  readonly reason: string
}

export type ExtendAuction = {
  readonly type: 'ExtendAuction'
  readonly commandId: string
  readonly now: number
  readonly by: Party
} & NewEnd

/**
 * A new end as the seller states it: a time, or so much more than the end at the time of deciding. The home adds it
 * up, since nobody else knows the present end for certain, and a repeated command has to say the same as the first.
 */
export type NewEnd = { readonly closesAt: number } | { readonly addedMs: number }

/** The home lets another node write from here on, which has everything that it needs. */
export interface HandOver {
  readonly type: 'HandOver'
  readonly now: number
  readonly to: Home
  /** See `AuctionHandedOver`. */
  readonly cluster: string | null
  readonly consent: string
}

/** This node becomes the home in the place of another node of its cluster. */
export interface TakeOver extends Omit<AuctionTakenOver, 'type' | 'at' | 'from'> {
  readonly type: 'TakeOver'
  readonly now: number
}

/** The home could not take bids from `since` on, and the end has come meanwhile. */
export interface GiveTimeBack {
  readonly type: 'GiveTimeBack'
  readonly now: number
  readonly since: number
}

/** The home gives the auction up. */
export interface GiveUp {
  readonly type: 'GiveUp'
  readonly now: number
  readonly reason: string
}

/** The home has lost the maxima that were left with it from event `since` on. */
export interface LoseMaxima {
  readonly type: 'LoseMaxima'
  readonly now: number
  readonly since: number
  /** Of the leader, as far as it is still known; the price otherwise. */
  readonly leaderMax: number | null
}
