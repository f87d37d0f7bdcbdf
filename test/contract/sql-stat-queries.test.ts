import { join } from 'node:path'
import { postgresDialect, sqliteDialect } from '../../src/adapters/sql/sql-database.js'
import { parseSharedLog } from '../../src/adapters/system/shared-log-address.js'
import { endSharedServer, PASSWORD, sharedServer } from '../support/postgres/postgres-server.js'
import { makeTempDir } from '../support/temp-dir.js'
import { describeStatQueries } from './stat-queries-contract.js'

describeStatQueries({
  name: 'SQLite',
  runs: 60,
  async make() {
    const { path, remove } = makeTempDir()
    return { dialect: sqliteDialect(join(path, 'stats.db')), dispose: async () => remove() }
  },
})

describe('PostgreSQL', () => {
  after(() => endSharedServer())

  describeStatQueries({
    name: 'PostgreSQL',
    runs: 30,
    async make() {
      const server = await sharedServer()
      const database = await server.createDatabase()
      const url = `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/${database}`
      return { dialect: postgresDialect(parseSharedLog(url)), dispose: async () => {} }
    },
  })
})
