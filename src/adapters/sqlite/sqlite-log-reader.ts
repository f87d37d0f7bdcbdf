import type { AuctionHead, EventLog, LogUsage, StoredCommit } from '../../ports/store/event-log.js'
import { COMMIT_COLUMNS, type CommitRow, commitOf } from './commit-rows.js'
import type { SqliteReader } from './sqlite-reader.js'

interface PlacedRow extends CommitRow {
  readonly auctionId: string
  readonly position: number
}

interface Limit {
  readonly commits: number
  readonly bytes: number
}

const COMMIT = `
  SELECT a.auction_id AS auctionId, c.position, ${COMMIT_COLUMNS}
  FROM commits c JOIN auctions a ON a.ref = c.auction JOIN authors s ON s.ref = c.signer`

// The commit that holds a seq is the last one that starts at or before it.
const READ = `${COMMIT}
  WHERE c.auction = (SELECT ref FROM auctions WHERE auction_id = @auctionId)
    AND c.first_seq >= coalesce((
      SELECT max(first_seq) FROM commits
      WHERE auction = (SELECT ref FROM auctions WHERE auction_id = @auctionId) AND first_seq <= @fromSeq), 0)
    AND c.last_seq >= @fromSeq
  ORDER BY c.first_seq LIMIT @limit`

const READ_AFTER = `${COMMIT} WHERE c.position > @position ORDER BY c.position LIMIT @limit`

const HEADS = `
  SELECT auction_id AS auctionId, last_seq AS seq, last_hash AS hash FROM auctions
  WHERE auction_id > ? ORDER BY auction_id LIMIT ?`

const USAGE = `SELECT name AS signer, bytes, auctions AS openings FROM tallies WHERE kind = 'author'`

/** Reads the log of a node, also from another thread than the one that writes it. */
export class SqliteLogReader implements Pick<EventLog, 'read' | 'readAfter' | 'usage' | 'position' | 'heads'> {
  readonly #reader: SqliteReader

  constructor({ reader }: { readonly reader: SqliteReader }) {
    this.#reader = reader
  }

  read(auctionId: string, fromSeq: number, limit: Limit): Promise<StoredCommit[]> {
    return this.#page(READ, { auctionId, fromSeq, limit: limit.commits }, limit.bytes)
  }

  readAfter(position: number, limit: Limit): Promise<StoredCommit[]> {
    return this.#page(READ_AFTER, { position, limit: limit.commits }, limit.bytes)
  }

  usage(): Promise<LogUsage[]> {
    return this.#reader.all<LogUsage>(USAGE)
  }

  async #page(sql: string, parameters: object, maxBytes: number): Promise<StoredCommit[]> {
    let bytes = 0
    const commits: StoredCommit[] = []
    await this.#reader.take<PlacedRow>(sql, [parameters], ({ auctionId, position, ...row }) => {
      const commit = { ...commitOf(auctionId, row), position }
      commits.push(commit)
      bytes += Buffer.byteLength(commit.body)
      return bytes < maxBytes
    })
    return commits
  }

  async position(): Promise<number> {
    const row = await this.#reader.get<{ position: number | null }>('SELECT max(position) AS position FROM commits')
    return row?.position ?? 0
  }

  heads(afterId: string | null, limit: number): Promise<AuctionHead[]> {
    return this.#reader.all(HEADS, afterId ?? '', limit)
  }
}
