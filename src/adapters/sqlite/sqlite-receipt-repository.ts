import type { ReceiptRepository, SignedReceipts } from '../../ports/store/receipt-repository.js'
import { OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const ALL = 'SELECT id, signed FROM receipts WHERE id > ? ORDER BY id LIMIT ?'
const AUCTIONS = 'SELECT DISTINCT auction_id AS id FROM receipt_auctions'
const OF_AUCTION = `
  SELECT r.id, r.signed FROM receipt_auctions a CROSS JOIN receipts r ON r.id = a.receipts
  WHERE a.auction_id = ? AND a.receipts > ? ORDER BY a.receipts LIMIT ?`

export class SqliteReceiptRepository implements ReceiptRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async add(signed: readonly SignedReceipts[]): Promise<void> {
    const rows = signed.map((one) => ({
      signed: JSON.stringify(one),
      auctionIds: [...new Set(one.receipts.map(({ command }) => command.auctionId))],
    }))
    const bytes = rows.reduce((sum, row) => sum + row.signed.length, OPERATION_OVERHEAD_BYTES)
    await this.#writer.write({ kind: 'add-receipts', rows }, bytes)
  }

  async list({ auctionId, after, limit }: { auctionId: string | null; after: number; limit: number }) {
    const rows = await (auctionId === null
      ? this.#reader.all<{ id: number; signed: string }>(ALL, after, limit + 1)
      : this.#reader.all<{ id: number; signed: string }>(OF_AUCTION, auctionId, after, limit + 1))
    const page = rows.slice(0, limit)
    return {
      signed: page.map(({ signed }) => JSON.parse(signed) as SignedReceipts),
      next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
    }
  }

  async auctions(): Promise<string[]> {
    const rows = await this.#reader.all<{ id: string }>(AUCTIONS)
    return rows.map(({ id }) => id)
  }
}
