import { plainBidFingerprint } from '../../application/submissions/home-command.js'
import type { Outcome, OutcomeRepository, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { OPERATION_OVERHEAD_BYTES, outcomeRow } from './append-operation.js'
import { checkRow } from './row-sums.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const FIND = `
  SELECT o.command_id, o.fingerprint, o.outcome, o.sum, b.seq, a.auction_id, b.at, b.leads, b.price, b.reserve_met,
    p.id AS bidder_id, b.amount
  FROM json_each(?) ids
  CROSS JOIN outcomes o ON o.command_id = ids.value
  LEFT JOIN bids b ON b.id = o.bid
  LEFT JOIN auctions a ON a.ref = b.auction
  LEFT JOIN parties p ON p.ref = b.bidder`

export interface OutcomeRecord {
  readonly command_id: string
  /** '' if the bid's row holds it. */
  readonly fingerprint: string
  /** Null if the bid's row holds it. */
  readonly outcome: string | null
  /** Null if the bid's row holds it. */
  readonly sum: number | null
  readonly seq: number
  readonly auction_id: string
  readonly at: number
  readonly leads: number
  readonly price: number
  readonly reserve_met: number
  readonly bidder_id: string
  readonly amount: number
}

export class SqliteOutcomeRepository implements OutcomeRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async record(recorded: readonly RecordedOutcome[]): Promise<void> {
    if (recorded.length === 0) return
    const outcomes = JSON.stringify(recorded.map(outcomeRow))
    await this.#writer.write({ kind: 'record-outcomes', outcomes }, outcomes.length + OPERATION_OVERHEAD_BYTES)
  }

  async find(commandIds: readonly string[]): Promise<Map<string, RecordedOutcome>> {
    const rows = await this.#reader.all<OutcomeRecord>(FIND, JSON.stringify(commandIds))
    return new Map(rows.map((row) => [row.command_id, recordedOf(row)]))
  }
}

export function recordedOf(row: OutcomeRecord): RecordedOutcome {
  const { fingerprint, auction_id, bidder_id, amount } = row
  checkOutcome(row)
  const whole = fingerprint === '' ? plainBidFingerprint(auction_id, bidder_id, amount) : fingerprint
  return { outcome: outcomeOf(row), fingerprint: whole }
}

function outcomeOf(row: OutcomeRecord): Outcome {
  if (row.outcome !== null) return JSON.parse(row.outcome) as Outcome
  return {
    status: 'accepted',
    commandId: row.command_id,
    auctionId: row.auction_id,
    seq: row.seq,
    at: row.at,
    bid: { leads: row.leads === 1, price: row.price, reserveMet: row.reserve_met === 1 },
  }
}

/** Throws `StoreError`. What a bid's row holds is compared with the log when its auction is loaded. */
export function checkOutcome(row: Pick<OutcomeRecord, 'command_id' | 'fingerprint' | 'outcome' | 'sum'>): void {
  const { command_id, fingerprint, outcome, sum } = row
  if (outcome !== null) checkRow('outcomes', command_id, sum ?? 0, command_id, fingerprint, outcome)
}
