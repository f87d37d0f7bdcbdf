import { fileURLToPath } from 'node:url'
import { SqlConsumerStore } from '../../../src/adapters/sql/sql-consumer-store.js'
import { openSqlDatabase } from '../../../src/adapters/sql/sql-database.js'
import { sqlStatRows } from '../../../src/adapters/sql/sql-stat-rows.js'
import { systemClock } from '../../../src/adapters/system/system-clock.js'
import { systemTimers } from '../../../src/adapters/system/system-timers.js'
import { statProjection } from '../../../src/application/analytics/stat-projection.js'
import { Consumer } from '../../../src/application/consumers/consumer.js'
import { seededCommits } from '../../support/consumers/auction-commits.js'
import { TRUSTING } from '../../support/consumers/consumer-house.js'
import { MemoryLogs } from '../../support/consumers/memory-logs.js'
import { silentLogger } from '../../support/silent-logger.js'

// A process to be killed: takes seeded logs into a database, and says so after each step. Arguments: file, seed.

async function consume(path: string, seed: string): Promise<void> {
  // Waiting for a holder that is dead keeps no process alive.
  const alive = setInterval(() => {}, 1_000)
  const { db, place } = openSqlDatabase({ kind: 'sqlite', file: path })
  const store = new SqlConsumerStore({ db, rows: sqlStatRows }, { consumer: 'analytics', place })
  const logs = new MemoryLogs()
  logs.add(...seededCommits(seed, 20))
  const system = { clock: systemClock, timers: systemTimers, logger: silentLogger }
  const advance = store.advance.bind(store)
  store.advance = async (...step) => {
    await advance(...step)
    process.stdout.write('step\n')
  }
  const deps = { logs, store, projection: statProjection, verifier: TRUSTING, ...system }
  await new Consumer(deps, { holder: `process ${process.pid}`, stepEvents: 4, silentMs: 300 }).catchUp()
  await store.close()
  clearInterval(alive)
}

const [, program, path, seed] = process.argv
if (program === fileURLToPath(import.meta.url)) {
  if (path === undefined || seed === undefined) throw new Error('name a file and a seed')
  await consume(path, seed)
}
