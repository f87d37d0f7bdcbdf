import { join } from 'node:path'
import type { Dialect } from 'kysely'
import { postgresDialect, sqliteDialect } from '../../../src/adapters/sql/sql-database.js'
import { parseSharedLog } from '../../../src/adapters/system/shared-log-address.js'
import { PASSWORD, sharedServer } from '../postgres/postgres-server.js'
import { makeTempDir } from '../temp-dir.js'

/** A database under test. */
export interface ConsumerDatabase {
  readonly name: string
  /** An empty one. */
  make(): Promise<{ dialect: Dialect; dispose(): Promise<void> }>
  /** See `ConsumerHouse` and `KillingDialect`. */
  readonly how?: { readonly turnMs: number; readonly goodbye: string }
}

export const SQLITE: ConsumerDatabase = {
  name: 'SQLite',
  async make() {
    const { path, remove } = makeTempDir()
    return { dialect: sqliteDialect(join(path, 'stats.db')), dispose: async () => remove() }
  },
}

/** Whoever uses it ends the shared server. */
export const POSTGRES: ConsumerDatabase = {
  name: 'PostgreSQL',
  how: { turnMs: 10, goodbye: 'SELECT pg_advisory_unlock_all()' },
  async make() {
    const server = await sharedServer()
    const database = await server.createDatabase()
    const url = `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/${database}`
    return { dialect: postgresDialect(parseSharedLog(url)), dispose: async () => {} }
  },
}
