import { type Kysely, sql, type Transaction } from 'kysely'
import type { OpenedAuction } from '../../domain/auction.js'
import type { Claim, ConsumerCursor, Generation, GenerationState, Misfit } from '../../ports/store/consumer-store.js'
import type { SqlRows } from './sql-rows.js'
import type { CursorRow, GenerationRow, SqlTables } from './sql-tables.js'

export async function sweepRows(
  transaction: Transaction<SqlTables>,
  table: SqlRows<unknown>['tables'][number],
  generation: number,
  rows: number,
): Promise<boolean> {
  // Uses the full key: PostgreSQL's DELETE has no LIMIT.
  const { numAffectedRows = 0n } = await sql`DELETE FROM ${sql.table(table)} WHERE generation = ${generation}
    AND (auction_id, seq) IN
      (SELECT auction_id, seq FROM ${sql.table(table)} WHERE generation = ${generation} LIMIT ${rows})`.execute(
    transaction,
  )
  return numAffectedRows > 0n
}

export function generationOf(row: GenerationRow): Generation {
  const { generation, version, holder, beat } = row
  return {
    number: generation,
    state: row.state as GenerationState,
    version,
    holder,
    beat,
  }
}

export function cursorOf({ auction_id, seq, hash, signer, signature, state }: CursorRow): ConsumerCursor {
  return {
    auctionId: auction_id,
    head: { seq, hash },
    signer,
    signature,
    state: JSON.parse(state) as OpenedAuction,
  }
}

export function cursorRow(
  consumer: string,
  { generation }: Claim,
  { auctionId, head, signer, signature, state }: ConsumerCursor,
): CursorRow {
  return {
    consumer,
    generation,
    auction_id: auctionId,
    seq: head.seq,
    hash: head.hash,
    signer,
    signature,
    state: JSON.stringify(state),
  }
}

export async function misfitsOf(db: Kysely<SqlTables>, consumer: string, generation: number): Promise<Misfit[]> {
  const rows = await db
    .selectFrom('consumer_misfits')
    .select('misfit')
    .where('consumer', '=', consumer)
    .where('generation', '=', generation)
    .orderBy('auction_id')
    .execute()
  return rows.map(({ misfit }) => JSON.parse(misfit) as Misfit)
}

export async function sweepMisfits(
  transaction: Transaction<SqlTables>,
  consumer: string,
  generation: number,
): Promise<void> {
  await transaction
    .deleteFrom('consumer_misfits')
    .where('consumer', '=', consumer)
    .where('generation', '=', generation)
    .execute()
}
