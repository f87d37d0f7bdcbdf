import type { Currency } from '../../domain/currency.js'
import type { Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'

/** Which auctions are counted; null: all. */
export interface StatScope {
  readonly auctionId: string | null
  readonly sellerId: string | null
}

/** From a moment on, until before another: UTC milliseconds. */
export interface TimeFrame {
  readonly from: number
  readonly to: number
}

export interface StatFrame extends StatScope, TimeFrame {}

/** Sums of one currency, exact however many auctions they are of. */
export interface SaleSum {
  readonly currency: Currency
  readonly sold: number
  readonly hammer: bigint
  /** The start prices of what was sold. */
  readonly start: bigint
  /** Of the auctions sold that had a reserve: how many, their prices, their reserves. */
  readonly reserved: { readonly sold: number; readonly hammer: bigint; readonly reserve: bigint }
}

/** What happened within one step of time. */
export interface StatStep extends TimeFrame {
  readonly opened: number
  readonly bids: number
  readonly bidders: number
  readonly auctionsBidOn: number
  readonly extensions: number
  readonly sold: number
  readonly unsold: number
  /** Cancelled, or given up by their homes. */
  readonly cancelled: number
  /** By currency: amounts of different currencies are never added up. */
  readonly sales: readonly SaleSum[]
}

/** Why an auction ended without a sale. */
export type NoSale = 'no-bids' | 'reserve-not-met' | 'cancelled' | 'given-up'

/** An auction as its opening states it, and how it ended. */
export interface StatAuction {
  readonly auctionId: string
  readonly title: string
  readonly seller: Party
  readonly currency: Currency
  readonly startPrice: Minor
  readonly hasReserve: boolean
  readonly openedAt: number
  readonly opensAt: number | null
  /** As the terms say it; extensions move it. */
  readonly closesAt: number | null
  readonly ending: StatEnding | null
}

export interface StatEnding {
  readonly at: number
  readonly noSale: NoSale | null
  readonly winner: Party | null
  readonly bidId: string | null
  readonly price: Minor | null
  /** As the close has revealed it. */
  readonly reserve: Minor | null
}

/** One auction with the numbers of its whole life. */
export interface LotFigures extends StatAuction {
  readonly bids: number
  readonly bidders: number
  readonly extensions: number
  /** The price now; null without a bid. */
  readonly price: Minor | null
  readonly firstBidAt: number | null
}

export interface BidderFigures {
  readonly bidder: Party
  readonly bids: number
  readonly auctions: number
  readonly won: readonly Omit<SaleSum, 'start' | 'reserved'>[]
}

/** What one seller sold within one step of time. */
export interface SellerFigures extends TimeFrame, Omit<SaleSum, 'start' | 'reserved'> {
  readonly seller: Party
}

export interface PriceStep extends TimeFrame {
  readonly bids: number
  /** At the end of the step; null: there was no bid up to then. */
  readonly price: Minor | null
}

export interface StatBid {
  readonly auctionId: string
  readonly seq: number
  readonly at: number
  readonly title: string
  readonly currency: Currency
  readonly bidId: string
  readonly bidder: Party
  readonly kind: string
  /** Null: a maximum, which is secret. */
  readonly amount: Minor | null
  readonly price: Minor
  readonly leads: boolean
}

export interface LotPage {
  readonly lots: readonly LotFigures[]
  /** Continues after the last of them; null: there are no more. */
  readonly next: LotMark | null
}

export interface LotMark {
  readonly openedAt: number
  readonly auctionId: string
}

/** Where a page of rows ends: those that come in meanwhile shift nothing. */
export interface RowMark {
  readonly at: number
  readonly auctionId: string
  readonly seq: number
}

export interface RowPage<Row> {
  readonly rows: readonly Row[]
  /** Continues after the last of them; null: there are no more. */
  readonly next: RowMark | null
}

/**
 * The numbers about auctions, computed from the live generation of the consumer `analytics`. Every method rejects with
 * `ConsumerStoreError` if the database cannot be used. Arguments and answers can be cloned: whoever answers may be in
 * another thread.
 */
export interface StatQueries {
  /** Checks the tables, and makes them if there are none. Idempotent. */
  open(): Promise<void>

  /** Ids of auctions that begin with this text, ascending, at most `limit`. */
  find(start: string, limit: number): Promise<string[]>

  /** The times of the first and the last event; null: there is none. */
  bounds(scope: StatScope): Promise<{ readonly first: number; readonly last: number } | null>

  /** One result for each two neighbours in `edges`, which ascend; steps in which nothing happened too. */
  steps(scope: StatScope, edges: readonly number[]): Promise<StatStep[]>

  /** Of the auctions opened and bid on within the frame: the median time to the first bid; null if there is none. */
  medianFirstBidMs(frame: StatFrame): Promise<number | null>

  /** Auctions that ran at any moment of the frame, the newest first. */
  lots(frame: StatFrame, page: { readonly limit: number; readonly after: LotMark | null }): Promise<LotPage>

  /** The bidders who were most active within the frame. */
  bidders(frame: StatFrame, limit: number): Promise<BidderFigures[]>

  /** Sales by step, seller and currency, at most `limit` of them. */
  sellers(scope: StatScope, edges: readonly number[], limit: number): Promise<SellerFigures[]>

  /** The price of an auction at the end of each step. */
  prices(auctionId: string, edges: readonly number[]): Promise<PriceStep[]>

  /** Auctions opened within the frame, the oldest first. */
  auctionRows(frame: StatFrame, after: RowMark | null): Promise<RowPage<StatAuction>>

  /** Bids placed within the frame, the oldest first. */
  bidRows(frame: StatFrame, after: RowMark | null): Promise<RowPage<StatBid>>

  /** Auctions that ended within the frame, the first to end first. */
  resultRows(frame: StatFrame, after: RowMark | null): Promise<RowPage<StatAuction>>

  close(): Promise<void>
}
