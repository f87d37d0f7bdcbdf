import { join } from 'node:path'
import { postgresDialect, sqliteDialect } from '../../src/adapters/sql/sql-database.js'
import { parseSharedLog } from '../../src/adapters/system/shared-log-address.js'
import { endSharedServer, PASSWORD, sharedServer } from '../support/postgres/postgres-server.js'
import { makeTempDir } from '../support/temp-dir.js'
import { describeConsumerStore } from './consumer-store-contract.js'

/** In PostgreSQL, where a step takes longer; VENDUE_KILLS=1000 kills as often there as in SQLite. */
const POSTGRES_KILLS = Number(process.env.VENDUE_KILLS ?? 150)

describeConsumerStore({
  name: 'SQLite',
  kills: 1_000,
  async make() {
    const { path, remove } = makeTempDir()
    return { dialect: sqliteDialect(join(path, 'stats.db')), dispose: async () => remove() }
  },
})

describe('PostgreSQL', () => {
  after(() => endSharedServer())

  describeConsumerStore({
    name: 'PostgreSQL',
    kills: POSTGRES_KILLS,
    how: { turnMs: 10, goodbye: 'SELECT pg_advisory_unlock_all()' },
    async make() {
      const server = await sharedServer()
      const database = await server.createDatabase()
      const url = `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/${database}`
      return { dialect: postgresDialect(parseSharedLog(url)), dispose: async () => {} }
    },
  })
})
