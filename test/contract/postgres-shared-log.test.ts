import { expect } from 'chai'
import { PostgresSharedLog } from '../../src/adapters/postgres/postgres-shared-log.js'
import type { SharedLog } from '../../src/ports/store/shared-log.js'
import { CommitBuilder } from '../support/commit-builder.js'
import { eventually } from '../support/eventually.js'
import { addressOf } from '../support/postgres/postgres-address-of.js'
import { endSharedServer, sharedServer } from '../support/postgres/postgres-server.js'
import { describeSharedLog } from './shared-log-contract.js'

/** Ten thousand with VENDUE_RACES=10000: the same race for longer. */
const RACES = Number(process.env.VENDUE_RACES ?? 150)

describe('PostgreSQL', () => {
  let database: string | undefined
  after(() => endSharedServer())

  it('finds heads by their index, though the log was empty when the statement was planned', async () => {
    const server = await sharedServer()
    const fresh = await server.createDatabase()
    const scans = async () => {
      const text =
        "SELECT seq_scan::int AS all_of_it, idx_scan::int AS one FROM pg_stat_user_tables WHERE relname = 'heads'"
      return (await server.query(text, fresh))[0] as { all_of_it: number; one: number }
    }
    const log = new PostgresSharedLog({ address: addressOf(server, fresh), clusterId: 'cluster' })
    const auction = new CommitBuilder()
    await log.append([auction.open()])
    for (let i = 0; i < 20; i++) await log.append([auction.bids(1)])
    await log.close()
    await eventually('the server has counted', async () => (await scans()).one >= 20)
    // Those of the indexes as they were made.
    expect((await scans()).all_of_it).to.be.below(10)
  })

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
