import type { Database, Statement } from 'better-sqlite3'

/** Rows per statement: longer statements gain nothing; row by row costs nearly twice as much. */
const ROWS = 32

export type Value = string | number | Buffer | null

/** Inserts many rows with few statements. Nothing is ever ignored or replaced: a second row for a key throws. */
export class RowInserter {
  readonly #width: number
  readonly #one: Statement<unknown[]>
  readonly #many: Statement<unknown[]>

  constructor(db: Database, table: string, columns: readonly string[]) {
    this.#width = columns.length
    const row = `(${columns.map(() => '?').join(', ')})`
    const sql = (count: number) =>
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${Array(count).fill(row).join(', ')}`
    this.#one = db.prepare<unknown[]>(sql(1))
    this.#many = db.prepare<unknown[]>(sql(ROWS))
  }

  /** `values` holds the rows one after the other. */
  insert(values: readonly Value[]): void {
    const step = this.#width * ROWS
    let i = 0
    for (; i + step <= values.length; i += step) this.#many.run(values.slice(i, i + step))
    for (; i < values.length; i += this.#width) this.#one.run(values.slice(i, i + this.#width))
  }
}
