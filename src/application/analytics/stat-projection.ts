/** Room `analytics`: the numbers about auctions: what they are made of, and over which time frames. */

import type { ConsumedEvent, Projection } from '../../ports/store/consumer-store.js'
import type { StatFact } from '../../ports/store/stat-facts.js'
import { bidOf } from '../log/read-model.js'

/** Facts alone, and no totals: those are added up when somebody asks, for whatever time frame that is. */
export const statProjection: Projection<StatFact> = {
  name: 'analytics',
  version: 1,
  changesOf: (consumed) => {
    const fact = factOf(consumed)
    return fact === null ? [] : [fact]
  },
}

function factOf({ auctionId, seq, event }: ConsumedEvent): StatFact | null {
  const at = { auctionId, seq, at: event.at }
  switch (event.type) {
    case 'AuctionOpened': {
      const { title, currency, startPrice, opensAt, closesAt, reserveCommitment } = event.terms
      const terms = { title, currency, startPrice, opensAt, closesAt }
      return { kind: 'opened', ...at, ...terms, seller: event.seller, hasReserve: reserveCommitment !== null }
    }
    case 'BidPlaced':
    case 'MaxBidChanged':
    case 'LotBoughtNow': {
      const bid = bidOf(event)
      return bid === null ? null : { kind: 'bid', ...at, bid }
    }
    case 'AuctionExtended':
      return { kind: 'extended', ...at, by: event.by, closesAt: event.closesAt }
    case 'AuctionClosed':
      return { kind: 'ended', ...at, result: event.result, by: event.by, reserve: event.reserve?.amount ?? null }
    case 'AuctionCancelled':
      return { kind: 'ended', ...at, result: null, by: 'cancelled', reserve: null }
    case 'AuctionGivenUp':
      return { kind: 'ended', ...at, result: null, by: 'given-up', reserve: null }
    case 'AuctionStarted':
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
