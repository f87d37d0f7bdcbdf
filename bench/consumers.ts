import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Dialect } from 'kysely'
import { Kysely } from 'kysely'
import { SqlConsumerStore } from '../src/adapters/sql/sql-consumer-store.js'
import { postgresDialect, sqliteDialect } from '../src/adapters/sql/sql-database.js'
import { sqlStatRows } from '../src/adapters/sql/sql-stat-rows.js'
import type { SqlTables } from '../src/adapters/sql/sql-tables.js'
import { parseSharedLog } from '../src/adapters/system/shared-log-address.js'
import { systemClock } from '../src/adapters/system/system-clock.js'
import { systemTimers } from '../src/adapters/system/system-timers.js'
import { statProjection } from '../src/application/analytics/stat-projection.js'
import { Consumer } from '../src/application/consumers/consumer.js'
import { LocalLogs } from '../src/application/consumers/local-logs.js'
import { auctionBuilder } from '../test/support/consumers/auction-commits.js'
import { TRUSTING } from '../test/support/consumers/consumer-house.js'
import { openMemoryStore } from '../test/support/memory/memory-store.js'
import { endSharedServer, PASSWORD, sharedServer } from '../test/support/postgres/postgres-server.js'
import { silentLogger } from '../test/support/silent-logger.js'
import type { BenchRun } from './bench-result.js'

const AUCTIONS = 50
const COMMITS = 40
const BIDS_PER_COMMIT = 50

/** How many events a second analytics takes in from a log in memory: reading, checking and storing, signatures left out. */
export async function* run(): BenchRun {
  const { eventLog } = openMemoryStore()
  for (let i = 0; i < AUCTIONS; i++) {
    const builder = auctionBuilder({ tag: `bench_${i}` })
    await eventLog.append(builder.open())
    for (let n = 0; n < COMMITS; n++) await eventLog.append(builder.bids(BIDS_PER_COMMIT))
  }
  const events = AUCTIONS * (1 + COMMITS * BIDS_PER_COMMIT)
  const logs = new LocalLogs({ eventLog, onGrown: () => () => {} })
  const measure = async (dialect: Dialect) => {
    const store = new SqlConsumerStore(
      { db: new Kysely<SqlTables>({ dialect }), rows: sqlStatRows },
      { consumer: 'analytics', place: 'a benchmark' },
    )
    const deps = { logs, store, projection: statProjection, verifier: TRUSTING, logger: silentLogger }
    const consumer = new Consumer({ ...deps, clock: systemClock, timers: systemTimers }, { holder: 'bench' })
    const startedAt = performance.now()
    await consumer.catchUp()
    const seconds = (performance.now() - startedAt) / 1_000
    await store.close()
    return Math.round(events / seconds)
  }
  const directory = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  try {
    yield {
      name: 'statistics into SQLite',
      unit: 'events/s',
      value: await measure(sqliteDialect(join(directory, 'stats.db'))),
      figures: { events },
      target: { atLeast: 50_000 },
    }
    const server = await sharedServer()
    const database = await server.createDatabase()
    const url = `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/${database}`
    yield {
      name: 'statistics into PostgreSQL',
      unit: 'events/s',
      value: await measure(postgresDialect(parseSharedLog(url))),
      figures: { events },
      target: { atLeast: 20_000 },
    }
  } finally {
    await endSharedServer()
    rmSync(directory, { recursive: true, force: true })
  }
}
