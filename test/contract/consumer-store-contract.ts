import { expect } from 'chai'
import { sql } from 'kysely'
import { readBodyAgain } from '../../src/application/log/written-body.js'
import { UNOPENED } from '../../src/domain/auction.js'
import { evolve } from '../../src/domain/evolve.js'
import type { Claim, ConsumerCursor, Generation } from '../../src/ports/store/consumer-store.js'
import { auctionBuilder, seededCommits } from '../support/consumers/auction-commits.js'
import type { ConsumerDatabase } from '../support/consumers/consumer-databases.js'
import { ConsumerHouse, factsOf, keysOfRows } from '../support/consumers/consumer-house.js'
import { codeOf } from './store-harness.js'

export function describeConsumerStore({ name, make, how }: ConsumerDatabase): void {
  describe(`what consumers keep in ${name}`, () => {
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

    const opened = async () => {
      const store = house.store()
      await store.open()
      return store
    }
    const only = async (): Promise<Generation> => (await house.store().generations())[0] as Generation

    it('creates its tables once, however many instances open it together', async () => {
      await Promise.all([house.store().open(), house.store().open(), house.store().open()])
      await house.store().open()
      expect(await house.store().generations()).to.deep.equal([])
    })

    it('refuses a database that a later version has changed', async () => {
      await opened()
      await sql`INSERT INTO stat_migrations (name, timestamp) VALUES ('9999-later', '2030')`.execute(house.db)
      expect(await codeOf(house.store().open())).to.equal('STATS_DB_VERSION')
    })

    it('begins with a live generation, and builds others beside it', async () => {
      const store = await opened()
      expect(await store.begin(1)).to.equal(1)
      expect(await store.begin(2)).to.equal(2)
      const found = (await store.generations()).map(({ number, state, version }) => ({ number, state, version }))
      expect(found).to.deep.equal([
        { number: 1, state: 'live', version: 1 },
        { number: 2, state: 'building', version: 2 },
      ])
    })

    it('gives a generation to one of many who claim it at once', async () => {
      const store = await opened()
      await store.begin(1)
      const free = await only()
      const claims = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => house.store().claim(free, holder)))
      expect(claims.filter((claim) => claim !== null)).to.have.length(1)
    })

    it('refuses each step of a holder that was taken for dead, and does nothing of it', async () => {
      const store = await opened()
      await store.begin(1)
      const old = (await store.claim(await only(), 'old')) as Claim
      const found = await only()
      expect(found.holder).to.equal('old')
      await store.beat(old)
      expect(await store.claim(found, 'new'), 'it has moved since').to.equal(null)
      await store.claim(await only(), 'new')
      const { cursor, changes } = oneCommit()
      expect(await codeOf(store.advance(old, { cursors: [cursor], changes }))).to.equal('CONSUMER_TAKEN')
      expect(await codeOf(store.beat(old))).to.equal('CONSUMER_TAKEN')
      expect(await codeOf(store.swap(old))).to.equal('CONSUMER_TAKEN')
      await store.release(old)
      expect(await store.cursors(1, [cursor.auctionId])).to.deep.equal([])
      expect(keysOfRows(await house.rows())).to.deep.equal([])
      expect((await only()).holder).to.equal('new')
    })

    it('moves cursors together with what is made of the events, or not at all', async () => {
      const store = await opened()
      await store.begin(1)
      const claim = (await store.claim(await only(), 'one')) as Claim
      const { cursor, changes } = oneCommit()
      await store.advance(claim, { cursors: [cursor], changes })
      expect(await store.cursors(1, [cursor.auctionId])).to.deep.equal([cursor])
      expect([...(await store.heads(1, [cursor.auctionId]))]).to.deep.equal([[cursor.auctionId, cursor.head]])
      const further = { ...cursor, head: { seq: 9, hash: 'f'.repeat(64) } }
      // The same row twice is what the database itself refuses.
      const failed = store.advance(claim, { cursors: [further], changes: [...changes, ...changes] })
      expect(await codeOf(failed)).not.to.equal('RESOLVED')
      expect(await store.cursors(1, [cursor.auctionId])).to.deep.equal([cursor])
    })

    it('retires the others when it swaps, and sweeps them in parts', async () => {
      const store = await opened()
      house.logs.add(...seededCommits('swap', 4))
      await house.passing(house.consumer({ stepEvents: 5 }).catchUp())
      const building = await store.begin(1)
      const old = (await store.claim(await only(), 'old')) as Claim
      const claim = (await store.claim((await store.generations())[1] as Generation, 'new')) as Claim
      await store.swap(claim)
      expect(await codeOf(store.beat(old))).to.equal('CONSUMER_TAKEN')
      expect((await store.generations()).map(({ state }) => state)).to.deep.equal(['retired', 'live'])
      let parts = 1
      while (await store.sweep(1, 7)) parts += 1
      expect(parts).to.be.greaterThan(3)
      expect(await house.generationsWithRows()).to.deep.equal([])
      expect((await store.generations()).map(({ number }) => number)).to.deep.equal([building])
    })

    it('keeps why an auction was stopped until it goes on', async () => {
      const store = await opened()
      await store.begin(1)
      const claim = (await store.claim(await only(), 'one')) as Claim
      const { cursor, commit } = oneCommit()
      const { head, signer, signature } = cursor
      const misfit = {
        auctionId: commit.auctionId,
        rule: 'no',
        cursor: { head, signer, signature },
        commit,
        isSigned: true,
      }
      await store.stop(claim, misfit)
      await store.stop(claim, { ...misfit, rule: 'still no' })
      expect(await store.misfits(1)).to.deep.equal([{ ...misfit, rule: 'still no' }])
      await store.resume(claim, 'auc_other')
      expect(await store.misfits(1)).to.have.length(1)
      await store.resume(claim, commit.auctionId)
      expect(await store.misfits(1)).to.deep.equal([])
    })
  })
}

function oneCommit() {
  const { commit } = auctionBuilder().open()
  const { auctionId, lastSeq, hash, signer, signature } = commit
  const [event] = readBodyAgain(commit.body).events
  if (event === undefined) throw new Error('it opens the auction')
  const state = evolve(UNOPENED, event)
  const cursor: ConsumerCursor = { auctionId, head: { seq: lastSeq, hash }, signer, signature, state }
  return { commit, cursor, changes: factsOf([commit]) }
}
