import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import type {
  AuditHead,
  AuditPage,
  AuditReader,
  AuditRow,
  AuditSealMark,
  AuditStore,
} from '../../ports/audit/audit-store.js'
import { writePrivateFile } from '../system/private-file.js'
import { prepareDirectory, prepareFile } from './open-store.js'
import { applyMigrations, checkSchemaOwner, type Schema } from './schema-versions.js'
import { makeDurable } from './sqlite-connection.js'
import { StoreError, sqliteCode, storeErrorFrom } from './store-error.js'

export const AUDIT_FILE = 'audit.db'
/** Beside the record: what its newest seal is. */
export const AUDIT_MARK_FILE = 'audit.seal'

/** "VNDA": an audit record. What lines are looked up by is read from their text, so that it says the same. */
const AUDIT_SCHEMA: Schema = {
  applicationId: 0x564e4441,
  migrations: [
    `
    CREATE TABLE lines (
      seq INTEGER PRIMARY KEY,
      hash TEXT NOT NULL,
      text TEXT NOT NULL,
      auction TEXT AS (CASE WHEN json_valid(text) THEN json_extract(text, '$.auction') END) VIRTUAL,
      act TEXT AS (CASE WHEN json_valid(text) THEN json_extract(text, '$.act') END) VIRTUAL,
      seal INTEGER AS (CASE WHEN json_valid(text) THEN json_extract(text, '$.seal') END) VIRTUAL
    ) STRICT;
    CREATE INDEX lines_by_auction ON lines (auction) WHERE auction IS NOT NULL;
    CREATE INDEX lines_of_starts ON lines (act, seq) WHERE act IN ('node.start', 'gateway.start');
    CREATE INDEX lines_by_seal ON lines (seal) WHERE seal IS NOT NULL;
    `,
  ],
}

const markSchema = z.strictObject({ seal: z.number(), seq: z.number(), hash: z.string() })

export interface OpenedAudit {
  readonly store: AuditStore
  /** Why an earlier record was set aside, and where it is; null: none was. */
  readonly anew: string | null
}

/**
 * Opens the record of a data directory, and makes one where there is none; one that is damaged is set aside.
 * `lockMs`: how long a write waits for another process. Throws `StoreError`.
 */
export function openAuditStore(dataDir: string, { lockMs, now }: { lockMs: number; now: number }): OpenedAudit {
  prepareDirectory(dataDir)
  const path = join(dataDir, AUDIT_FILE)
  try {
    return { store: new SqliteAuditStore(openForWriting(path, lockMs), dataDir), anew: null }
  } catch (error) {
    if (!(error instanceof StoreError) || !['STORE_CORRUPT', 'STORE_FOREIGN'].includes(error.code)) throw error
    const aside = `${path}.damaged-${now}`
    for (const file of ['', '-wal', '-shm']) if (existsSync(path + file)) renameSync(path + file, aside + file)
    const mark = join(dataDir, AUDIT_MARK_FILE)
    if (existsSync(mark)) renameSync(mark, `${mark}.damaged-${now}`)
    const anew = `the one before is damaged, and set aside as ${aside}`
    return { store: new SqliteAuditStore(openForWriting(path, lockMs), dataDir), anew }
  }
}

/** For reading alone, beside whoever writes. Null if there is no record. Throws `StoreError`. */
export function openAuditReader(dataDir: string): AuditReader | null {
  const path = join(dataDir, AUDIT_FILE)
  if (!existsSync(path)) {
    if (readMark(dataDir) === null) return null
    throw new StoreError('STORE_MISSING', `${path} is missing, though ${AUDIT_MARK_FILE} says that it was sealed`)
  }
  let db: Database.Database | undefined
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: READ_LOCK_MS })
    checkSchemaOwner(db, AUDIT_SCHEMA)
    return new SqliteAuditReader(db, dataDir)
  } catch (error) {
    db?.close()
    throw inAuditWords(error, path)
  }
}

const READ_LOCK_MS = 5_000

function openForWriting(path: string, lockMs: number): Database.Database {
  prepareFile(path)
  let db: Database.Database | undefined
  try {
    db = new Database(path, { timeout: READ_LOCK_MS })
    checkSchemaOwner(db, AUDIT_SCHEMA)
    // Synced with each seal: a killed process loses nothing that it wrote.
    makeDurable(db, 'NORMAL')
    applyMigrations(db, AUDIT_SCHEMA)
    const found = db.pragma('quick_check(1)', { simple: true })
    if (found !== 'ok') throw new StoreError('STORE_CORRUPT', String(found))
    db.pragma(`busy_timeout = ${lockMs}`)
    return db
  } catch (error) {
    db?.close()
    throw inAuditWords(error, path)
  }
}

