import type { Statistics, StatRequest } from '../analytics/statistics.js'
import { auctionRow, bidRow } from './stat-shapes.js'

/** What can be taken away as a table. */
export const STAT_TABLES = ['auctions', 'bids', 'results'] as const
export type StatTable = (typeof STAT_TABLES)[number]
export const TABLE_FORMATS = ['csv', 'ndjson'] as const

export type TableRow = Readonly<Record<string, string | number | boolean | null>>

const AUCTION_COLUMNS = [
  ...['auction_id', 'title', 'seller_id', 'seller', 'currency', 'start_price', 'has_reserve'],
  ...['opened_at', 'opens_at', 'closes_at', 'ended_at', 'result'],
]
const RESULT_COLUMNS = [
  ...['auction_id', 'title', 'seller_id', 'seller', 'ended_at', 'result', 'winner_id', 'winner'],
  ...['currency', 'hammer_price', 'start_price', 'reserve', 'winning_bid_id'],
]
const BID_COLUMNS = [
  ...['bid_id', 'auction_id', 'title', 'seq', 'at', 'bidder_id', 'bidder', 'kind'],
  ...['currency', 'amount', 'price', 'leads'],
]

/** The columns of each table, in their order. */
export const TABLE_COLUMNS: Readonly<Record<StatTable, readonly string[]>> = {
  auctions: AUCTION_COLUMNS,
  bids: BID_COLUMNS,
  results: RESULT_COLUMNS,
}

/** Reads a page of rows at a time, however many there are. */
export async function* tableRows(
  statistics: Statistics,
  table: StatTable,
  request: StatRequest,
): AsyncGenerator<readonly TableRow[], void> {
  const columns = TABLE_COLUMNS[table]
  for await (const rows of shownRows(statistics, table, request))
    yield rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column] ?? null])))
}

async function* shownRows(
  statistics: Statistics,
  table: StatTable,
  request: StatRequest,
): AsyncGenerator<readonly TableRow[], void> {
  if (table === 'bids') for await (const rows of statistics.bidRows(request)) yield rows.map(bidRow)
  else if (table === 'auctions') for await (const rows of statistics.auctionRows(request)) yield rows.map(auctionRow)
  else for await (const rows of statistics.resultRows(request)) yield rows.map(auctionRow)
}
