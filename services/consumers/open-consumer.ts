import type { Kysely } from 'kysely'
import { SqlConsumerStore } from '../../src/adapters/sql/sql-consumer-store.js'
import { openSqlDatabase } from '../../src/adapters/sql/sql-database.js'
import type { SqlRows } from '../../src/adapters/sql/sql-rows.js'
import type { SqlTables } from '../../src/adapters/sql/sql-tables.js'
import type { DatabaseAddress } from '../../src/adapters/system/database-address.js'
import { Ed25519Verifier } from '../../src/adapters/system/node-key.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemTimers } from '../../src/adapters/system/system-timers.js'
import { Consumer } from '../../src/application/consumers/consumer.js'
import type { AuctionLogs } from '../../src/ports/store/auction-logs.js'
import type { ConsumerStore, Projection } from '../../src/ports/store/consumer-store.js'
import type { Logger } from '../../src/ports/system/logger.js'

/** What one service is made of, whichever process it runs in. */
export interface ConsumerService<Change, Reader extends object> {
  readonly projection: Projection<Change>
  readonly rows: SqlRows<Change>
  /** What answers questions about its rows. Arguments and answers can be cloned: it may be in another thread. */
  reader(db: Kysely<SqlTables>, options: { readonly consumer: string; readonly place: string }): Reader
}

export interface OpenConsumerOptions {
  readonly logs: AuctionLogs
  readonly database: DatabaseAddress
  /** The name of this instance, for people. */
  readonly holder: string
  readonly logger: Logger
}

export interface OpenConsumer<Change, Reader> {
  readonly consumer: Consumer<Change>
  readonly store: ConsumerStore<Change>
  readonly reader: Reader
  /** Where the rows are, without a secret. */
  readonly place: string
  /** Finishes the step under way. Idempotent. */
  close(): Promise<void>
}

/** A service over its database. Nothing runs yet, and nothing is connected. */
export function openConsumer<Change, Reader extends object>(
  service: ConsumerService<Change, Reader>,
  { logs, database, holder, logger }: OpenConsumerOptions,
): OpenConsumer<Change, Reader> {
  const { projection, rows } = service
  const { db, place } = openSqlDatabase(database)
  const options = { consumer: projection.name, place }
  const store = new SqlConsumerStore({ db, rows }, options)
  const verifier = new Ed25519Verifier()
  const deps = { logs, store, projection, verifier, clock: systemClock, timers: systemTimers, logger }
  const consumer = new Consumer(deps, { holder })
  return {
    consumer,
    store,
    place,
    reader: service.reader(db, options),
    async close() {
      await consumer.stop()
      await store.close()
    },
  }
}
