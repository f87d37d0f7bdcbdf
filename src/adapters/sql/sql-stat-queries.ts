import { type Kysely, type RawBuilder, sql } from 'kysely'
import type {
  BidderFigures,
  LotFigures,
  LotMark,
  LotPage,
  PriceStep,
  RowMark,
  RowPage,
  SellerFigures,
  StatAuction,
  StatBid,
  StatFrame,
  StatQueries,
  StatScope,
  StatStep,
} from '../../ports/store/stat-queries.js'
import { consumerStoreError } from './sql-errors.js'
import { openTables } from './sql-open-tables.js'
import { auctionRows, bidRows, resultRows } from './sql-stat-export.js'
import {
  AUCTION_COLUMNS,
  type AuctionAndEnding,
  auctionOf,
  during,
  type EndingsRow,
  exactSum,
  grouped,
  hammerSum,
  type SaleRow,
  saleSum,
  stepsTable,
  within,
} from './sql-stat-parts.js'
import type { SqlTables } from './sql-tables.js'

export interface SqlStatQueriesDeps {
  readonly db: Kysely<SqlTables>
}

export interface SqlStatQueriesOptions {
  /** Where the database is, for people. */
  readonly place: string
}

export class SqlStatQueries implements StatQueries {
  readonly #db: Kysely<SqlTables>
  readonly #place: string
  #opened: Promise<void> | null = null

  constructor({ db }: SqlStatQueriesDeps, { place }: SqlStatQueriesOptions) {
    this.#db = db
    this.#place = place
  }

