import type { EquivocationProof, EquivocationRepository } from '../../ports/equivocation-repository.js'
import { OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const FIND = 'SELECT proof FROM equivocations WHERE auction_id = ?'
const NEWEST = 'SELECT proof FROM equivocations ORDER BY rowid DESC LIMIT ?'
const AMONG = `
  SELECT e.auction_id AS id FROM json_each(?) ids CROSS JOIN equivocations e ON e.auction_id = ids.value`

export class SqliteEquivocationRepository implements EquivocationRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async save(proof: EquivocationProof): Promise<boolean> {
    const { auctionId } = proof
    if ((await this.among([auctionId])).has(auctionId)) return false
    const text = JSON.stringify(proof)
    await this.#writer.write(
      { kind: 'save-equivocation', auctionId, proof: text },
      text.length + OPERATION_OVERHEAD_BYTES,
    )
    return true
  }

  async find(auctionId: string): Promise<EquivocationProof | null> {
    const row = await this.#reader.get<{ proof: string }>(FIND, auctionId)
    return row === null ? null : (JSON.parse(row.proof) as EquivocationProof)
  }

  async list(limit: number): Promise<EquivocationProof[]> {
    const rows = await this.#reader.all<{ proof: string }>(NEWEST, limit)
    return rows.reverse().map(({ proof }) => JSON.parse(proof) as EquivocationProof)
  }

  async among(auctionIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.#reader.all<{ id: string }>(AMONG, JSON.stringify(auctionIds))
    return new Set(rows.map(({ id }) => id))
  }
}
