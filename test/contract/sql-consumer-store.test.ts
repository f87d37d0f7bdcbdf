import { POSTGRES, SQLITE } from '../support/consumers/consumer-databases.js'
import { endSharedServer } from '../support/postgres/postgres-server.js'
import { describeConsumerStore } from './consumer-store-contract.js'

describeConsumerStore(SQLITE)

describe('PostgreSQL', () => {
  after(() => endSharedServer())

  describeConsumerStore(POSTGRES)
})
