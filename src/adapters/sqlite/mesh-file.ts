import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { storeErrorFrom, unwritable } from './store-error.js'

/** How long a process waits while another one writes. */
const LOCK_TIMEOUT_MS = 5_000
const SYNCHRONOUS_FULL = 2

/** A small database that several processes may use, readable by its owner alone. `schema` is run where it is new. */
export function openMeshFile(path: string, schema: string): Database.Database {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw unwritable(path, error)
  }
  let db: Database.Database | undefined
  try {
    db = new Database(path, { timeout: LOCK_TIMEOUT_MS })
    db.pragma(`synchronous = ${SYNCHRONOUS_FULL}`)
    const isNew = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
    if (isNew) db.transaction((open: Database.Database) => open.exec(schema)).immediate(db)
    return db
  } catch (error) {
    db?.close()
    throw storeErrorFrom(error, path)
  }
}
