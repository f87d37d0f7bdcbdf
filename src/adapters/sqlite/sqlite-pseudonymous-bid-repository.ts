import type { Database, Statement } from 'better-sqlite3'
import type { PseudonymousBidRepository } from '../../ports/pseudonymous-bid-repository.js'

export class SqlitePseudonymousBidRepository implements PseudonymousBidRepository {
  readonly #insert: Statement<[string, string]>
  readonly #has: Statement<[string, string]>
  readonly #list: Statement<[string, number, number], { auction_id: string; position: number }>

  constructor(db: Database) {
    this.#insert = db.prepare(
      'INSERT INTO pseudonymous_bids (account_id, auction_id) VALUES (?, ?) ON CONFLICT DO NOTHING',
    )
    this.#has = db.prepare('SELECT 1 FROM pseudonymous_bids WHERE account_id = ? AND auction_id = ?')
    this.#list = db.prepare(
      `SELECT auction_id, position FROM pseudonymous_bids
       WHERE account_id = ? AND position < ? ORDER BY position DESC LIMIT ?`,
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
}
