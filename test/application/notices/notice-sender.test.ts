import { join } from 'node:path'
import { expect } from 'chai'
import type { Dialect } from 'kysely'
import { postgresDialect, sqliteDialect } from '../../../src/adapters/sql/sql-database.js'
import { parseSharedLog } from '../../../src/adapters/system/shared-log-address.js'
import { ALICE, BOB, HOUR, MINUTE, T0 } from '../../support/auction-scenario.js'
import { auctionBuilder } from '../../support/consumers/auction-commits.js'
import { ManualTime } from '../../support/manual-time.js'
import { NoticeWorld } from '../../support/notices/notice-world.js'
import { endSharedServer, PASSWORD, sharedServer } from '../../support/postgres/postgres-server.js'
import { makeTempDir } from '../../support/temp-dir.js'

const DAY = 24 * HOUR

describe('NoticeSender over SQLite', () => {
  sendsNotices(async () => {
    const { path, remove } = makeTempDir()
    return { dialect: sqliteDialect(join(path, 'notices.db')), dispose: remove }
  })
})

describe('NoticeSender over PostgreSQL', () => {
  after(() => endSharedServer())

  sendsNotices(async () => {
    const server = await sharedServer()
    const database = await server.createDatabase()
    const url = `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/${database}`
    return { dialect: postgresDialect(parseSharedLog(url)), dispose: () => {} }
  })
})

function sendsNotices(make: () => Promise<{ readonly dialect: Dialect; dispose(): void }>): void {
  let dispose: () => void
  let time: ManualTime
  let world: NoticeWorld

  beforeEach(async () => {
    const made = await make()
    dispose = made.dispose
    time = new ManualTime(T0)
    world = new NoticeWorld(made.dialect, time)
    await world.open()
  })

  afterEach(async () => {
    await world.dispose()
    dispose()
  })

  /** Alice leads, and is outbid a second later. */
  function outbidAlice() {
    const builder = auctionBuilder({ closesAt: T0 + 3 * DAY })
    const commits = [
      builder.open().commit,
      builder.commit({ ...builder.bid(ALICE, 7_500), now: T0 }).commit,
      builder.commit({ ...builder.bid(BOB, 7_600), now: T0 + 1_000 }).commit,
    ]
    world.add(...commits)
    return builder
  }

  it('sends a delivery again with the same id if its process dies before it is marked', async () => {
    await world.join(ALICE.id)
    outbidAlice()
    await time.advance(1_000)
    world.answer = () => {
      // The process dies while the receiver takes it.
      world.dialect.revive(1)
      return { result: 'delivered' }
    }
    await world.run().catch(() => {})
    world.answer = () => ({ result: 'delivered' })
    world.restart()
    await world.run()
    expect(world.received, 'the lease holds').to.have.length(1)
    await time.advance(10 * MINUTE)
    await world.run()
    expect(world.received).to.have.length(2)
    expect(new Set(world.received.map(({ id }) => id)).size).to.equal(1)
    expect(world.received.map(({ attempt }) => attempt)).to.deep.equal([1, 2])
  })

  it('tries for a day, later each time, and then shows why it failed', async () => {
    await world.join(ALICE.id, 1, { quiet: { from: 0, to: 0 }, off: ['outbid', 'ending-soon'] })
    const builder = outbidAlice()
    world.add(builder.commit({ ...builder.close(), now: T0 + MINUTE }).commit)
    const tried: number[] = []
    world.answer = () => {
      tried.push(time.now())
      return { result: 'retry', why: 'the server says 500' }
    }
    for (let passed = 0; passed < 40 * HOUR && (await world.outbox.counts()).failed === 0; passed += 5 * MINUTE) {
      await time.advance(5 * MINUTE)
      await world.run()
    }
    const [failed] = await world.outbox.list('failed', { limit: 10 })
    expect(failed?.why).to.equal('the server says 500')
    expect(tried).to.have.length(9)
    const waits = tried.slice(1).map((at, i) => at - (tried[i] ?? 0))
    expect(waits).to.deep.equal([...waits].sort((a, b) => a - b))
    expect((tried.at(-1) ?? 0) - (tried[0] ?? 0)).to.be.within(20 * HOUR, 36 * HOUR)
  })

  it('sends failed ones again if somebody asks for it', async () => {
    await world.join(ALICE.id)
    outbidAlice()
    await time.advance(1_000)
    world.answer = () => ({ result: 'refused', why: 'no such mailbox' })
    await world.run()
    world.answer = () => ({ result: 'delivered' })
    expect(await world.outbox.retryFailed('ntc_another', time.now())).to.equal(0)
    expect(await world.outbox.retryFailed(null, time.now())).to.equal(1)
    await world.run()
    expect(world.received.map(({ notice }) => notice.kind)).to.deep.equal(['outbid'])
  })

  it('sends nothing more to a target that has said it takes no more', async () => {
    await world.join(ALICE.id)
    const builder = outbidAlice()
    await time.advance(1_000)
    world.answer = () => ({ result: 'gone', why: '410' })
    await world.run()
    let asked = 0
    world.answer = () => {
      asked += 1
      return { result: 'delivered' }
    }
    world.add(builder.commit({ ...builder.close(), now: T0 + MINUTE }).commit)
    await time.advance(MINUTE)
    await world.run()
    expect(asked).to.equal(0)
    expect((await world.settings.targets(ALICE.id)).map(({ state, why }) => [state, why])).to.deep.equal([
      ['gone', '410'],
    ])
  })

  it('waits as long as a receiver asks for', async () => {
    await world.join(ALICE.id)
    outbidAlice()
    await time.advance(1_000)
    world.answer = () => ({ result: 'retry', why: '429', afterMs: HOUR })
    await world.run()
    world.answer = () => ({ result: 'delivered' })
    await time.advance(HOUR - 1_000)
    await world.run()
    expect(world.received).to.deep.equal([])
    await time.advance(20 * MINUTE)
    await world.run()
    expect(world.received).to.have.length(1)
  })

  it('takes few of many that wait, and goes on with other targets beside one that hangs', async () => {
    const people = Array.from({ length: 40 }, (_, i) => ({ id: `usr_${i}`, name: `U${i}` }))
    for (const { id } of people) await world.join(id)
    const builder = auctionBuilder()
    world.add(builder.open().commit)
    people.forEach((person, i) => {
      world.add(builder.commit({ ...builder.bid(person, 7_500 + i * 100), now: T0 + i }).commit)
    })
    world.add(builder.commit({ ...builder.close(), now: T0 + 100 }).commit)
    await time.advance(200)
    const leased = await world.outbox.lease({ now: time.now(), leaseMs: HOUR, limit: 16, busy: ['ntt_usr_3_0'] })
    expect(leased, 'nothing has been read yet').to.deep.equal([])
    await world.run()
    expect(new Set(world.received.map(({ target }) => JSON.stringify(target))).size).to.equal(40)
    expect(world.received.filter(({ notice }) => notice.kind === 'won')).to.have.length(1)
    expect((await world.outbox.counts()).waiting).to.equal(0)
  })
}
