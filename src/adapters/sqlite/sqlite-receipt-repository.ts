import { type ReceiptRepository, receiptOwner, type SignedReceipts } from '../../ports/store/receipt-repository.js'
import { OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const ALL = 'SELECT id, signed FROM receipts WHERE id > ? ORDER BY id LIMIT ?'
const AUCTIONS = 'SELECT DISTINCT auction_id AS id FROM receipt_auctions'
const OF_AUCTION = `
  SELECT r.id, r.signed FROM receipt_auctions a CROSS JOIN receipts r ON r.id = a.receipts
  WHERE a.auction_id = ? AND a.receipts > ? ORDER BY a.receipts LIMIT ?`

const OF_PARTY = `
  SELECT r.id, r.signed FROM receipt_parties p CROSS JOIN receipts r ON r.id = p.receipts
  WHERE p.auction_id = ? AND p.party_id = ? AND p.receipts > ? ORDER BY p.receipts LIMIT ?`

interface Row {
  readonly id: number
  readonly signed: string
}

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
      parties: partiesOf(one),
    }))
    const bytes = rows.reduce((sum, row) => sum + row.signed.length, OPERATION_OVERHEAD_BYTES)
    await this.#writer.write({ kind: 'add-receipts', rows }, bytes)
  }

  async list({ auctionId, partyId, after, limit }: Parameters<ReceiptRepository['list']>[0]) {
    const rows = await this.#rows(auctionId, partyId, after, limit + 1)
    const page = rows.slice(0, limit)
    return {
      signed: page.map(({ signed }) => JSON.parse(signed) as SignedReceipts),
      next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
    }
  }

  #rows(auctionId: string | null, partyId: string | undefined, after: number, limit: number): Promise<Row[]> {
    if (auctionId === null) return this.#reader.all<Row>(ALL, after, limit)
    if (partyId === undefined) return this.#reader.all<Row>(OF_AUCTION, auctionId, after, limit)
    return this.#reader.all<Row>(OF_PARTY, auctionId, partyId, after, limit)
  }

  async auctions(): Promise<string[]> {
    const rows = await this.#reader.all<{ id: string }>(AUCTIONS)
    return rows.map(({ id }) => id)
  }
}

/** Each auction with each party that has a command there, once. */
function partiesOf({ receipts }: SignedReceipts): [auctionId: string, partyId: string][] {
  const parties = new Map<string, Set<string>>()
  for (const receipt of receipts) {
    const { auctionId } = receipt.command
    const known = parties.get(auctionId) ?? new Set<string>()
    parties.set(auctionId, known.add(receiptOwner(receipt)))
  }
  return [...parties].flatMap(([auctionId, ids]) => [...ids].map((id): [string, string] => [auctionId, id]))
}
