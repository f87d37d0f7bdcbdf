import type { KnownPeer, PeerRepository } from '../../ports/store/peer-repository.js'
import { OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

const LIST = `
  SELECT node_id AS nodeId, name, public_key AS publicKey, address, dht_address AS dhtAddress,
    last_seen_at AS lastSeenAt
  FROM peers ORDER BY last_seen_at DESC, node_id LIMIT ?`

export class SqlitePeerRepository implements PeerRepository {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader

  constructor({ writer, reader }: { writer: SqliteWriter; reader: SqliteReader }) {
    this.#writer = writer
    this.#reader = reader
  }

  async save(peer: KnownPeer): Promise<void> {
    await this.#writer.write({ kind: 'save-peer', peer }, OPERATION_OVERHEAD_BYTES)
  }

  list(limit: number): Promise<KnownPeer[]> {
    return this.#reader.all(LIST, limit)
  }
}
