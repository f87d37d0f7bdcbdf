import { POSTGRES, SQLITE } from '../support/consumers/consumer-databases.js'
import { endSharedServer } from '../support/postgres/postgres-server.js'
import { describeStatQueries } from './stat-queries-contract.js'

describeStatQueries(SQLITE, 60)

describe('PostgreSQL', () => {
  after(() => endSharedServer())

  describeStatQueries(POSTGRES, 30)
})
