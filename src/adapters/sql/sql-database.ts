import { closeSync, openSync, readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { type Dialect, Kysely, PostgresDialect, SqliteDialect } from 'kysely'
import pg from 'pg'
import type { DatabaseAddress } from '../system/database-address.js'
import { type SharedLogAddress, sharedLogPassword, shownSharedLog } from '../system/shared-log-address.js'
import type { SqlTables } from './sql-tables.js'

export interface SqlDatabase {
  readonly db: Kysely<SqlTables>
  /** Its location, for people: without the password. */
  readonly place: string
}

const LOCK_TIMEOUT_MS = 2_000
const CONNECT_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 60_000
const MAX_CONNECTIONS = 4
const INT8 = 20

export function openSqlDatabase(address: DatabaseAddress): SqlDatabase {
  if (address.kind === 'sqlite')
    return { db: new Kysely({ dialect: sqliteDialect(address.file) }), place: address.file }
  return { db: new Kysely({ dialect: postgresDialect(address.server) }), place: shownSharedLog(address.server) }
}

/**
 * Several processes may use the file. A power cut may lose the last transactions, each as a whole: cursors and rows
 * together, so the rows are computed again.
 */
export function sqliteDialect(path: string): Dialect {
  return new SqliteDialect({
    database: async () => {
      closeSync(openSync(path, 'a', 0o600))
      const db = new Database(path, { timeout: LOCK_TIMEOUT_MS })
      db.pragma('journal_mode = WAL')
      db.pragma('synchronous = NORMAL')
      return db
    },
  })
}

export function postgresDialect(address: SharedLogAddress): Dialect {
  const { hosts, database, user, tls } = address
  const [{ host, port } = { host: 'localhost', port: 5_432 }] = hosts
  const ca = tls.rootCertificateFile === null ? undefined : readFileSync(tls.rootCertificateFile, 'utf8')
  return new PostgresDialect({
    pool: async () => {
      // A file that cannot be read is said at once, not at the first log-in.
      sharedLogPassword(address, 'db')
      const pool = new pg.Pool({
        host,
        port,
        database,
        user,
        password: () => sharedLogPassword(address, 'db') ?? '',
        ssl: tls.mode === 'disable' ? false : { rejectUnauthorized: tls.mode === 'verify-full', ...(ca && { ca }) },
        application_name: 'vendue-stats',
        max: MAX_CONNECTIONS,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: QUERY_TIMEOUT_MS,
        keepAlive: true,
        types: { getTypeParser },
      })
      // If a connection breaks while idle, it is replaced.
      pool.on('error', () => {})
      return pool
    },
  })
}

/** Times, amounts and seqs fit into numbers. */
function getTypeParser(oid: number, format?: string): (value: string) => unknown {
  if (oid === INT8) return Number
  return pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown
}
