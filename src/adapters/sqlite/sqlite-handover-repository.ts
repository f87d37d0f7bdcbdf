import type { SealedMaximum } from '../../domain/commands.js'
import type { HandoverPage, HandoverParcel, HandoverRepository } from '../../ports/store/handover-repository.js'
import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { OPERATION_OVERHEAD_BYTES, outcomeRow, secretRow } from './append-operation.js'
import { storedEvents } from './commit-rows.js'
import { OUTCOMES, type OutcomeRecord, recordedOf } from './sqlite-outcome-repository.js'
import type { SqliteReader } from './sqlite-reader.js'
import { eventPlace } from './sqlite-schema.js'
import type { SqliteWriter } from './sqlite-writer.js'

const REF = '(SELECT ref FROM auctions WHERE auction_id = @auctionId)'
const COMMITS = `
  SELECT position, first_seq AS firstSeq, body FROM commits
  WHERE auction = ${REF} AND last_seq > @after ORDER BY first_seq`
const OTHERS = `
  SELECT command_id, fingerprint, outcome, sum, event FROM outcomes
  WHERE json_extract(outcome, '$.auctionId') = @auctionId AND outcome IS NOT NULL AND command_id > @after
  ORDER BY command_id LIMIT @limit`
const SEALED = `
  SELECT bid_id AS bidId, bidder_id AS bidderId, amount, salt FROM sealed_maxima
  WHERE auction = ${REF} AND bid_id > @after ORDER BY bid_id LIMIT @limit`

interface CommitRow {
  readonly position: number
  readonly firstSeq: number
  readonly body: string
}

interface LoggedBid {
  readonly bidId: string
  readonly seq: number
  readonly event: number
}

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
        const bids = await this.#bids(auctionId, Number(key || 0), limit)
        const next = bids.length < limit ? 'others:' : `bids:${bids.at(-1)?.seq}`
        return { outcomes: await this.#outcomesOf(bids), sealed: [], next }
      }
      case 'others': {
        const rows = await this.#rows<OutcomeRecord>(OTHERS, auctionId, key, limit)
        const next = rows.length < limit ? 'sealed:' : `others:${rows.at(-1)?.command_id}`
        return { outcomes: await recordedOf(rows, this.#reader), sealed: [], next }
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

  /** The auction's next bids after a seq. */
  async #bids(auctionId: string, after: number, limit: number): Promise<LoggedBid[]> {
    const bids: LoggedBid[] = []
    const parameters = [{ auctionId, after }]
    await this.#reader.take<CommitRow>(COMMITS, parameters, ({ position, firstSeq, body }) => {
      for (const [i, event] of storedEvents(body).entries()) {
        if (!('bidId' in event) || firstSeq + i <= after || bids.length === limit) continue
        bids.push({ bidId: event.bidId, seq: firstSeq + i, event: eventPlace(position, i) })
      }
      return bids.length < limit
    })
    return bids
  }

  /** Those that the log says: an id may have been used in another auction before. */
  async #outcomesOf(bids: readonly LoggedBid[]): Promise<RecordedOutcome[]> {
    const ids = JSON.stringify(bids.map(({ bidId }) => bidId))
    const rows = await this.#reader.all<OutcomeRecord>(OUTCOMES, { ids })
    const places = new Set(bids.map(({ event }) => event))
    return recordedOf(
      rows.filter(({ event }) => event !== null && places.has(event)),
      this.#reader,
    )
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
