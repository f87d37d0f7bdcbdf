import type { ParticipationRepository } from '../../ports/store/participation-repository.js'
import { OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const AMONG = `
  SELECT p.auction_id AS id FROM json_each(?) ids CROSS JOIN participations p ON p.auction_id = ids.value`

export class SqliteParticipationRepository implements ParticipationRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async add(auctionId: string): Promise<void> {
    // Called with every bid: what is readable is durable, and spares a disk sync.
    if ((await this.among([auctionId])).has(auctionId)) return
    await this.#writer.write({ kind: 'add-participation', auctionId }, OPERATION_OVERHEAD_BYTES)
  }

  async among(auctionIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.#reader.all<{ id: string }>(AMONG, JSON.stringify(auctionIds))
    return new Set(rows.map(({ id }) => id))
  }
}
