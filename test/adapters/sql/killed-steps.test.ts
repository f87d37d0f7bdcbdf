import { expect } from 'chai'
import type { Consumer } from '../../../src/application/consumers/consumer.js'
import type { StatFact } from '../../../src/ports/store/stat-facts.js'
import { SeededRandom } from '../../sim/seeded-random.js'
import { seededCommits } from '../../support/consumers/auction-commits.js'
import { type ConsumerDatabase, POSTGRES, SQLITE } from '../../support/consumers/consumer-databases.js'
import { ConsumerHouse, factsOf, keysOfFacts, keysOfRows } from '../../support/consumers/consumer-house.js'
import { KilledError } from '../../support/consumers/killing-dialect.js'
import { endSharedServer } from '../../support/postgres/postgres-server.js'

/** In PostgreSQL, where a step takes longer; VENDUE_KILLS=1000 kills as often there as in SQLite. */
const POSTGRES_KILLS = Number(process.env.VENDUE_KILLS ?? 150)

describe('a consumer that is killed', () => {
  after(() => endSharedServer())

  killedIn(SQLITE, 1_000)
  killedIn(POSTGRES, POSTGRES_KILLS)
})

function killedIn({ name, make, how }: ConsumerDatabase, kills: number): void {
  describe(`with what it keeps in ${name}`, () => {
    let house: ConsumerHouse
    let dispose: () => Promise<void>
    beforeEach(async () => {
      const made = await make()
      house = new ConsumerHouse(made.dialect, how)
      dispose = made.dispose
    })
    afterEach(async () => {
      await house.dispose()
      await dispose()
    })

    it(`loses nothing and makes nothing twice, whatever step it is killed at (${kills} kills)`, async () => {
      const random = new SeededRandom(`kills in ${name}`)
      const commits = seededCommits('kills', 9)
      const expected = keysOfFacts(factsOf(commits))
      let shown = 0
      /** One life after the other, until one ends by itself or `isDone` by what is stored. */
      const lives = async (work: () => Promise<void>, isDone = async () => false) => {
        for (;;) {
          // The log grows meanwhile.
          const more = commits.slice(shown, shown + random.int(0, 8))
          shown += more.length
          house.logs.add(...more)
          house.dialect.revive(random.int(1, 60))
          try {
            await house.passing(work())
            if (shown >= commits.length) return house.dialect.revive()
          } catch (error) {
            if (!(error instanceof KilledError)) throw error
          }
          house.dialect.revive()
          if (await isDone()) return
        }
      }
      const live = async () => (await house.store().generations()).find(({ state }) => state === 'live')?.number
      const make = (): Consumer<StatFact> => house.consumer({ stepEvents: 6 })
      await lives(() => make().catchUp())
      const rows = await house.rows()
      expect(keysOfRows(rows)).to.deep.equal(expected)
      let rebuilt = 0
      while (house.dialect.kills < kills) {
        const before = await live()
        await lives(
          () => make().rebuild(),
          async () => (await live()) !== before,
        )
        expect(await live()).not.to.equal(before)
        expect(await house.rows(), 'row for row').to.deep.equal(rows)
        // Removes what was there before.
        await lives(() => make().catchUp())
        expect(await house.generationsWithRows(), 'nothing is left of the others').to.deep.equal([await live()])
        rebuilt += 1
      }
      expect(rebuilt).to.be.greaterThan(0)
    })
  })
}
