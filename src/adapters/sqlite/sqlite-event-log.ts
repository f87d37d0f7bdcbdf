import type { Commit } from '../../domain/commit.js'
import type { Append, EventLog } from '../../ports/store/event-log.js'
import { appendOperation, OPERATION_OVERHEAD_BYTES } from './append-operation.js'
import { InvolvedParties } from './involved-parties.js'
import { SqliteLogReader } from './sqlite-log-reader.js'
import type { SqliteReader } from './sqlite-reader.js'
import type { SqliteWriter } from './sqlite-writer.js'

export interface SqliteEventLogDeps {
  readonly writer: SqliteWriter
  readonly reader: SqliteReader
}

export class SqliteEventLog extends SqliteLogReader implements EventLog {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader
  readonly #involved = new InvolvedParties()

  constructor({ writer, reader }: SqliteEventLogDeps) {
    super({ reader })
    this.#writer = writer
    this.#reader = reader
  }

  async append(entry: Append): Promise<number> {
    const { operation, bytes } = appendOperation(entry, this.#involved)
    try {
      return await this.#writer.write(operation, bytes, () => entry.commit.signature)
    } catch (error) {
      this.#involved.forget(operation.auctionId)
      throw error
    }
  }

  async replaceSignature({ auctionId, firstSeq, hash, signature }: Commit): Promise<boolean> {
    const operation = { kind: 'replace-signature', auctionId, firstSeq, hash, signature } as const
    return (await this.#writer.write(operation, OPERATION_OVERHEAD_BYTES)) > 0
  }

  /** Closes the connections that the other repositories of the store share. */
  async close(): Promise<void> {
    await this.#writer.settled()
    // The writer last: the last connection to close tidies the write-ahead log away.
    this.#reader.close()
    await this.#writer.close()
  }
}
