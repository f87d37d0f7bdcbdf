import type { Transaction } from 'kysely'
import type { SqlTables } from './sql-tables.js'

/** Writes what one consumer makes. */
export interface SqlRows<Change> {
  /** Of this consumer alone; each has a generation in every row. */
  readonly tables: readonly Exclude<keyof SqlTables, 'consumer_generations' | 'consumer_cursors'>[]
  write(transaction: Transaction<SqlTables>, generation: number, changes: readonly Change[]): Promise<void>
}

/** Rows of a statement: SQLite takes 32,766 values in one. */
const ROWS_AT_ONCE = 500

export function* inParts<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += ROWS_AT_ONCE) yield items.slice(i, i + ROWS_AT_ONCE)
}
