/** Room `sqlite`: what nodes and gateways keep, in SQLite files. A bid lies in its commit's row: see commit-rows.ts. */

import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Store } from '../../ports/store/store.js'
import { type Metrics, NO_METRICS } from '../../ports/system/metrics.js'
import { DIRECTORY_NAME_RULE, isDirectoryName } from '../system/directory-name.js'
import { syncDirectory } from '../system/private-file.js'
import { SqliteAuctionRepository } from './sqlite-auction-repository.js'
import { SqliteAutoBidRepository } from './sqlite-auto-bid-repository.js'
import { SqliteBreachRepository } from './sqlite-breach-repository.js'
import type { SqliteTestOptions } from './sqlite-connection.js'
import { SqliteDataLock } from './sqlite-data-lock.js'
import { SqliteEquivocationRepository } from './sqlite-equivocation-repository.js'
import { SqliteEventLog } from './sqlite-event-log.js'
import { SqliteHandoverRepository } from './sqlite-handover-repository.js'
import { SqliteOutcomeRepository } from './sqlite-outcome-repository.js'
import { SqliteParticipationRepository } from './sqlite-participation-repository.js'
import { SqlitePeerRepository } from './sqlite-peer-repository.js'
import { SqliteReader } from './sqlite-reader.js'
import { SqliteReceiptRepository } from './sqlite-receipt-repository.js'
import { SqliteSecretRepository } from './sqlite-secret-repository.js'
import { SqliteWriter } from './sqlite-writer.js'
import { StoreError, unwritable } from './store-error.js'

export type SqliteStore = Store

export const DATABASE_FILE = 'vendue.db'
const KEY_FILE = 'node.key'

/**
 * Opens the store of a data directory and makes the directory where there is none (0700). Only this process can
 * have it until `close`. Rejects with `StoreError`, whose code and message say what stands in the way.
 */
export async function openStore(
  dataDir: string,
  options: { test?: SqliteTestOptions; metrics?: Metrics } = {},
): Promise<SqliteStore> {
  prepareDirectory(dataDir)
  const lock = SqliteDataLock.acquire(dataDir)
  let writer: SqliteWriter | undefined
  try {
    const path = join(dataDir, DATABASE_FILE)
    requireDatabase(dataDir, path)
    prepareFile(path)
    const { metrics = NO_METRICS } = options
    writer = await SqliteWriter.open(path, options.test, metrics)
    measureFiles(path, metrics)
    syncDirectory(dataDir)
    return storeOf(writer, new SqliteReader(path), lock)
  } catch (error) {
    await writer?.close()
    lock.release()
    throw error
  }
}

function storeOf(writer: SqliteWriter, reader: SqliteReader, lock: SqliteDataLock): SqliteStore {
  const eventLog = new SqliteEventLog({ writer, reader })
  return {
    eventLog,
    outcomes: new SqliteOutcomeRepository({ writer, reader }),
    auctions: new SqliteAuctionRepository({ reader }),
    secrets: new SqliteSecretRepository({ reader }),
    handovers: new SqliteHandoverRepository({ writer, reader }),
    autoBids: new SqliteAutoBidRepository({ writer, reader }),
    participations: new SqliteParticipationRepository({ writer, reader }),
    peers: new SqlitePeerRepository({ writer, reader }),
    broken: writer.broken,
    receipts: new SqliteReceiptRepository({ writer, reader }),
    equivocations: new SqliteEquivocationRepository({ writer, reader }),
    breaches: new SqliteBreachRepository({ writer, reader }),
    async close() {
      await eventLog.close()
      lock.release()
    },
  }
}

function measureFiles(path: string, metrics: Metrics): void {
  const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  metrics.gauge('vendue_wal_bytes', 'Size of the write-ahead log.', () => sizeOf(`${path}-wal`))
  metrics.gauge('vendue_database_bytes', 'Size of the database without it.', () => sizeOf(path))
}

/**
 * A node has its database from its first start on (a node that joins a mesh before that, an empty file). One with a key
 * and without a database has lost it: if it began anew, it would forget what it has written, and write it differently.
 */
function requireDatabase(dataDir: string, path: string): void {
  if (existsSync(path) || !existsSync(join(dataDir, KEY_FILE))) return
  throw new StoreError(
    'STORE_MISSING',
    `${dataDir} holds the key of a node, and not its database: restore ${path} from a backup. If it is lost for good, ` +
      `move ${KEY_FILE} away to start as another node; or make an empty ${DATABASE_FILE} to go on as this one: its auctions stay as its peers have them`,
  )
}

export function prepareDirectory(dataDir: string): void {
  if (!isDirectoryName(resolve(dataDir))) throw likeAnOption(dataDir)
  try {
    makeDirectories(resolve(dataDir))
    if (!statSync(dataDir).isDirectory()) throw notADirectory(dataDir)
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    if (error instanceof StoreError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST' || code === 'ENOTDIR') throw notADirectory(dataDir, error)
    throw unwritable(dataDir, error)
  }
}

/** One by one: Node's own recursive mkdir never returns where the system answers ENOENT for ever, as under /proc. */
function makeDirectories(path: string): void {
  const missing: string[] = []
  for (let at = path; !existsSync(at); at = dirname(at)) missing.unshift(at)
  for (const directory of missing) makeDirectory(directory)
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have made it since it was missing: which of both may use it, the lock decides.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error
  }
}

/** The file is made before SQLite makes it, so that nobody but the owner can ever read the secrets in it. */
export function prepareFile(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw unwritable(path, error)
  }
}

function likeAnOption(dataDir: string): StoreError {
  const message = `${dataDir} cannot be the data directory: it ${DIRECTORY_NAME_RULE}; choose another name`
  return new StoreError('DATA_DIR_NAME', message)
}

function notADirectory(dataDir: string, cause?: unknown): StoreError {
  return new StoreError(
    'DATA_DIR_NOT_A_DIRECTORY',
    `${dataDir} cannot be the data directory: a file is in the way; choose another path`,
    { cause },
  )
}
