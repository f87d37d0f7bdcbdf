import type { Database, Statement } from 'better-sqlite3'
import type { PseudonymousBid, PseudonymousBidRepository } from '../../ports/accounts/pseudonymous-bid-repository.js'

interface Row {
  readonly account_id: string
  readonly auction_id: string
  readonly position: number
}

export class SqlitePseudonymousBidRepository implements PseudonymousBidRepository {
  readonly #insert: Statement<[string, string]>
  readonly #has: Statement<[string, string]>
  readonly #list: Statement<[string, number, number], { auction_id: string; position: number }>
  readonly #noted: Statement<[number, number], Row>
  readonly #notedIn: Statement<[string, number, number], Row>

  constructor(db: Database) {
    this.#insert = db.prepare(
      'INSERT INTO pseudonymous_bids (account_id, auction_id) VALUES (?, ?) ON CONFLICT DO NOTHING',
    )
    this.#has = db.prepare('SELECT 1 FROM pseudonymous_bids WHERE account_id = ? AND auction_id = ?')
    this.#list = db.prepare(
      `SELECT auction_id, position FROM pseudonymous_bids
       WHERE account_id = ? AND position < ? ORDER BY position DESC LIMIT ?`,
    )
    this.#noted = db.prepare('SELECT * FROM pseudonymous_bids WHERE position > ? ORDER BY position LIMIT ?')
    this.#notedIn = db.prepare(
      'SELECT * FROM pseudonymous_bids WHERE auction_id = ? AND position > ? ORDER BY position LIMIT ?',
    )
  }

  async note(accountId: string, auctionId: string): Promise<void> {
    // Most bids are not the first one there, and need no write.
    if (!this.#has.get(accountId, auctionId)) this.#insert.run(accountId, auctionId)
  }

  async among(accountId: string, auctionIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(auctionIds.filter((auctionId) => this.#has.get(accountId, auctionId)))
  }

  async list(
    accountId: string,
    { before, limit }: Parameters<PseudonymousBidRepository['list']>[1],
  ): ReturnType<PseudonymousBidRepository['list']> {
    return this.#list
      .all(accountId, before ?? Number.MAX_SAFE_INTEGER, limit)
      .map(({ auction_id: auctionId, position }) => ({ auctionId, position }))
  }

  async noted(
    auctionId: string | null,
    { after, limit }: Parameters<PseudonymousBidRepository['noted']>[1],
  ): Promise<PseudonymousBid[]> {
    const rows = auctionId === null ? this.#noted.all(after, limit) : this.#notedIn.all(auctionId, after, limit)
    return rows.map((row) => ({
      accountId: row.account_id,
      auctionId: row.auction_id,
      position: row.position,
    }))
  }
}
