import type {
  EquivocationProof,
  EquivocationRepository,
  ProofOwners,
} from '../../ports/store/equivocation-repository.js'
import { OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const FIND = 'SELECT proof FROM equivocations WHERE auction_id = ?'
const NEWEST = 'SELECT auction_id AS id FROM equivocations ORDER BY rowid DESC LIMIT ?'
const OWNERS = 'SELECT author, sender, bytes FROM equivocations'
const IDS = 'SELECT auction_id AS id FROM equivocations'

export class SqliteEquivocationRepository implements EquivocationRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader
  /** Asked for with every look at an auction, and hardly ever more than none: kept in memory. */
  #ids: Promise<Set<string>> | null = null

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async save(proof: EquivocationProof, owners: ProofOwners): Promise<boolean> {
    const { auctionId } = proof
    if ((await this.among([auctionId])).has(auctionId)) return false
    const text = JSON.stringify(proof)
    const bytes = text.length + OPERATION_OVERHEAD_BYTES
    await this.#writer.write({ kind: 'save-equivocation', auctionId, proof: text, owners }, bytes)
    ;(await this.#known()).add(auctionId)
    return true
  }

  async find(auctionId: string): Promise<EquivocationProof | null> {
    const row = await this.#reader.get<{ proof: string }>(FIND, auctionId)
    return row === null ? null : (JSON.parse(row.proof) as EquivocationProof)
  }

  async newest(limit: number): Promise<string[]> {
    const rows = await this.#reader.all<{ id: string }>(NEWEST, limit)
    return rows.reverse().map(({ id }) => id)
  }

  owners(): Promise<ProofOwners[]> {
    return this.#reader.all<ProofOwners>(OWNERS)
  }

  async among(auctionIds: readonly string[]): Promise<Set<string>> {
    const ids = await this.#known()
    return new Set(ids.size === 0 ? [] : auctionIds.filter((id) => ids.has(id)))
  }

  #known(): Promise<Set<string>> {
    this.#ids ??= this.#reader
      .all<{ id: string }>(IDS)
      .then((rows) => new Set(rows.map(({ id }) => id)))
      .catch((error: unknown) => {
        this.#ids = null
        throw error
      })
    return this.#ids
  }
}
