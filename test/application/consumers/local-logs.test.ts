import { join } from 'node:path'
import { expect } from 'chai'
import { sqliteDialect } from '../../../src/adapters/sql/sql-database.js'
import { statProjection } from '../../../src/application/analytics/stat-projection.js'
import { Consumer } from '../../../src/application/consumers/consumer.js'
import { LocalLogs } from '../../../src/application/consumers/local-logs.js'
import { PublishingEventLog } from '../../../src/application/log/publishing-event-log.js'
import { auctionBuilder } from '../../support/consumers/auction-commits.js'
import { ConsumerHouse, factsOf, keysOfFacts, keysOfRows, TRUSTING } from '../../support/consumers/consumer-house.js'
import { settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { silentLogger } from '../../support/silent-logger.js'
import { makeTempDir } from '../../support/temp-dir.js'

describe('a consumer of the node in its process', () => {
  it('reads what its log holds, in pages, and hears of each commit once it is durable', async () => {
    const { path, remove } = makeTempDir()
    const house = new ConsumerHouse(sqliteDialect(join(path, 'stats.db')))
    const eventLog = new PublishingEventLog(openMemoryStore().eventLog)
    const builder = auctionBuilder()
    const entries = [builder.open(), ...Array.from({ length: 150 }, () => builder.bids(1))]
    for (const entry of entries) await eventLog.append(entry)
    const { time } = house
    const consumer = new Consumer(
      {
        logs: new LocalLogs({
          eventLog,
          onGrown: (grown) => eventLog.onPublished(({ commit, events }) => grown(commit.auctionId, events.length)),
        }),
        store: house.store(),
        projection: statProjection,
        verifier: TRUSTING,
        clock: time,
        timers: time,
        logger: silentLogger,
      },
      { holder: 'test' },
    )
    const expectAll = async () => {
      for (let i = 0; i < 20; i++) {
        await time.advance(100)
        await settle(50)
      }
      const facts = factsOf(entries.map(({ commit }) => commit))
      expect(keysOfRows(await house.rows())).to.deep.equal(keysOfFacts(facts))
    }
    try {
      consumer.start()
      await expectAll()
      const more = [builder.bids(3), builder.bids(2)]
      for (const entry of more) await eventLog.append(entry)
      entries.push(...more)
      expect(consumer.status().behind).to.equal(5)
      await expectAll()
    } finally {
      await consumer.stop()
      await house.dispose()
      remove()
    }
  })
})
