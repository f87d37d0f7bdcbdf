import { bidOf } from '../../application/log/read-model.js'
import { plainBidFingerprint } from '../../application/submissions/home-command.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { Outcome, OutcomeRepository, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { OPERATION_OVERHEAD_BYTES, outcomeRow } from './append-operation.js'
import { storedEvents } from './commit-rows.js'
import { checkRow } from './row-sums.js'
import type { SqliteReader } from './sqlite-reader.js'
import { placeOf } from './sqlite-schema.js'
import type { SqliteWriter } from './sqlite-writer.js'
import { StoreError } from './store-error.js'

export const OUTCOMES = `
  SELECT o.command_id, o.fingerprint, o.outcome, o.sum, o.event
  FROM json_each(@ids) ids CROSS JOIN outcomes o ON o.command_id = ids.value`
const COMMIT_AT = `
  SELECT a.auction_id AS auctionId, c.first_seq AS firstSeq, c.body
  FROM commits c JOIN auctions a ON a.ref = c.auction WHERE c.position = ?`

export interface OutcomeRecord {
  readonly command_id: string
  /** '' where it follows from the event. */
  readonly fingerprint: string
  /** Null if the event says it. */
  readonly outcome: string | null
  /** Null if the event says it. */
  readonly sum: number | null
  /** Null if the outcome stands here. */
  readonly event: number | null
}

interface LoggedCommit {
  readonly auctionId: string
  readonly firstSeq: number
  readonly events: readonly AuctionEvent[]
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
    const rows = await this.#reader.all<OutcomeRecord>(OUTCOMES, { ids: JSON.stringify(commandIds) })
    const recorded = await recordedOf(rows, this.#reader)
    return new Map(recorded.map((one) => [one.outcome.commandId, one]))
  }
}

/** The outcomes as they were recorded, in the order of the rows. Rejects with `StoreError`. */
export async function recordedOf(rows: readonly OutcomeRecord[], reader: SqliteReader): Promise<RecordedOutcome[]> {
  const commits = new Map<number, LoggedCommit | null>()
  for (const { event } of rows) {
    if (event === null) continue
    const { position } = placeOf(event)
    if (!commits.has(position)) commits.set(position, await commitAt(position, reader))
  }
  return rows.map((row) => {
    checkOutcome(row)
    const { outcome, event, fingerprint } = row
    if (outcome !== null) return { outcome: JSON.parse(outcome) as Outcome, fingerprint }
    const { position, index } = placeOf(event ?? 0)
    return loggedBid(row, commits.get(position) ?? null, index)
  })
}

async function commitAt(position: number, reader: SqliteReader): Promise<LoggedCommit | null> {
  const commit = await reader.get<Omit<LoggedCommit, 'events'> & { body: string }>(COMMIT_AT, position)
  if (commit === null) return null
  const { body, ...place } = commit
  return { ...place, events: storedEvents(body) }
}

function loggedBid(
  { command_id: commandId, fingerprint }: OutcomeRecord,
  commit: LoggedCommit | null,
  index: number,
): RecordedOutcome {
  const event = commit?.events[index]
  const bid = event === undefined ? null : bidOf(event)
  if (commit === null || bid?.bidId !== commandId) throw damaged(`the bid ${commandId}`)
  const { auctionId, firstSeq } = commit
  const { at, leads, price, reserveMet, bidder, amount } = bid
  return {
    outcome: { status: 'accepted', commandId, auctionId, seq: firstSeq + index, at, bid: { leads, price, reserveMet } },
    fingerprint: fingerprint || plainBidFingerprint(auctionId, bidder.id, amount ?? 0),
  }
}

function damaged(what: string): StoreError {
  return new StoreError(
    'STORE_CORRUPT',
    `${what} is not where its outcome was noted; stop the node and run \`vendue repair\``,
  )
}

/** Throws `StoreError`. What the log says is checked by its hashes when its auction is loaded. */
export function checkOutcome(row: Pick<OutcomeRecord, 'command_id' | 'fingerprint' | 'outcome' | 'sum'>): void {
  const { command_id, fingerprint, outcome, sum } = row
  if (outcome !== null) checkRow('outcomes', command_id, sum ?? 0, command_id, fingerprint, outcome)
}
