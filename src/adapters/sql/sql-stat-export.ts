import { type RawBuilder, sql } from 'kysely'
import type { RowMark, RowPage, StatAuction, StatBid, StatFrame } from '../../ports/store/stat-queries.js'
import { AUCTION_COLUMNS, type AuctionAndEnding, auctionOf, during, within } from './sql-stat-parts.js'

/** Runs a statement. */
type Ask = <Row>(query: RawBuilder<unknown>) => Promise<Row[]>

interface Marked {
  mark: number
  auction_id: string
  seq: number
}

interface BidRow extends Marked {
  at: number
  bid_id: string
  bidder_id: string
  bidder_name: string
  kind: string
  amount: number | null
  price: number
  leads: number
  title: string
  currency: string
  exponent: number
}

const ROWS_AT_ONCE = 1_000

export async function auctionRows(ask: Ask, frame: StatFrame, after: RowMark | null): Promise<RowPage<StatAuction>> {
  const rows = await ask<AuctionAndEnding & Marked>(
    sql`SELECT a.at AS mark, a.seq, ${AUCTION_COLUMNS} FROM stat_auctions a
      LEFT JOIN stat_endings e ON e.generation = a.generation AND e.auction_id = a.auction_id
      WHERE ${within('a', frame)} AND ${during('a', frame)} ${following('a', after)}`,
  )
  return pageOf(rows, auctionOf)
}

export async function resultRows(ask: Ask, frame: StatFrame, after: RowMark | null): Promise<RowPage<StatAuction>> {
  const rows = await ask<AuctionAndEnding & Marked>(
    sql`SELECT e.at AS mark, e.seq, ${AUCTION_COLUMNS} FROM stat_endings e
      JOIN stat_auctions a ON a.generation = e.generation AND a.auction_id = e.auction_id
      WHERE ${within('e', frame)} AND ${during('e', frame)} ${following('e', after)}`,
  )
  return pageOf(rows, auctionOf)
}

export async function bidRows(ask: Ask, frame: StatFrame, after: RowMark | null): Promise<RowPage<StatBid>> {
  const rows = await ask<BidRow>(
    sql`SELECT b.at AS mark, b.seq, b.at, b.auction_id, b.bid_id, b.bidder_id, b.bidder_name, b.kind, b.amount,
        b.price, b.leads, a.title, a.currency, a.exponent
      FROM stat_bids b JOIN stat_auctions a ON a.generation = b.generation AND a.auction_id = b.auction_id
      WHERE ${within('b', frame)} AND ${during('b', frame)} ${following('b', after)}`,
  )
  return pageOf(rows, (row) => ({
    auctionId: row.auction_id,
    seq: row.seq,
    at: row.at,
    title: row.title,
    currency: { code: row.currency, exponent: row.exponent },
    bidId: row.bid_id,
    bidder: { id: row.bidder_id, name: row.bidder_name },
    kind: row.kind,
    amount: row.amount,
    price: row.price,
    leads: row.leads === 1,
  }))
}

function following(t: string, after: RowMark | null): RawBuilder<unknown> {
  const key = sql.join(['at', 'auction_id', 'seq'].map((column) => sql.ref(`${t}.${column}`)))
  const more = after === null ? sql`` : sql`AND (${key}) > (${after.at}, ${after.auctionId}, ${after.seq})`
  return sql`${more} ORDER BY ${key} LIMIT ${ROWS_AT_ONCE}`
}

function pageOf<Row extends Marked, Shown>(found: readonly Row[], shown: (row: Row) => Shown): RowPage<Shown> {
  const last = found.at(-1)
  const full = found.length === ROWS_AT_ONCE && last !== undefined
  return {
    rows: found.map(shown),
    next: full ? { at: last.mark, auctionId: last.auction_id, seq: last.seq } : null,
  }
}
