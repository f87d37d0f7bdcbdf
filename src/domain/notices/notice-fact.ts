import type { Auction, OpenedAuction } from '../auction.js'
import type { AuctionEvent } from '../events.js'
import type { Party } from '../party.js'

/** What an event changes for people: who takes part, who does not lead any more, what has ended for whom. */
export type NoticeFact =
  | {
      readonly fact: 'opened'
      readonly at: number
      readonly title: string
      readonly seller: Party
    }
  | {
      readonly fact: 'bid'
      readonly at: number
      readonly bidder: Party
      readonly leads: boolean
      /** Who led until now; null: nobody, or the bidder. */
      readonly outbid: Party | null
      readonly closesAt: number | null
    }
  | { readonly fact: 'extended'; readonly at: number; readonly leader: Party | null }
  /** `winner` null: it was not sold. */
  | { readonly fact: 'ended'; readonly at: number; readonly seller: Party; readonly winner: Party | null }
  /** The seller has withdrawn it before anybody bid. */
  | { readonly fact: 'withdrawn'; readonly at: number }

/** Null: nobody's standing has changed. */
export function noticeFactOf(event: AuctionEvent, before: Auction, after: OpenedAuction): NoticeFact | null {
  const { at } = event
  switch (event.type) {
    case 'AuctionOpened':
      return { fact: 'opened', at, title: event.terms.title, seller: event.seller }
    case 'BidPlaced':
    case 'LotBoughtNow': {
      const { bidder } = event
      const led = before.status === 'unopened' ? null : before.leader
      const leads = event.type === 'LotBoughtNow' || event.leads
      // Whoever led when the lot was bought hears that they have lost it, with the end that follows at once.
      const outbid = event.type === 'BidPlaced' && leads && led?.id !== bidder.id ? led : null
      return { fact: 'bid', at, bidder, leads, outbid, closesAt: after.closesAt }
    }
    case 'AuctionExtended':
      return { fact: 'extended', at, leader: after.leader }
    case 'AuctionClosed':
      return { fact: 'ended', at, seller: after.seller, winner: event.result.sold ? event.result.winner : null }
    case 'AuctionGivenUp':
      return { fact: 'ended', at, seller: after.seller, winner: null }
    case 'AuctionCancelled':
      return { fact: 'withdrawn', at }
    case 'AuctionStarted':
    case 'MaxBidChanged':
    case 'MaximaRevealed':
    case 'MaximaLost':
    case 'AuctionHandedOver':
    case 'AuctionTakenOver':
      return null
    default: {
      const unknown: never = event
      throw new Error(`unknown event ${JSON.stringify(unknown)}`)
    }
  }
}
