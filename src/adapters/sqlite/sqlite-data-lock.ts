import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StoreError, sqliteCode, storeErrorFrom, unwritable } from './store-error.js'

/**
 * Holds a data directory for this process. The lock is SQLite's exclusive lock on an empty database: the operating
 * system drops it when the process dies, however it dies. The pid lies beside it because a locked database cannot
 * be read. Nothing else may open `node.lock`: closing any handle to it drops the lock (as POSIX has it).
 */
export class SqliteDataLock {
  readonly #pidFile: string
  #db: Database.Database | null

  private constructor(db: Database.Database, pidFile: string) {
    this.#db = db
    this.#pidFile = pidFile
  }

  /** Throws `StoreError` with DATA_DIR_IN_USE where another process (or another node of this one) holds it. */
  static acquire(dataDir: string): SqliteDataLock {
    const path = join(dataDir, 'node.lock')
    const pidFile = join(dataDir, 'node.pid')
    let db: Database.Database | undefined
    try {
      db = new Database(path, { timeout: 0 })
      db.exec('BEGIN EXCLUSIVE')
      writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })
    } catch (error) {
      db?.close()
      if (sqliteCode(error).startsWith('SQLITE_BUSY')) throw inUse(dataDir, pidFile, error)
      throw sqliteCode(error) === '' ? unwritable(pidFile, error) : storeErrorFrom(error, path)
    }
    return new SqliteDataLock(db, pidFile)
  }

  /** Idempotent. */
  release(): void {
    if (this.#db === null) return
    rmSync(this.#pidFile, { force: true })
    this.#db.close()
    this.#db = null
  }
}

function inUse(dataDir: string, pidFile: string, cause: unknown): StoreError {
  const pid = holder(pidFile)
  const who = pid === null ? 'another node' : `another node (pid ${pid})`
  return new StoreError(
    'DATA_DIR_IN_USE',
    `${dataDir} is in use by ${who}; stop that node or choose another data directory`,
    { cause },
  )
}

function holder(pidFile: string): string | null {
  try {
    return /^\d+/.exec(readFileSync(pidFile, 'utf8'))?.[0] ?? null
  } catch {
    // The holder has not written it yet, or has just gone; the message does without.
    return null
  }
}
