import type { Database, Statement } from 'better-sqlite3'

/** The most rows that are remembered; beyond this, all are forgotten. */
const MAX_ROWS = 20_000

/**
 * Rows of one table by their key, as they are now: remembered until somebody writes to the file. The owner of this
 * connection says so itself (`forget`); others' commits change SQLite's data version, which is looked at once in each
 * turn of the event loop. Hundreds of bids that arrive in one turn cost one look that way, and not two reads each.
 */
export class RememberedRows<T> {
  readonly #version: Statement<[], { readonly data_version: number }>
  readonly #rows = new Map<string, T>()
  #known = -1
  #isFresh = false

  constructor(db: Database) {
    this.#version = db.prepare('PRAGMA data_version')
  }

  /** What `read` gives is shared by all who ask. */
  find(key: string, read: (key: string) => T): T {
    this.#look()
    const known = this.#rows.get(key)
    if (known !== undefined) return known
    const row = read(key)
    if (this.#rows.size >= MAX_ROWS) this.#rows.clear()
    this.#rows.set(key, row)
    return row
  }

  forget(): void {
    this.#rows.clear()
  }

  #look(): void {
    if (this.#isFresh) return
    this.#isFresh = true
    setImmediate(() => {
      this.#isFresh = false
    })
    const version = this.#version.get()?.data_version ?? -1
    if (version !== this.#known) this.forget()
    this.#known = version
  }
}
