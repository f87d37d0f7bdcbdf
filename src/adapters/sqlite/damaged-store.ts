import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { hashOf } from '../../application/log/commit.js'
import { auctionIdOf } from '../../application/log/ids.js'
import type { Commit } from '../../domain/commit.js'
import { COMMIT_COLUMNS, type CommitRow, commitOf } from './commit-rows.js'
import { differentFromLog } from './derived-rows.js'
import { checkRow } from './row-sums.js'
import { checkAuction } from './sqlite-auction-repository.js'
import { checkAutoBid } from './sqlite-auto-bid-repository.js'
import { checkOutcome } from './sqlite-outcome-repository.js'
import { checkOwnership } from './sqlite-schema.js'
import { messageOf, StoreError, sqliteCode, storeErrorFrom } from './store-error.js'

/** No row of a commit is smaller: hash, signature and the shortest body. This bounds how many a file can hold. */
const MIN_COMMIT_BYTES = 128

interface DamagedRow extends Omit<CommitRow, 'signer'> {
  readonly auction: number
  /** Null if the author's row is gone. */
  readonly signer: string | null
}

export interface FoundRows<Row> {
  readonly rows: readonly Row[]
  /** False if some could not be read. */
  readonly complete: boolean
}

export interface OwnAuction {
  readonly ref: number
  readonly auction_id: string
}

export interface FoundHead {
  readonly auctionId: string
  readonly seq: number
  readonly hash: string
}

/** Reads what can be read of a damaged database file, row by row. Changes nothing in it. */
export class DamagedStore {
  readonly #db: Database.Database
  #find: Database.Statement<[number], DamagedRow> | null = null
  readonly #auctionIds = new Map<number, string>()

  /** Throws `StoreError` if not even the beginning can be read. */
  constructor(path: string) {
    let db: Database.Database | undefined
    try {
      db = new Database(path, { readonly: true, fileMustExist: true })
      checkOwnership(db)
      this.#db = db
    } catch (error) {
      db?.close()
      throw storeErrorFrom(error, path)
    }
  }

  /** What SQLite finds wrong with the file's structure; null for nothing. Row contents are not checked here. */
  structuralDamage(): string | null {
    try {
      const found = this.#db.pragma('integrity_check(1)', { simple: true }) as string
      return found === 'ok' ? null : found
    } catch (error) {
      return messageOf(rethrowUnlessDamage(error))
    }
  }

  /**
   * Positions by auction row, of the commits whose bytes are what their hash says, where some are of this signer or
   * the auction is one of this node's; and how many rows are not sound.
   */
  commits(signer: string, ownRefs: readonly number[]): { positions: Map<number, number[]>; damaged: number } {
    const positions = new Map<number, number[]>()
    const own = new Set(ownRefs)
    let damaged = 0
    const last = this.#lastPosition()
    for (let position = 1; position <= last; position++) {
      try {
        const row = this.#row(position)
        if (row === undefined) continue
        const commit = this.#commitIn(row)
        if (commit === null) {
          damaged++
          continue
        }
        const known = positions.get(row.auction)
        if (known) known.push(position)
        else positions.set(row.auction, [position])
        if (commit.signer === signer) own.add(row.auction)
      } catch (error) {
        rethrowUnlessDamage(error)
        damaged++
      }
    }
    for (const auction of positions.keys()) if (!own.has(auction)) positions.delete(auction)
    return { positions, damaged }
  }

  /** Null if it cannot be read any more. */
  commit(position: number): Commit | null {
    try {
      const row = this.#row(position)
      return row === undefined ? null : this.#commitIn(row)
    } catch (error) {
      rethrowUnlessDamage(error)
      return null
    }
  }

