import type { SealedMaximum } from '../../domain/commands.js'
import type { HandoverPage, HandoverParcel, HandoverRepository } from '../../ports/store/handover-repository.js'
import { OPERATION_OVERHEAD_BYTES, outcomeRow, secretRow } from './append-operation.js'
import { type OutcomeRecord, recordedOf } from './sqlite-outcome-repository.js'
import type { SqliteReader } from './sqlite-reader.js'
import { MAX_EVENTS_PER_COMMIT } from './sqlite-schema.js'
import type { SqliteWriter } from './sqlite-writer.js'

const REF = '(SELECT ref FROM auctions WHERE auction_id = @auctionId)'
/** Outcomes that bids' rows hold, in the order of the bids. */
const OF_BIDS = `
  SELECT o.command_id, o.fingerprint, o.outcome, o.sum, b.id AS bid, b.seq, @auctionId AS auction_id, b.at, b.leads,
    b.price, b.reserve_met, p.id AS bidder_id, b.amount
  FROM commits c CROSS JOIN bids b
    ON b.id BETWEEN c.position * ${MAX_EVENTS_PER_COMMIT} AND (c.position + 1) * ${MAX_EVENTS_PER_COMMIT} - 1
  CROSS JOIN parties p ON p.ref = b.bidder
  CROSS JOIN outcomes o ON o.command_id = b.bid_id AND o.bid = b.id
  WHERE c.auction = ${REF} AND c.last_seq > @after AND b.seq > @after
  ORDER BY c.first_seq, b.id LIMIT @limit`
const OTHERS = `
  SELECT command_id, fingerprint, outcome, sum FROM outcomes
  WHERE json_extract(outcome, '$.auctionId') = @auctionId AND outcome IS NOT NULL AND command_id > @after
  ORDER BY command_id LIMIT @limit`
const SEALED = `
  SELECT bid_id AS bidId, bidder_id AS bidderId, amount, salt FROM sealed_maxima
  WHERE auction = ${REF} AND bid_id > @after ORDER BY bid_id LIMIT @limit`

type Source = 'bids' | 'others' | 'sealed'

/** One source after the other; a cursor is "source:last key". */
export class SqliteHandoverRepository implements HandoverRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async page(auctionId: string, after: string | null, limit: number): Promise<HandoverPage> {
    const [source, key] = splitCursor(after)
    switch (source) {
      case 'bids': {
        const rows = await this.#rows<OutcomeRecord>(OF_BIDS, auctionId, Number(key || 0), limit)
        const last = rows.at(-1)?.seq
        const next = rows.length < limit ? 'others:' : `bids:${last}`
        return { outcomes: rows.map(recordedOf), sealed: [], next }
      }
      case 'others': {
        const rows = await this.#rows<OutcomeRecord>(OTHERS, auctionId, key, limit)
        const next = rows.length < limit ? 'sealed:' : `others:${rows.at(-1)?.command_id}`
        return { outcomes: rows.map(recordedOf), sealed: [], next }
      }
      case 'sealed': {
        const sealed = await this.#rows<SealedMaximum>(SEALED, auctionId, key, limit)
        return { outcomes: [], sealed, next: sealed.length < limit ? null : `sealed:${sealed.at(-1)?.bidId}` }
      }
      default: {
        const unknown: never = source
        throw new Error(`unknown source ${String(unknown)}`)
      }
    }
  }

  #rows<T>(sql: string, auctionId: string, after: string | number, limit: number): Promise<T[]> {
    return this.#reader.all<T>(sql, { auctionId, after, limit })
  }

  async keep(auctionId: string, { outcomes, sealed, secrets }: HandoverParcel): Promise<void> {
    const operation = {
      kind: 'keep-handover',
      auctionId,
      outcomes: JSON.stringify(outcomes.map(outcomeRow)),
      sealed: sealed.length === 0 ? null : JSON.stringify(sealed),
      secret: secrets && secretRow({ secrets, sealed: [] }),
    } as const
    const bytes = operation.outcomes.length + (operation.sealed?.length ?? 0)
    await this.#writer.write(operation, bytes + OPERATION_OVERHEAD_BYTES)
  }
}

function splitCursor(cursor: string | null): [Source, string] {
  if (cursor === null) return ['bids', '']
  const at = cursor.indexOf(':')
  return [cursor.slice(0, at) as Source, cursor.slice(at + 1)]
}
