import type { Transaction } from 'kysely'
import type { SqlTables } from './sql-tables.js'

/** Writes the results of one consumer. */
export interface SqlRows<Change> {
  /** Tables of this consumer alone; every row has a generation. */
  readonly tables: readonly Exclude<keyof SqlTables, 'consumer_generations' | 'consumer_cursors' | 'consumer_misfits'>[]
  write(transaction: Transaction<SqlTables>, generation: number, changes: readonly Change[]): Promise<void>
}

/** Rows in one statement: SQLite allows 32,766 values in each. */
const ROWS_AT_ONCE = 500

export function* inParts<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += ROWS_AT_ONCE) yield items.slice(i, i + ROWS_AT_ONCE)
}