  #row(position: number): DamagedRow | undefined {
    this.#find ??= this.#db.prepare<[number], DamagedRow>(
      `SELECT c.auction, ${COMMIT_COLUMNS} FROM commits c LEFT JOIN authors s ON s.ref = c.signer WHERE c.position = ?`,
    )
    return this.#find.get(position)
  }

  /** Null if its text is not what its hash says. */
  #commitIn(row: DamagedRow): Commit | null {
    const { signer } = row
    const auctionId = this.#auctionIdOf(row)
    if (signer === null || auctionId === null) return null
    const commit = commitOf(auctionId, { ...row, signer })
    return hashOf(commit.body) === commit.hash ? commit : null
  }

  /** From the hash of its opening, so that it does not take another row to know it. */
  #auctionIdOf({ auction, firstSeq, hash }: DamagedRow): string | null {
    const known = this.#auctionIds.get(auction)
    if (known !== undefined) return known
    const auctionId = firstSeq === 1 ? auctionIdOf(hash.toString('hex')) : (this.head(auction)?.auctionId ?? null)
    if (auctionId !== null) this.#auctionIds.set(auction, auctionId)
    return auctionId
  }

  /** Of tables whose rows carry a sum: which hold rows that are not what was written. */
  damagedTables(): string[] {
    const checks: readonly [table: string, select: string, check: (row: never) => void][] = [
      ['auctions', 'SELECT * FROM auctions NOT INDEXED', checkAuction],
      ['auction_terms', TERMS, checkTerms],
      ['auto_bids', 'SELECT * FROM auto_bids', checkAutoBid],
      ['outcomes', 'SELECT * FROM outcomes NOT INDEXED WHERE outcome IS NOT NULL', checkOutcome],
    ]
    return checks.flatMap(([table, select, check]) => {
      try {
        for (const row of this.#db.prepare(select).iterate()) check(row as never)
        return []
      } catch (error) {
        if (!(error instanceof StoreError)) rethrowUnlessDamage(error)
        return [table]
      }
    })
  }

  /** Which tables hold other rows than follow from the log. Commits have to be sound. */
  tablesUnlikeLog(): string[] {
    try {
      return differentFromLog(this.#db)
    } catch (error) {
      rethrowUnlessDamage(error)
      return ['involvements']
    }
  }

  /** Where the auction's log ended; null if that cannot be read. */
  head(auction: number): FoundHead | null {
    return this.#get(
      'SELECT auction_id AS auctionId, last_seq AS seq, last_hash AS hash FROM auctions WHERE ref = ?',
      auction,
    )
  }

  /** Ids of auctions of this home, as far as they can be read. */
  ownAuctions(homeNodeId: string): FoundRows<OwnAuction> {
    const { rows, complete } = this.rows<OwnAuction & { home_node_id: string }>(
      'SELECT ref, auction_id, home_node_id FROM auctions NOT INDEXED',
      'ref',
    )
    return { rows: rows.filter((row) => row.home_node_id === homeNodeId), complete }
  }

  /** From both ends of the table, as far as each goes. `select` and `key` are constants of this adapter. */
  rows<Row extends object>(select: string, key: string, ...parameters: unknown[]): FoundRows<Row> {
    const found = new Map<string, Row>()
    let complete = true
    for (const order of ['ASC', 'DESC']) {
      try {
        const rows = this.#db.prepare(`${select} ORDER BY ${key} ${order}`).iterate(...parameters)
        for (const row of rows as Iterable<Row>) found.set(JSON.stringify(row), row)
        if (order === 'ASC') break
      } catch (error) {
        rethrowUnlessDamage(error)
        complete = false
      }
    }
    return { rows: [...found.values()], complete }
  }

  close(): void {
    this.#db.close()
  }

  #get<Row>(sql: string, parameter: number): Row | null {
    try {
      return (this.#db.prepare(sql).get(parameter) as Row | undefined) ?? null
    } catch (error) {
      rethrowUnlessDamage(error)
      return null
    }
  }

  #lastPosition(): number {
    try {
      return this.#db.prepare<[], number>('SELECT max(position) FROM commits').pluck().get() ?? 0
    } catch (error) {
      rethrowUnlessDamage(error)
      const wal = statSync(`${this.#db.name}-wal`, { throwIfNoEntry: false })?.size ?? 0
      return Math.ceil((statSync(this.#db.name).size + wal) / MIN_COMMIT_BYTES)
    }
  }
}

const TERMS = `SELECT a.auction_id, t.terms, t.sum FROM auction_terms t JOIN auctions a ON a.ref = t.auction`

function checkTerms({ auction_id, terms, sum }: { auction_id: string; terms: string; sum: number }): void {
  checkRow('auction_terms', auction_id, sum, auction_id, terms)
}

function rethrowUnlessDamage(error: unknown): unknown {
  if (!/^SQLITE_(CORRUPT|NOTADB|IOERR|ERROR)/.test(sqliteCode(error))) throw error
  return error
}
