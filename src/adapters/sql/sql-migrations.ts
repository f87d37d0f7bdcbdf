import type { CreateTableBuilder, Kysely } from 'kysely'
import type { Migration, MigrationProvider } from 'kysely/migration'
import { makeNotices } from './sql-notice-tables.js'

/** Append only, in the order of their names: never edit a migration that was released. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-consumers': { up: makeConsumers },
  '0002-statistics': { up: makeStatistics },
  '0003-statistics-by-seller': { up: indexSellers },
  '0004-notices': { up: makeNotices },
}

export const migrationProvider: MigrationProvider = { getMigrations: async () => ({ ...MIGRATIONS }) }

async function makeConsumers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('consumer_generations')
    .addColumn('consumer', 'varchar(64)', (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('state', 'varchar(16)', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('holder', 'varchar(256)')
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('beat', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('consumer_generations_key', ['consumer', 'generation'])
    .execute()
  await db.schema
    .createTable('consumer_cursors')
    .addColumn('consumer', 'varchar(64)', (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('auction_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'varchar(64)', (column) => column.notNull())
    .addColumn('signer', 'varchar(64)', (column) => column.notNull())
    .addColumn('signature', 'varchar(128)', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('consumer_cursors_key', ['consumer', 'generation', 'auction_id'])
    .execute()
  await db.schema
    .createTable('consumer_misfits')
    .addColumn('consumer', 'varchar(64)', (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('auction_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('misfit', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('consumer_misfits_key', ['consumer', 'generation', 'auction_id'])
    .execute()
}

async function makeStatistics(db: Kysely<unknown>): Promise<void> {
  await statTable(db, 'stat_auctions')
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('seller_id', 'varchar(128)', (column) => column.notNull())
    .addColumn('seller_name', 'text', (column) => column.notNull())
    .addColumn('currency', 'varchar(16)', (column) => column.notNull())
    .addColumn('exponent', 'integer', (column) => column.notNull())
    .addColumn('start_price', 'bigint', (column) => column.notNull())
    .addColumn('has_reserve', 'integer', (column) => column.notNull())
    .addColumn('opens_at', 'bigint')
    .addColumn('closes_at', 'bigint')
    .execute()
  await statTable(db, 'stat_bids')
    .addColumn('bid_id', 'varchar(128)', (column) => column.notNull())
    .addColumn('bidder_id', 'varchar(128)', (column) => column.notNull())
    .addColumn('bidder_name', 'text', (column) => column.notNull())
    .addColumn('kind', 'varchar(16)', (column) => column.notNull())
    .addColumn('amount', 'bigint')
    .addColumn('price', 'bigint', (column) => column.notNull())
    .addColumn('leads', 'integer', (column) => column.notNull())
    .execute()
  await statTable(db, 'stat_extensions')
    .addColumn('by', 'varchar(16)', (column) => column.notNull())
    .addColumn('closes_at', 'bigint', (column) => column.notNull())
    .execute()
  await statTable(db, 'stat_endings')
    .addColumn('by', 'varchar(16)', (column) => column.notNull())
    .addColumn('sold', 'integer', (column) => column.notNull())
    .addColumn('reason', 'varchar(32)')
    .addColumn('winner_id', 'varchar(128)')
    .addColumn('winner_name', 'text')
    .addColumn('bid_id', 'varchar(128)')
    .addColumn('price', 'bigint')
    .addColumn('reserve', 'bigint')
    .execute()
  for (const table of ['stat_auctions', 'stat_bids', 'stat_extensions', 'stat_endings'])
    await db.schema.createIndex(`${table}_by_time`).on(table).columns(['generation', 'at']).execute()
}

/** Sellers ask for their own auctions alone. */
async function indexSellers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('stat_auctions_by_seller')
    .on('stat_auctions')
    .columns(['generation', 'seller_id', 'auction_id'])
    .execute()
}

/** An event makes at most one row: the database refuses the same row twice. */
function statTable(db: Kysely<unknown>, name: string): CreateTableBuilder<string, 'generation' | 'auction_id'> {
  return db.schema
    .createTable(name)
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('auction_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint(`${name}_key`, ['generation', 'auction_id', 'seq'])
}
