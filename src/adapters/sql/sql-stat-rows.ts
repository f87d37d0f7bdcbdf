import type { BidFact, EndedFact, ExtendedFact, OpenedFact, StatFact } from '../../ports/store/stat-facts.js'
import { inParts, type SqlRows } from './sql-rows.js'
import type { StatAuctionRow, StatBidRow, StatEndingRow, StatExtensionRow } from './sql-tables.js'

export const sqlStatRows: SqlRows<StatFact> = {
  tables: ['stat_auctions', 'stat_bids', 'stat_extensions', 'stat_endings'],
  async write(transaction, generation, facts) {
    const auctions: StatAuctionRow[] = []
    const bids: StatBidRow[] = []
    const extensions: StatExtensionRow[] = []
    const endings: StatEndingRow[] = []
    for (const fact of facts) {
      if (fact.kind === 'bid') bids.push(bidRow(generation, fact))
      else if (fact.kind === 'opened') auctions.push(auctionRow(generation, fact))
      else if (fact.kind === 'extended') extensions.push(extensionRow(generation, fact))
      else endings.push(endingRow(generation, fact))
    }
    for (const rows of inParts(auctions)) await transaction.insertInto('stat_auctions').values(rows).execute()
    for (const rows of inParts(bids)) await transaction.insertInto('stat_bids').values(rows).execute()
    for (const rows of inParts(extensions)) await transaction.insertInto('stat_extensions').values(rows).execute()
    for (const rows of inParts(endings)) await transaction.insertInto('stat_endings').values(rows).execute()
  },
}

function auctionRow(generation: number, fact: OpenedFact): StatAuctionRow {
  return {
    generation,
    auction_id: fact.auctionId,
    seq: fact.seq,
    at: fact.at,
    title: fact.title,
    seller_id: fact.seller.id,
    seller_name: fact.seller.name,
    currency: fact.currency.code,
    exponent: fact.currency.exponent,
    start_price: fact.startPrice,
    has_reserve: fact.hasReserve ? 1 : 0,
    opens_at: fact.opensAt,
    closes_at: fact.closesAt,
  }
}

function bidRow(generation: number, { auctionId, seq, at, bid }: BidFact): StatBidRow {
  const { bidId, bidder, kind, amount, price, leads } = bid
  return {
    generation,
    auction_id: auctionId,
    seq,
    at,
    bid_id: bidId,
    bidder_id: bidder.id,
    bidder_name: bidder.name,
    kind,
    amount,
    price,
    leads: leads ? 1 : 0,
  }
}

function extensionRow(generation: number, { auctionId, seq, at, by, closesAt }: ExtendedFact): StatExtensionRow {
  return { generation, auction_id: auctionId, seq, at, by, closes_at: closesAt }
}

function endingRow(generation: number, { auctionId, seq, at, by, result, reserve }: EndedFact): StatEndingRow {
  const sale = result?.sold ? result : null
  return {
    generation,
    auction_id: auctionId,
    seq,
    at,
    by,
    sold: sale === null ? 0 : 1,
    reason: result === null || result.sold ? null : result.reason,
    winner_id: sale?.winner.id ?? null,
    winner_name: sale?.winner.name ?? null,
    bid_id: sale?.bidId ?? null,
    price: sale?.price ?? null,
    reserve,
  }
}
