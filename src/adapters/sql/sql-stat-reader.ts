import type { Kysely } from 'kysely'
import type { StatCoverage, StatReader } from '../../ports/store/stat-reader.js'
import { consumerStoreError } from './sql-errors.js'
import { SqlStatQueries } from './sql-stat-queries.js'
import type { SqlTables } from './sql-tables.js'

export interface SqlStatReaderOptions {
  /** The name of the consumer whose rows these are. */
  readonly consumer: string
  /** Where the database is, for people. */
  readonly place: string
}

export class SqlStatReader extends SqlStatQueries implements StatReader {
  readonly #db: Kysely<SqlTables>
  readonly #options: SqlStatReaderOptions

  constructor({ db }: { readonly db: Kysely<SqlTables> }, options: SqlStatReaderOptions) {
    super({ db }, options)
    this.#db = db
    this.#options = options
  }

  /** The database belongs to the consumer, which closes it. */
  override close(): Promise<void> {
    return Promise.resolve()
  }

  async coverage(): Promise<StatCoverage | null> {
    const { consumer, place } = this.#options
    try {
      const row = await this.#db
        .selectFrom('consumer_generations as g')
        .leftJoin('consumer_cursors as c', (join) =>
          join.onRef('c.consumer', '=', 'g.consumer').onRef('c.generation', '=', 'g.generation'),
        )
        .select((eb) => ['g.generation', eb.fn.count('c.auction_id').as('auctions'), eb.fn.sum('c.seq').as('events')])
        .where('g.consumer', '=', consumer)
        .where('g.state', '=', 'live')
        .groupBy('g.generation')
        .executeTakeFirst()
      if (row === undefined) return null
      return { generation: row.generation, auctions: Number(row.auctions), events: Number(row.events ?? 0) }
    } catch (error) {
      throw consumerStoreError(error, place) ?? error
    }
  }
}
