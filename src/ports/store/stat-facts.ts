import type { AuctionClosed, AuctionExtended, AuctionResult } from '../../domain/events.js'
import type { Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { Terms } from '../../domain/terms.js'
import type { BidRecord } from './auction-repository.js'

/** What statistics are made of: facts that the log states once, and that nothing later changes. */
export type StatFact = OpenedFact | BidFact | ExtendedFact | EndedFact

interface Fact {
  readonly auctionId: string
  readonly seq: number
  /** By the home's clock, UTC milliseconds. */
  readonly at: number
}

export interface OpenedFact extends Fact, Pick<Terms, 'title' | 'currency' | 'startPrice' | 'opensAt' | 'closesAt'> {
  readonly kind: 'opened'
  readonly seller: Party
  readonly hasReserve: boolean
}

export interface BidFact extends Fact {
  readonly kind: 'bid'
  readonly bid: Pick<BidRecord, 'bidId' | 'bidder' | 'kind' | 'amount' | 'price' | 'leads'>
}

export interface ExtendedFact extends Fact {
  readonly kind: 'extended'
  readonly by: AuctionExtended['by']
  readonly closesAt: number
}

export interface EndedFact extends Fact {
  readonly kind: 'ended'
  /** Of a sale or not; null: cancelled, or given up by its home. */
  readonly result: AuctionResult | null
  readonly by: AuctionClosed['by'] | 'cancelled' | 'given-up'
  /** As the close has opened it; null where there was none. */
  readonly reserve: Minor | null
}
