import { type RawBuilder, sql } from 'kysely'
import { statProjection } from '../../application/analytics/stat-projection.js'
import type { NoSale, SaleSum, StatAuction, StatScope, TimeFrame } from '../../ports/store/stat-queries.js'

/** Each statement looks it up itself, so that a rebuild may make another generation live between two statements. */
export const LIVE = sql`(SELECT generation FROM consumer_generations
  WHERE consumer = ${statProjection.name} AND state = 'live')`

/** The rows of a table, named `t` in the statement, that are live and within the scope. */
export function within(t: string, { auctionId, sellerId }: StatScope): RawBuilder<unknown> {
  const [generation, auction] = [sql.ref(`${t}.generation`), sql.ref(`${t}.auction_id`)]
  const parts = [sql`${generation} = ${LIVE}`]
  if (auctionId !== null) parts.push(sql`${auction} = ${auctionId}`)
  if (sellerId !== null)
    parts.push(sql`${auction} IN (SELECT auction_id FROM stat_auctions
      WHERE generation = ${LIVE} AND seller_id = ${sellerId})`)
  return sql.join(parts, sql` AND `)
}

export function during(t: string, { from, to }: TimeFrame): RawBuilder<unknown> {
  return sql`${sql.ref(`${t}.at`)} >= ${from} AND ${sql.ref(`${t}.at`)} < ${to}`
}

/**
 * Steps of time as a table (i, lo, hi). Calendars differ too much between databases to let them cut days: they get the
 * edges. SQLite is held to look at the steps first, and so at the index on time, by CROSS JOIN.
 */
export function stepsTable(edges: readonly number[]): RawBuilder<unknown> {
  const rows = edges.slice(0, -1).map((lo, i) => `(${i}, ${whole(lo)}, ${whole(edges[i + 1] as number)})`)
  return sql`steps (i, lo, hi) AS (VALUES ${sql.raw(rows.join(', '))})`
}

function whole(ms: number): number {
  if (!Number.isSafeInteger(ms)) throw new Error(`${ms} is no time`)
  return ms
}

/** Sums of 67 million amounts stay exact: each part of an amount has 27 bits at most. */
const LOW = 67_108_864

export function exactSum(value: RawBuilder<unknown>, name: string): RawBuilder<unknown> {
  return sql`SUM((${value}) / ${sql.raw(String(LOW))}) AS ${sql.ref(`${name}_high`)},
    SUM((${value}) % ${sql.raw(String(LOW))}) AS ${sql.ref(`${name}_low`)}`
}

/** PostgreSQL returns sums as text: they may exceed what a number holds. */
type Summed = number | string | null

function exactTotal(high: Summed, low: Summed): bigint {
  return BigInt(high ?? 0) * BigInt(LOW) + BigInt(low ?? 0)
}

export interface AuctionAndEnding {
  auction_id: string
  at: number
  title: string
  seller_id: string
  seller_name: string
  currency: string
  exponent: number
  start_price: number
  has_reserve: number
  opens_at: number | null
  closes_at: number | null
  ended_at: number | null
  ended_by: string | null
  reason: string | null
  winner_id: string | null
  winner_name: string | null
  bid_id: string | null
  hammer: number | null
  reserve: number | null
}

/** Of `stat_auctions` as `a`, and `stat_endings` as `e`. */
export const AUCTION_COLUMNS = sql`a.auction_id, a.at, a.title, a.seller_id, a.seller_name, a.currency, a.exponent,
  a.start_price, a.has_reserve, a.opens_at, a.closes_at, e.at AS ended_at, e.by AS ended_by, e.reason, e.winner_id,
  e.winner_name, e.bid_id, e.price AS hammer, e.reserve`

export function auctionOf<Row extends AuctionAndEnding>(row: Row): StatAuction {
  const { winner_id, winner_name } = row
  return {
    auctionId: row.auction_id,
    title: row.title,
    seller: { id: row.seller_id, name: row.seller_name },
    currency: { code: row.currency, exponent: row.exponent },
    startPrice: row.start_price,
    hasReserve: row.has_reserve === 1,
    openedAt: row.at,
    opensAt: row.opens_at,
    closesAt: row.closes_at,
    ending:
      row.ended_at === null
        ? null
        : {
            at: row.ended_at,
            noSale: winner_id === null ? ((row.reason ?? row.ended_by) as NoSale) : null,
            winner: winner_id === null ? null : { id: winner_id, name: winner_name as string },
            bidId: row.bid_id,
            price: row.hammer,
            reserve: row.reserve,
          },
  }
}

export interface SaleRow {
  currency: string
  exponent: number
  sold: number
  hammer_high: Summed
  hammer_low: Summed
}

export interface EndingsRow extends SaleRow {
  i: number
  unsold: number
  cancelled: number
  start_high: Summed
  start_low: Summed
  reserved: number
  reserved_high: Summed
  reserved_low: Summed
  reserve_high: Summed
  reserve_low: Summed
}

export function hammerSum({ currency, exponent, sold, hammer_high, hammer_low }: SaleRow) {
  const hammer = exactTotal(hammer_high, hammer_low)
  return { currency: { code: currency, exponent }, sold: Number(sold), hammer }
}

export function saleSum(row: EndingsRow): SaleSum {
  return {
    ...hammerSum(row),
    start: exactTotal(row.start_high, row.start_low),
    reserved: {
      sold: Number(row.reserved),
      hammer: exactTotal(row.reserved_high, row.reserved_low),
      reserve: exactTotal(row.reserve_high, row.reserve_low),
    },
  }
}

export function grouped<Row, Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>()
  for (const row of rows) {
    const key = keyOf(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}
