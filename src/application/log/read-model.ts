import type { OpenedAuction } from '../../domain/auction.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { BidRecord } from '../../ports/store/auction-repository.js'
import type { Outcome } from '../../ports/store/outcome-repository.js'

/** The bid that an event holds. */
export interface BidFacts extends Omit<BidRecord, 'auctionId' | 'seq'> {
  readonly reserveMet: boolean
}

export function bidOf(event: AuctionEvent): BidFacts | null {
  switch (event.type) {
    case 'BidPlaced': {
      const { at, bidId, bidder, amount, price, leads, reserveMet } = event
      const kind = amount === null ? 'max' : 'plain'
      return { at, bidId, bidder, kind, amount, price, leads, reserveMet }
    }
    case 'MaxBidChanged': {
      const { at, bidId, bidder, price, reserveMet } = event
      return { at, bidId, bidder, kind: 'max-change', amount: null, price, leads: true, reserveMet }
    }
    case 'LotBoughtNow': {
      const { at, bidId, bidder, price } = event
      return { at, bidId, bidder, kind: 'buy-now', amount: price, price, leads: true, reserveMet: true }
    }
    default:
      return null
  }
}

/** Whether an outcome only repeats what the event of the bid, at `seq`, says. */
export function repeatsBidOf(outcome: Outcome, seq: number, event: AuctionEvent): boolean {
  if (outcome.status !== 'accepted' || outcome.bid === undefined || outcome.seq !== seq) return false
  const bid = bidOf(event)
  return (
    bid !== null &&
    bid.bidId === outcome.commandId &&
    bid.at === outcome.at &&
    bid.leads === outcome.bid.leads &&
    bid.price === outcome.bid.price &&
    bid.reserveMet === outcome.bid.reserveMet
  )
}

/** Titles and what is searched in them, so that case and composed letters make no difference. */
export function foldText(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/** The one bidder whose maxima above the hammer price stay secret (see `isRevealed`), once an auction has been sold. */
export function secretKept(state: OpenedAuction): { winnerId: string; price: number } | null {
  if (state.status !== 'closed' || !state.result.sold) return null
  return { winnerId: state.result.winner.id, price: state.result.price }
}
