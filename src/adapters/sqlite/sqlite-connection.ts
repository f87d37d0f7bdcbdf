import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { checkOwnership, migrate } from './sqlite-schema.js'
import { damagedMessage, StoreError, storeErrorFrom } from './store-error.js'

/** How long a statement waits for a lock that somebody else holds (a backup tool, say). */
export const LOCK_TIMEOUT_MS = 5_000
/** Pages (of 4 KiB) in the write-ahead log after which a commit moves them into the database. */
const CHECKPOINT_PAGES = 1_000
/** The write-ahead log's file is cut back to this after a checkpoint. */
const WAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024
/** Files up to this size are checked page by page at start (about 100 ms); larger ones by samples. */
const FULL_CHECK_MAX_BYTES = 16 * 1024 * 1024

const SYNCHRONOUS_LEVELS = { OFF: 0, NORMAL: 1, FULL: 2 } as const

/** For tests alone; no configuration leads here. */
export interface SqliteTestOptions {
  /** Anything but FULL loses acknowledged commits when the power fails. */
  readonly synchronous?: keyof typeof SYNCHRONOUS_LEVELS
  /** Stands for a full disk. */
  readonly maxPageCount?: number
}

/** The one connection that writes: durable settings, checked, and the schema brought up to date. */
export function openWriteConnection(path: string, test: SqliteTestOptions = {}): Database.Database {
  let db: Database.Database | undefined
  try {
    db = new Database(path, { timeout: LOCK_TIMEOUT_MS })
    checkOwnership(db)
    makeDurable(db, test.synchronous ?? 'FULL')
    syncWhatWasFound(db)
    migrate(db)
    checkIntegrity(db)
    if (test.maxPageCount !== undefined) db.pragma(`max_page_count = ${test.maxPageCount}`)
    return db
  } catch (error) {
    db?.close()
    throw storeErrorFrom(error, path)
  }
}

/** For short reads beside the writer; sees what is committed. */
export function openReadConnection(path: string): Database.Database {
  try {
    return new Database(path, { readonly: true, fileMustExist: true, timeout: LOCK_TIMEOUT_MS })
  } catch (error) {
    throw storeErrorFrom(error, path)
  }
}

/**
 * In WAL mode SQLite may settle for less than it was asked (some file systems have no shared memory), and the
 * driver's default is NORMAL, which loses acknowledged commits with the power: so what is in force is read back.
 */
export function makeDurable(db: Database.Database, synchronous: keyof typeof SYNCHRONOUS_LEVELS): void {
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${synchronous}`)
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  db.pragma(`journal_size_limit = ${WAL_SIZE_LIMIT_BYTES}`)
  if (process.platform === 'darwin') {
    db.pragma('fullfsync = ON')
    db.pragma('checkpoint_fullfsync = ON')
  }
  const journal = db.pragma('journal_mode', { simple: true })
  const level = db.pragma('synchronous', { simple: true })
  if (journal === 'wal' && level === SYNCHRONOUS_LEVELS[synchronous]) return
  throw new StoreError(
    'STORE_UNSAFE',
    `${db.name}: the disk cannot keep bids safely (journal_mode is ${journal}, synchronous is ${level}); ` +
      'put the data directory on a local disk',
  )
}

/**
 * A process that was killed while it wrote may leave a commit in the operating system's cache, where it is as good as
 * stored to whoever reads, until the power fails. So it is made durable before anybody learns of it.
 */
function syncWhatWasFound(db: Database.Database): void {
  db.pragma('wal_checkpoint(TRUNCATE)')
}

function checkIntegrity(db: Database.Database): void {
  const size = statSync(db.name).size
  const found = size <= FULL_CHECK_MAX_BYTES ? checkWhole(db) : sample(db)
  if (found === null) return
  throw new StoreError('STORE_CORRUPT', damagedMessage(db.name, found))
}

/** With what the indexes say of the rows: a query that an index answers never sees the row. */
function checkWhole(db: Database.Database): string | null {
  const result = db.pragma('integrity_check(1)', { simple: true }) as string
  return result === 'ok' ? null : result
}

/** The newest rows are where a damaged write would show; anything else shows when it is read. */
function sample(db: Database.Database): string | null {
  for (const order of ['ASC', 'DESC']) {
    for (const [table, key] of [
      ['commits', 'position'],
      ['auctions', 'ref'],
      ['auctions', 'auction_id'],
      ['outcomes', 'command_id'],
    ]) {
      db.prepare(`SELECT * FROM ${table} ORDER BY ${key} ${order} LIMIT 1`).get()
    }
  }
  return null
}
