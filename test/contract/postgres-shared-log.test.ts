import { PostgresSharedLog } from '../../src/adapters/postgres/postgres-shared-log.js'
import type { SharedLog } from '../../src/ports/store/shared-log.js'
import { addressOf } from '../support/postgres/postgres-address-of.js'
import { endSharedServer, sharedServer } from '../support/postgres/postgres-server.js'
import { describeSharedLog } from './shared-log-contract.js'

/** Ten thousand with VENDUE_RACES=10000: the same race for longer. */
const RACES = Number(process.env.VENDUE_RACES ?? 150)

describe('PostgreSQL', () => {
  let database: string | undefined
  after(() => endSharedServer())

  describeSharedLog({
    name: 'postgres',
    rounds: RACES,
    async make() {
      const server = await sharedServer()
      database ??= await server.createDatabase()
      const address = addressOf(server, database)
      const logs: SharedLog[] = []
      return {
        connect(clusterId = 'cluster') {
          const log = new PostgresSharedLog({ address, clusterId })
          logs.push(log)
          return log
        },
        async dispose() {
          await Promise.all(logs.map((log) => log.close()))
          await server.query('DROP SCHEMA IF EXISTS vendue CASCADE', database)
        },
      }
    },
  })
})
