import { formatAmount } from '../../domain/money.js'
import type {
  BidderFigures,
  LotFigures,
  LotMark,
  NoSale,
  PriceStep,
  SaleSum,
  SellerFigures,
  StatAuction,
  StatBid,
  StatEnding,
  StatStep,
} from '../../ports/store/stat-queries.js'
import type { StatOverview, Steps } from '../analytics/statistics.js'
import { jsonAmount, jsonTime } from './json-shapes.js'

/** What `vendue stats --json` prints, and /api/v1/stats answers. */

export function overviewJson({ totals, medianFirstBidMs, steps, ...of }: StatOverview) {
  return {
    ...stepsJson(of),
    totals: { ...countsJson(totals), median_first_bid_ms: medianFirstBidMs },
    steps: steps.map((step) => ({ ...frameJson(step), ...countsJson(step) })),
  }
}

export function lotJson(lot: LotFigures) {
  const { bids, bidders, extensions, price, firstBidAt, openedAt, opensAt } = lot
  return {
    ...auctionRow(lot),
    price: jsonAmount(price, lot.currency),
    bids,
    bidders,
    extensions,
    first_bid_at: jsonTime(firstBidAt),
    first_bid_after_ms: firstBidAt === null ? null : firstBidAt - Math.max(openedAt, opensAt ?? 0),
  }
}

export function bidderJson({ bidder, bids, auctions, won }: BidderFigures) {
  return { bidder: { ...bidder }, bids, auctions, won: won.map(soldJson) }
}

export function sellersJson({ sales, ...of }: Steps & { readonly sales: readonly SellerFigures[] }) {
  return {
    ...stepsJson(of),
    sales: sales.map((sale) => ({ ...frameJson(sale), seller: { ...sale.seller }, ...soldJson(sale) })),
  }
}

export function pricesJson({
  auction,
  prices,
  ...of
}: Steps & { readonly auction: StatAuction; readonly prices: readonly PriceStep[] }) {
  const { auctionId, title, currency, startPrice } = auction
  return {
    ...stepsJson(of),
    auction_id: auctionId,
    title,
    currency: currency.code,
    start_price: jsonAmount(startPrice, currency),
    steps: prices.map((step) => ({
      ...frameJson(step),
      bids: step.bids,
      price: jsonAmount(step.price, currency),
    })),
  }
}

/** Where a page of auctions ends, as text. */
export function cursorOfLots(mark: LotMark | null): string | null {
  return mark && `${mark.openedAt}~${mark.auctionId}`
}

/** Null: no page has ended there. */
export function lotsAfter(cursor: string): LotMark | null {
  const match = /^(\d{1,15})~([A-Za-z0-9_-]{1,96})$/.exec(cursor)
  return match && { openedAt: Number(match[1]), auctionId: match[2] as string }
}

/** One line of the table of auctions, and of results. */
export function auctionRow({ ending, currency, ...auction }: StatAuction) {
  return {
    auction_id: auction.auctionId,
    title: auction.title,
    seller_id: auction.seller.id,
    seller: auction.seller.name,
    currency: currency.code,
    start_price: jsonAmount(auction.startPrice, currency),
    has_reserve: auction.hasReserve,
    opened_at: jsonTime(auction.openedAt),
    opens_at: jsonTime(auction.opensAt),
    closes_at: jsonTime(auction.closesAt),
    ended_at: jsonTime(ending?.at ?? null),
    result: resultOf(ending),
    winner_id: ending?.winner?.id ?? null,
    winner: ending?.winner?.name ?? null,
    winning_bid_id: ending?.bidId ?? null,
    hammer_price: jsonAmount(ending?.price ?? null, currency),
    reserve: jsonAmount(ending?.reserve ?? null, currency),
  }
}

function resultOf(ending: StatEnding | null): 'running' | 'sold' | NoSale {
  return ending === null ? 'running' : (ending.noSale ?? 'sold')
}

/** One line of the table of bids. */
export function bidRow({ currency, bidder, ...bid }: StatBid) {
  return {
    bid_id: bid.bidId,
    auction_id: bid.auctionId,
    title: bid.title,
    seq: bid.seq,
    at: jsonTime(bid.at),
    bidder_id: bidder.id,
    bidder: bidder.name,
    kind: bid.kind,
    currency: currency.code,
    amount: jsonAmount(bid.amount, currency),
    price: jsonAmount(bid.price, currency),
    leads: bid.leads,
  }
}

function stepsJson({ from, to, by, timeZone }: Steps) {
  return { ...frameJson({ from, to }), by, time_zone: timeZone }
}

function frameJson({ from, to }: { readonly from: number; readonly to: number }) {
  return { from: jsonTime(from), to: jsonTime(to) }
}

function countsJson(step: StatStep) {
  const { opened, bids, bidders, extensions, sold, unsold, cancelled, sales } = step
  return {
    opened,
    bids,
    bidders,
    auctions_bid_on: step.auctionsBidOn,
    extensions,
    sold,
    unsold,
    cancelled,
    sell_through: sold + unsold === 0 ? null : ratio(BigInt(sold), BigInt(sold + unsold)),
    sales: sales.map(saleJson),
  }
}

function saleJson({ start, reserved, ...sale }: SaleSum) {
  const { currency, hammer } = sale
  return {
    ...soldJson(sale),
    start: formatAmount(start, currency),
    hammer_to_start: ratio(hammer, start),
    with_reserve: {
      sold: reserved.sold,
      hammer: formatAmount(reserved.hammer, currency),
      reserve: formatAmount(reserved.reserve, currency),
      hammer_to_reserve: reserved.reserve === 0n ? null : ratio(reserved.hammer, reserved.reserve),
    },
  }
}

function soldJson({ currency, sold, hammer }: Pick<SaleSum, 'currency' | 'sold' | 'hammer'>) {
  return { currency: currency.code, sold, hammer: formatAmount(hammer, currency) }
}

/** To four decimals. */
function ratio(part: bigint, whole: bigint): number {
  return Number((part * 100_000n + 5n * whole) / (10n * whole)) / 10_000
}
