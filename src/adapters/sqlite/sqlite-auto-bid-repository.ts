import type { AutoBid, AutoBidRepository } from '../../ports/store/auto-bid-repository.js'
import { OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import { checkRow } from './row-sums.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const AUTO_BID = `
  SELECT auction_id, limit_amount, state, refusal, pending_bid_id, pending_amount, updated_at, sum FROM auto_bids`

export interface AutoBidRow {
  readonly auction_id: string
  readonly limit_amount: number
  readonly state: AutoBid['state']
  readonly refusal: AutoBid['refusal']
  readonly pending_bid_id: string | null
  readonly pending_amount: number | null
  readonly updated_at: number
  readonly sum: number
}

export class SqliteAutoBidRepository implements AutoBidRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async save(autoBid: AutoBid): Promise<void> {
    await this.#writer.write({ kind: 'save-auto-bid', autoBid }, OPERATION_OVERHEAD_BYTES)
  }

  async find(auctionId: string): Promise<AutoBid | null> {
    const row = await this.#reader.get<AutoBidRow>(`${AUTO_BID} WHERE auction_id = ?`, auctionId)
    return row === null ? null : autoBidOf(row)
  }

  async list(): Promise<AutoBid[]> {
    const rows = await this.#reader.all<AutoBidRow>(`${AUTO_BID} ORDER BY auction_id`)
    return rows.map(autoBidOf)
  }
}

function autoBidOf(row: AutoBidRow): AutoBid {
  const { pending_bid_id: bidId, pending_amount: amount } = row
  checkAutoBid(row)
  return {
    auctionId: row.auction_id,
    limit: row.limit_amount,
    state: row.state,
    refusal: row.refusal,
    pending: bidId === null || amount === null ? null : { bidId, amount },
    updatedAt: row.updated_at,
  }
}

/** Throws `StoreError`: to bid up to another limit than the user's would cost them. */
export function checkAutoBid(row: AutoBidRow): void {
  const { auction_id, limit_amount, state, refusal, pending_bid_id, pending_amount, updated_at } = row
  const cells = [auction_id, limit_amount, state, refusal, pending_bid_id, pending_amount, updated_at]
  checkRow('auto_bids', auction_id, row.sum, ...cells)
}
