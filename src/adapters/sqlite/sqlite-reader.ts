import type { Database, Statement } from 'better-sqlite3'
import { openReadConnection } from './sqlite-connection.js'
import { closedError } from './sqlite-writer.js'
import { storeErrorFrom } from './store-error.js'

/** The read-only connection of the main thread, for reads short enough to be made there. */
export class SqliteReader {
  readonly #db: Database
  readonly #path: string
  readonly #statements = new Map<string, Statement>()

  constructor(path: string) {
    this.#path = path
    this.#db = openReadConnection(path)
  }

  async all<Row>(sql: string, ...parameters: unknown[]): Promise<Row[]> {
    return this.#guarded(() => this.#statement(sql).all(...parameters) as Row[])
  }

  async get<Row>(sql: string, ...parameters: unknown[]): Promise<Row | null> {
    return this.#guarded(() => (this.#statement(sql).get(...parameters) as Row | undefined) ?? null)
  }

  /** Rows from the first on, for as long as `more` wants another one after a row. */
  async take<Row>(sql: string, parameters: readonly unknown[], more: (row: Row) => boolean): Promise<Row[]> {
    return this.#guarded(() => {
      const rows: Row[] = []
      for (const row of this.#statement(sql).iterate(...parameters) as Iterable<Row>) {
        rows.push(row)
        if (!more(row)) break
      }
      return rows
    })
  }

  /** Idempotent. */
  close(): void {
    this.#db.close()
  }

  /** `sql` is one of this adapter's own constants. */
  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #guarded<T>(read: () => T): T {
    if (!this.#db.open) throw closedError()
    try {
      return read()
    } catch (error) {
      throw storeErrorFrom(error, this.#path)
    }
  }
}
