import type { Kysely } from 'kysely'
import { SqlConsumerStore } from '../../../src/adapters/sql/sql-consumer-store.js'
import { sqlStatRows } from '../../../src/adapters/sql/sql-stat-rows.js'
import type { SqlTables } from '../../../src/adapters/sql/sql-tables.js'
import { statProjection } from '../../../src/application/analytics/stat-projection.js'
import type { StatFact } from '../../../src/ports/store/stat-facts.js'

/** Makes these facts, and no others, what the live generation consists of. */
export async function fillFacts(db: Kysely<SqlTables>, facts: readonly StatFact[]): Promise<void> {
  const store = new SqlConsumerStore({ db, rows: sqlStatRows }, { consumer: statProjection.name, place: 'a test' })
  await store.open()
  const number = await store.begin(1)
  const made = (await store.generations()).find((generation) => generation.number === number)
  const claim = made === undefined ? null : await store.claim(made, 'test')
  if (claim === null) throw new Error('the generation cannot be claimed')
  await store.advance(claim, { cursors: [], changes: facts })
  await store.swap(claim)
}
