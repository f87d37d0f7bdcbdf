import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { ConsumerStoreError } from '../../ports/store/consumer-store.js'
import { migrationProvider } from './sql-migrations.js'
import type { SqlTables } from './sql-tables.js'

/** Brings the tables up to date, and makes them if there are none. */
export async function openTables(db: Kysely<SqlTables>, place: string): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: migrationProvider,
    migrationTableName: 'stat_migrations',
    migrationLockTableName: 'stat_migration_lock',
  })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  const said = error instanceof Error ? error.message : String(error)
  if (!said.startsWith('corrupted migrations')) throw error
  throw new ConsumerStoreError(
    'STATS_DB_VERSION',
    `${place} was written by another version of Vendue (${said}); update Vendue, or name another database`,
    { cause: error },
  )
}
