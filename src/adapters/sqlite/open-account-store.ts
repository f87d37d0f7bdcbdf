import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { AccountStore } from '../../ports/accounts/account-store.js'
import { syncDirectory } from '../system/private-file.js'
import { ACCOUNT_SCHEMA } from './account-schema.js'
import { prepareDirectory, prepareFile } from './open-store.js'
import { applyMigrations, checkSchemaOwner } from './schema-versions.js'
import { SqliteAccountRepository } from './sqlite-account-repository.js'
import { SqliteApiKeyRepository } from './sqlite-api-key-repository.js'
import { LOCK_TIMEOUT_MS, makeDurable } from './sqlite-connection.js'
import { SqlitePseudonymousBidRepository } from './sqlite-pseudonymous-bid-repository.js'
import { SqliteSessionRepository } from './sqlite-session-repository.js'
import { damagedMessage, StoreError, storeErrorFrom } from './store-error.js'

export const ACCOUNTS_FILE = 'gateway.db'

/**
 * Opens the accounts of a data directory, and makes them where there are none. Gateways and command lines of one
 * machine may have them open together. Calls run in this thread: accounts are read by key in microseconds, and written
 * seldom. Throws `StoreError`.
 */
export function openAccountStore(dataDir: string): AccountStore {
  prepareDirectory(dataDir)
  const path = join(dataDir, ACCOUNTS_FILE)
  prepareFile(path)
  const db = open(path)
  syncDirectory(dataDir)
  return {
    accounts: new SqliteAccountRepository(db),
    sessions: new SqliteSessionRepository(db),
    apiKeys: new SqliteApiKeyRepository(db),
    pseudonymousBids: new SqlitePseudonymousBidRepository(db),
    async close() {
      db.close()
    },
  }
}

function open(path: string): Database.Database {
  let db: Database.Database | undefined
  try {
    db = new Database(path, { timeout: LOCK_TIMEOUT_MS })
    checkSchemaOwner(db, ACCOUNT_SCHEMA)
    makeDurable(db, 'FULL')
    applyMigrations(db, ACCOUNT_SCHEMA)
    const check = db.pragma('quick_check(1)', { simple: true })
    if (check !== 'ok') throw new StoreError('STORE_CORRUPT', damagedMessage(path, String(check)))
    return db
  } catch (error) {
    db?.close()
    throw storeErrorFrom(error, path)
  }
}
