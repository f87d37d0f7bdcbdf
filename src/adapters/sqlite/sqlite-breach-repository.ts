import type { Breach, BreachRepository } from '../../ports/store/breach-repository.js'
import { OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const ALL = 'SELECT auction_id AS auctionId, seq, rule FROM breaches'

export class SqliteBreachRepository implements BreachRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader
  /** Asked for with every look at an auction, and hardly ever more than none: kept in memory. */
  #breaches: Promise<Map<string, Breach>> | null = null

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async save(breach: Breach): Promise<boolean> {
    const known = await this.#known()
    if (known.has(breach.auctionId)) return false
    const bytes = breach.rule.length + OPERATION_OVERHEAD_BYTES
    await this.#writer.write({ kind: 'save-breach', breach }, bytes)
    known.set(breach.auctionId, breach)
    return true
  }

  async find(auctionId: string): Promise<Breach | null> {
    return (await this.#known()).get(auctionId) ?? null
  }

  async among(auctionIds: readonly string[]): Promise<Set<string>> {
    const known = await this.#known()
    return new Set(known.size === 0 ? [] : auctionIds.filter((id) => known.has(id)))
  }

  #known(): Promise<Map<string, Breach>> {
    this.#breaches ??= this.#reader
      .all<Breach>(ALL)
      .then((rows) => new Map(rows.map((row) => [row.auctionId, row])))
      .catch((error: unknown) => {
        this.#breaches = null
        throw error
      })
    return this.#breaches
  }
}