  open(): Promise<void> {
    this.#opened ??= this.#guard(() => openTables(this.#db, this.#place)).catch((error) => {
      this.#opened = null
      throw error
    })
    return this.#opened
  }

  async find(start: string, limit: number): Promise<string[]> {
    const rows = await this.#rows<{ auction_id: string }>(
      sql`SELECT a.auction_id FROM stat_auctions a
        WHERE ${within('a', { auctionId: null, sellerId: null })}
          AND substr(a.auction_id, 1, ${sql.raw(String(start.length))}) = ${start}
        ORDER BY a.auction_id LIMIT ${limit}`,
    )
    return rows.map(({ auction_id }) => auction_id)
  }

  async bounds(scope: StatScope): Promise<{ first: number; last: number } | null> {
    const times = (table: string) =>
      sql`SELECT MIN(t.at) AS first, MAX(t.at) AS last FROM ${sql.table(table)} t WHERE ${within('t', scope)}`
    const tables = ['stat_auctions', 'stat_bids', 'stat_extensions', 'stat_endings'].map(times)
    const [row] = await this.#rows<{ first: number | null; last: number | null }>(
      sql`SELECT MIN(first) AS first, MAX(last) AS last FROM (${sql.join(tables, sql` UNION ALL `)}) u`,
    )
    return row === undefined || row.first === null || row.last === null ? null : { first: row.first, last: row.last }
  }

  async steps(scope: StatScope, edges: readonly number[]): Promise<StatStep[]> {
    const counted = (table: string, what: RawBuilder<unknown>) =>
      sql`WITH ${stepsTable(edges)} SELECT s.i, ${what} FROM steps s CROSS JOIN ${sql.table(table)} t
        WHERE ${within('t', scope)} AND t.at >= s.lo AND t.at < s.hi GROUP BY s.i`
    const one = sql`COUNT(*) AS n`
    const opened = await this.#byStep<{ n: number }>(counted('stat_auctions', one))
    const extensions = await this.#byStep<{ n: number }>(counted('stat_extensions', one))
    const bids = await this.#byStep<{ n: number; bidders: number; auctions: number }>(
      counted(
        'stat_bids',
        sql`${one}, COUNT(DISTINCT t.bidder_id) AS bidders, COUNT(DISTINCT t.auction_id) AS auctions`,
      ),
    )
    const endings = grouped(await this.#endings(scope, edges), ({ i }) => i)
    return edges.slice(0, -1).map((from, i) => {
      const rows = endings.get(i) ?? []
      const sum = (what: 'sold' | 'unsold' | 'cancelled') => rows.reduce((total, row) => total + Number(row[what]), 0)
      return {
        from,
        to: edges[i + 1] as number,
        opened: opened.get(i)?.n ?? 0,
        bids: bids.get(i)?.n ?? 0,
        bidders: bids.get(i)?.bidders ?? 0,
        auctionsBidOn: bids.get(i)?.auctions ?? 0,
        extensions: extensions.get(i)?.n ?? 0,
        sold: sum('sold'),
        unsold: sum('unsold'),
        cancelled: sum('cancelled'),
        sales: rows.filter(({ sold }) => Number(sold) > 0).map(saleSum),
      }
    })
  }

  async medianFirstBidMs(frame: StatFrame): Promise<number | null> {
    const waits = sql`SELECT MIN(b.at) - CASE WHEN a.opens_at > a.at THEN a.opens_at ELSE a.at END AS wait
      FROM stat_auctions a JOIN stat_bids b ON b.generation = a.generation AND b.auction_id = a.auction_id
      WHERE ${within('a', frame)} AND ${during('a', frame)} AND b.at < ${frame.to}
      GROUP BY a.auction_id, a.at, a.opens_at`
    const [row] = await this.#rows<{ wait: number }>(
      sql`SELECT wait FROM (SELECT wait, ROW_NUMBER() OVER (ORDER BY wait) AS r, COUNT(*) OVER () AS n
        FROM (${waits}) w) x WHERE r = (n + 1) / 2`,
    )
    return row?.wait ?? null
  }

  async lots(frame: StatFrame, { limit, after }: { limit: number; after: LotMark | null }): Promise<LotPage> {
    const older = after === null ? sql`` : sql`AND (a.at, a.auction_id) < (${after.openedAt}, ${after.auctionId})`
    const of = (table: string) =>
      sql`FROM ${sql.table(table)} t WHERE t.generation = p.generation AND t.auction_id = p.auction_id`
    const rows = await this.#rows<
      AuctionAndEnding & { bids: number; bidders: number; extensions: number; top: number | null; first: number | null }
    >(sql`SELECT p.*, (SELECT COUNT(*) ${of('stat_bids')}) AS bids,
        (SELECT COUNT(DISTINCT t.bidder_id) ${of('stat_bids')}) AS bidders,
        (SELECT MAX(t.price) ${of('stat_bids')}) AS top, (SELECT MIN(t.at) ${of('stat_bids')}) AS first,
        (SELECT COUNT(*) ${of('stat_extensions')}) AS extensions
      FROM (SELECT a.generation, ${AUCTION_COLUMNS} FROM stat_auctions a
        LEFT JOIN stat_endings e ON e.generation = a.generation AND e.auction_id = a.auction_id
        WHERE ${within('a', frame)} AND a.at < ${frame.to} AND (e.at IS NULL OR e.at >= ${frame.from}) ${older}
        ORDER BY a.at DESC, a.auction_id DESC LIMIT ${limit + 1}) p
      ORDER BY p.at DESC, p.auction_id DESC`)
    const lots = rows.slice(0, limit).map((row): LotFigures => {
      const { bids, bidders, extensions, top, first } = row
      return { ...auctionOf(row), bids, bidders, extensions, price: top, firstBidAt: first }
    })
    const last = lots.at(-1)
    const more = rows.length > limit && last !== undefined
    return { lots, next: more ? { openedAt: last.openedAt, auctionId: last.auctionId } : null }
  }

  async bidders(frame: StatFrame, limit: number): Promise<BidderFigures[]> {
    const rows = await this.#rows<{ id: string; name: string; bids: number; auctions: number }>(
      sql`SELECT t.bidder_id AS id, MAX(t.bidder_name) AS name, COUNT(*) AS bids,
          COUNT(DISTINCT t.auction_id) AS auctions FROM stat_bids t
        WHERE ${within('t', frame)} AND ${during('t', frame)}
        GROUP BY t.bidder_id ORDER BY bids DESC, t.bidder_id LIMIT ${limit}`,
    )
    if (rows.length === 0) return []
    const winners = sql.join(rows.map(({ id }) => sql`${id}`))
    const won = await this.#rows<SaleRow & { id: string }>(
      sql`SELECT e.winner_id AS id, a.currency, a.exponent, COUNT(*) AS sold, ${exactSum(sql`e.price`, 'hammer')}
        FROM stat_endings e JOIN stat_auctions a ON a.generation = e.generation AND a.auction_id = e.auction_id
        WHERE ${within('e', frame)} AND ${during('e', frame)} AND e.winner_id IN (${winners})
        GROUP BY e.winner_id, a.currency, a.exponent ORDER BY a.currency`,
    )
    const byWinner = grouped(won, ({ id }) => id)
    return rows.map(({ id, name, bids, auctions }) => ({
      bidder: { id, name },
      bids,
      auctions,
      won: (byWinner.get(id) ?? []).map(hammerSum),
    }))
  }

  async sellers(scope: StatScope, edges: readonly number[], limit: number): Promise<SellerFigures[]> {
    const rows = await this.#rows<SaleRow & { i: number; id: string; name: string }>(
      sql`WITH ${stepsTable(edges)} SELECT s.i, a.seller_id AS id, MAX(a.seller_name) AS name, a.currency, a.exponent,
          COUNT(*) AS sold, ${exactSum(sql`e.price`, 'hammer')}
        FROM steps s CROSS JOIN stat_endings e
          JOIN stat_auctions a ON a.generation = e.generation AND a.auction_id = e.auction_id
        WHERE ${within('e', scope)} AND e.at >= s.lo AND e.at < s.hi AND e.sold = 1
        GROUP BY s.i, a.seller_id, a.currency, a.exponent
        ORDER BY s.i, a.seller_id, a.currency LIMIT ${limit}`,
    )
    return rows.map((row) => ({
      from: edges[row.i] as number,
      to: edges[row.i + 1] as number,
      seller: { id: row.id, name: row.name },
      ...hammerSum(row),
    }))
  }

  async prices(auctionId: string, edges: readonly number[]): Promise<PriceStep[]> {
    const scope = { auctionId, sellerId: null }
    const [before] = await this.#rows<{ top: number | null }>(
      sql`SELECT MAX(t.price) AS top FROM stat_bids t WHERE ${within('t', scope)} AND t.at < ${edges[0] ?? 0}`,
    )
    const bids = await this.#byStep<{ n: number; top: number }>(
      sql`WITH ${stepsTable(edges)} SELECT s.i, COUNT(*) AS n, MAX(t.price) AS top
        FROM steps s CROSS JOIN stat_bids t
        WHERE ${within('t', scope)} AND t.at >= s.lo AND t.at < s.hi GROUP BY s.i`,
    )
    let price = before?.top ?? null
    return edges.slice(0, -1).map((from, i) => {
      const step = bids.get(i)
      price = step?.top ?? price
      return { from, to: edges[i + 1] as number, bids: step?.n ?? 0, price }
    })
  }

  auctionRows(frame: StatFrame, after: RowMark | null): Promise<RowPage<StatAuction>> {
    return auctionRows((query) => this.#rows(query), frame, after)
  }

  bidRows(frame: StatFrame, after: RowMark | null): Promise<RowPage<StatBid>> {
    return bidRows((query) => this.#rows(query), frame, after)
  }

  resultRows(frame: StatFrame, after: RowMark | null): Promise<RowPage<StatAuction>> {
    return resultRows((query) => this.#rows(query), frame, after)
  }

  close(): Promise<void> {
    return this.#db.destroy()
  }

  #endings(scope: StatScope, edges: readonly number[]): Promise<EndingsRow[]> {
    const sold = (value: string) => sql`CASE WHEN e.sold = 1 THEN ${sql.ref(value)} ELSE 0 END`
    const reserved = (value: string) =>
      sql`CASE WHEN e.sold = 1 AND e.reserve IS NOT NULL THEN ${sql.ref(value)} ELSE 0 END`
    return this.#rows<EndingsRow>(
      sql`WITH ${stepsTable(edges)} SELECT s.i, a.currency, a.exponent, SUM(e.sold) AS sold,
          SUM(CASE WHEN e.reason IS NOT NULL THEN 1 ELSE 0 END) AS unsold,
          SUM(CASE WHEN e.sold = 0 AND e.reason IS NULL THEN 1 ELSE 0 END) AS cancelled,
          SUM(CASE WHEN e.sold = 1 AND e.reserve IS NOT NULL THEN 1 ELSE 0 END) AS reserved,
          ${exactSum(sold('e.price'), 'hammer')}, ${exactSum(sold('a.start_price'), 'start')},
          ${exactSum(reserved('e.price'), 'reserved')}, ${exactSum(reserved('e.reserve'), 'reserve')}
        FROM steps s CROSS JOIN stat_endings e
          JOIN stat_auctions a ON a.generation = e.generation AND a.auction_id = e.auction_id
        WHERE ${within('e', scope)} AND e.at >= s.lo AND e.at < s.hi
        GROUP BY s.i, a.currency, a.exponent ORDER BY s.i, a.currency, a.exponent`,
    )
  }

  async #byStep<Row>(query: RawBuilder<unknown>): Promise<Map<number, Row>> {
    const rows = await this.#rows<Row & { i: number }>(query)
    return new Map(rows.map((row) => [row.i, row]))
  }

  async #rows<Row>(query: RawBuilder<unknown>): Promise<Row[]> {
    await this.open()
    return this.#guard(async () => (await query.execute(this.#db)).rows as Row[])
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw consumerStoreError(error, this.#place) ?? error
    }
  }
}