/** `repair` has no part in this file. */
function inAuditWords(error: unknown, path: string): unknown {
  const known = storeErrorFrom(error, path)
  if (!(known instanceof StoreError) || known.code !== 'STORE_CORRUPT') return known
  return new StoreError('STORE_CORRUPT', `${path} is damaged (${(error as Error).message}); restore it from a backup`, {
    cause: error,
  })
}

class SqliteAuditReader implements AuditReader {
  protected readonly db: Database.Database
  protected readonly dataDir: string
  readonly #rows: Database.Statement<[number, number], AuditRow>
  readonly #ofAuction: Database.Statement<[string, number, number], AuditRow>
  readonly #head: Database.Statement<[], AuditHead>

  constructor(db: Database.Database, dataDir: string) {
    this.db = db
    this.dataDir = dataDir
    this.#rows = db.prepare('SELECT seq, hash, text FROM lines WHERE seq > ? ORDER BY seq LIMIT ?')
    this.#ofAuction = db.prepare('SELECT seq, hash, text FROM lines WHERE auction = ? AND seq > ? ORDER BY seq LIMIT ?')
    this.#head = db.prepare('SELECT seq, hash FROM lines ORDER BY seq DESC LIMIT 1')
  }

  rows({ afterSeq, auction, limit }: AuditPage): readonly AuditRow[] {
    return this.#read(() =>
      auction === undefined ? this.#rows.all(afterSeq, limit) : this.#ofAuction.all(auction, afterSeq, limit),
    )
  }

  head(): AuditHead {
    return this.#read(() => this.#head.get()) ?? { seq: 0, hash: '0'.repeat(64) }
  }

  mark(): AuditSealMark | null {
    return readMark(this.dataDir)
  }

  close(): void {
    this.db.close()
  }

  #read<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw inAuditWords(error, this.db.name)
    }
  }
}

class SqliteAuditStore extends SqliteAuditReader implements AuditStore {
  readonly #insert: Database.Statement<[number, string, string]>
  readonly #lastSeal: Database.Statement<[], AuditRow>
  readonly #lastStart: Database.Statement<[string], AuditRow>
  readonly #sealBefore: Database.Statement<[number], AuditRow>
  readonly #remove: Database.Statement<[number]>

  constructor(db: Database.Database, dataDir: string) {
    super(db, dataDir)
    const seals = 'SELECT seq, hash, text FROM lines WHERE seal IS NOT NULL'
    this.#insert = db.prepare('INSERT INTO lines (seq, hash, text) VALUES (?, ?, ?)')
    this.#lastSeal = db.prepare(`${seals} ORDER BY seal DESC LIMIT 1`)
    this.#lastStart = db.prepare(
      "SELECT seq, hash, text FROM lines WHERE act = ? AND act IN ('node.start', 'gateway.start') ORDER BY seq DESC LIMIT 1",
    )
    this.#sealBefore = db.prepare(`${seals} AND json_extract(text, '$.at') < ? ORDER BY seal DESC LIMIT 1`)
    this.#remove = db.prepare('DELETE FROM lines WHERE seq < ?')
  }

  append(make: (head: AuditHead) => readonly AuditRow[]): AuditHead | null {
    const add = this.db.transaction(() => {
      const before = this.head()
      const rows = make(before)
      for (const { seq, hash, text } of rows) this.#insert.run(seq, hash, text)
      return rows.at(-1) ?? before
    })
    try {
      return add.immediate()
    } catch (error) {
      if (sqliteCode(error).startsWith('SQLITE_BUSY')) return null
      throw error
    }
  }

  lastSeal(): AuditRow | null {
    return this.#lastSeal.get() ?? null
  }

  lastStart(act: string): AuditRow | null {
    return this.#lastStart.get(act) ?? null
  }

  sealBefore(beforeMs: number): AuditRow | null {
    return this.#sealBefore.get(beforeMs) ?? null
  }

  removeBefore(seq: number, make: (head: AuditHead) => readonly AuditRow[]): void {
    this.db
      .transaction(() => {
        this.append(make)
        this.#remove.run(seq)
      })
      .immediate()
  }

  settle(mark: AuditSealMark): void {
    this.db.pragma('wal_checkpoint(PASSIVE)')
    writePrivateFile(join(this.dataDir, AUDIT_MARK_FILE), `${JSON.stringify(mark)}\n`)
  }
}

/** One that cannot be read says nothing. */
function readMark(dataDir: string): AuditSealMark | null {
  try {
    return markSchema.parse(JSON.parse(readFileSync(join(dataDir, AUDIT_MARK_FILE), 'utf8')))
  } catch {
    return null
  }
}
