import { join } from 'node:path'
import { expect } from 'chai'
import { sqliteDialect } from '../../../src/adapters/sql/sql-database.js'
import type { NoticeKind } from '../../../src/domain/notices/notice-kind.js'
import { SeededRandom } from '../../sim/seeded-random.js'
import { HOUR, MINUTE } from '../../support/auction-scenario.js'
import { auctionBuilder } from '../../support/consumers/auction-commits.js'
import { KilledError } from '../../support/consumers/killing-dialect.js'
import { ManualTime } from '../../support/manual-time.js'
import { noticeHistory } from '../../support/notices/notice-history.js'
import { NoticeOracle, type PersonDay } from '../../support/notices/notice-oracle.js'
import { NoticeWorld, type Received } from '../../support/notices/notice-world.js'
import { makeTempDir } from '../../support/temp-dir.js'

/** VENDUE_NOTICE_AUCTIONS=10000 for the long run; VENDUE_NOTICE_SEED for another. */
const AUCTIONS = Number(process.env.VENDUE_NOTICE_AUCTIONS ?? 200)
const SEED = process.env.VENDUE_NOTICE_SEED ?? '1'
/** In the night from 24 October 2026 clocks go back in Europe. */
const FROM = Date.UTC(2026, 9, 24, 12)
const OPEN_MS = 20 * HOUR
const TO = FROM + OPEN_MS + 20 * HOUR
/** Longer than a lease: one delivery meets one kill. */
const KILL_EVERY_MS = 20 * MINUTE
const ZONES = ['Europe/Berlin', 'UTC', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe']
const SELLER_ID = auctionBuilder({ tag: 'x' }).open().events[0]

describe('notices of simulated auctions', () => {
  it('are never wrong when they are sent, and none is missing, with views, quiet hours, outages and kills', async function () {
    this.timeout(600_000)
    const random = new SeededRandom(`notices ${SEED}`)
    const { path, remove } = makeTempDir()
    const time = new ManualTime(FROM)
    const world = new NoticeWorld(sqliteDialect(join(path, 'notices.db')), time)
    try {
      await world.open()
      const people = makePeople(random.stream('people'))
      for (const { day, zone, quiet, targets } of people) {
        await world.join(day.id, targets, { timeZone: zone, quiet, off: day.off })
        const { search, id } = day
        if (search !== null) await world.settings.addSearch({ id: `nts_${id}`, accountId: id, words: search })
      }
      const parties = people.slice(1).map(({ day }) => ({ id: day.id, name: `${day.id} of the house` }))
      const histories = Array.from({ length: AUCTIONS }, (_, i) =>
        noticeHistory(random.stream(`auction ${i}`), {
          tag: `${SEED}_${i}`,
          from: FROM,
          span: OPEN_MS,
          people: parties,
        }),
      )
      const views = makeViews(random.stream('views'), people, histories)
      const outages = [
        { from: FROM + 5 * HOUR, to: FROM + 5 * HOUR + 25 * MINUTE },
        { from: FROM + 9 * HOUR, to: FROM + 16 * HOUR },
      ]
      const isUp = (at: number) => !outages.some(({ from, to }) => at >= from && at < to)
      const commits = histories.flatMap((history) => history.commits).sort((a, b) => a.at - b.at)
      let next = 0
      let kills = 0
      let killAt = FROM + KILL_EVERY_MS
      for (let at = FROM; at < TO; at += MINUTE) {
        await time.advance(at - time.now())
        while (next < commits.length && (commits[next]?.at ?? 0) <= at) world.add(commits[next++]?.commit as never)
        const seen = views.at(at)
        if (seen.length > 0) await world.settings.noteViews('gateway', seen, at)
        if (!isUp(at)) continue
        if (at >= killAt) world.restart(random.int(1, 40))
        await world.run().catch(async (error: unknown) => {
          if (!(error instanceof KilledError) && !world.dialect.isDead) throw error
          kills += 1
          killAt = at + KILL_EVERY_MS
          world.restart()
          await world.run()
        })
        world.dialect.revive()
      }
      expect(kills).to.be.greaterThan(20)
      const first = firstOfEach(world.received)
      const day = { from: FROM, to: TO, isUp, graceMs: 7 * MINUTE }
      const faults: string[] = []
      for (const history of histories) {
        const oracle = new NoticeOracle(history, day)
        for (const { day: person, targets } of people)
          for (let i = 0; i < targets; i++)
            faults.push(
              ...oracle
                .faultsOf(personOf(person, views.has), first.of(history.auctionId, `https://${person.id}.example/${i}`))
                .map((fault) => `${history.auctionId} ${fault}`),
            )
      }
      expect(faults.slice(0, 20), `seed ${SEED}`).to.deep.equal([])
      const kinds = new Set(world.received.map(({ notice }) => notice.kind))
      expect([...kinds].sort()).to.deep.equal(
        ['ending-soon', 'extended', 'lost', 'new-auction', 'not-sold', 'outbid', 'sold', 'won'].sort(),
      )
    } finally {
      await world.dispose()
      remove()
    }
  })
})

interface Person {
  readonly day: Omit<PersonDay, 'isViewing'>
  readonly zone: string
  readonly quiet: { from: number; to: number } | null
  readonly targets: number
}

function makePeople(random: SeededRandom): Person[] {
  const seller = SELLER_ID?.type === 'AuctionOpened' ? SELLER_ID.seller.id : ''
  return Array.from({ length: 24 }, (_, i) => {
    const zone = random.pick(ZONES) as string
    const quiet = random.chance(0.4) ? { from: random.int(0, 1_439), to: random.int(0, 1_439) } : null
    const off: NoticeKind[] = random.chance(0.2)
      ? [random.pick(['outbid', 'lost', 'extended'] as const) as NoticeKind]
      : []
    const clock = (at: number) => {
      const text = new Date(at).toLocaleTimeString('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' })
      return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
    }
    const minutes = new Map<number, number>()
    const minuteAt = (at: number) => {
      const key = Math.floor(at / MINUTE)
      const known = minutes.get(key) ?? clock(at)
      minutes.set(key, known)
      return known
    }
    const lies = (minute: number, { from, to }: { from: number; to: number }) =>
      from <= to ? minute >= from && minute < to : minute >= from || minute < to
    return {
      zone,
      quiet,
      targets: random.chance(0.2) ? 2 : 1,
      day: {
        id: i === 0 ? seller : `usr_${i}`,
        off,
        search: random.chance(0.3) ? (random.pick(['armchair', 'clock', 'lamp']) as string) : null,
        isQuiet: (at) => quiet !== null && lies(minuteAt(at), quiet),
        isNight: (at) => quiet === null && lies(minuteAt(at), { from: 22 * 60, to: 7 * 60 }),
      },
    }
  })
}

/** Everybody looks at some lots for some minutes, more often towards the end. */
function makeViews(
  random: SeededRandom,
  people: readonly Person[],
  histories: readonly ReturnType<typeof noticeHistory>[],
) {
  const minutes = new Map<number, { accountId: string; auctionId: string }[]>()
  const keys = new Set<string>()
  for (const { auctionId, events } of histories)
    for (const { day } of people) {
      if (!random.chance(0.15)) continue
      const from = Math.ceil((random.pick(events)?.at ?? FROM) / MINUTE) * MINUTE
      for (let at = from; at < from + random.int(1, 30) * MINUTE; at += MINUTE) {
        keys.add(`${day.id} ${auctionId} ${at}`)
        const all = minutes.get(at) ?? []
        all.push({ accountId: day.id, auctionId })
        minutes.set(at, all)
      }
    }
  return {
    at: (at: number) => minutes.get(at) ?? [],
    has: (accountId: string, auctionId: string, at: number) => keys.has(`${accountId} ${auctionId} ${at}`),
  }
}

function personOf(
  person: Omit<PersonDay, 'isViewing'>,
  has: (accountId: string, auctionId: string, at: number) => boolean,
): PersonDay {
  return {
    ...person,
    isViewing: (auctionId, at) => has(person.id, auctionId, Math.ceil(at / MINUTE) * MINUTE),
  }
}

/** As a receiver sees it that drops what it has already, by the id. */
function firstOfEach(received: readonly Received[]) {
  const seen = new Set<string>()
  const kept = new Map<string, Received[]>()
  for (const one of received) {
    if (seen.has(one.id)) continue
    seen.add(one.id)
    const key = `${one.notice.auctionId} ${one.target.channel === 'webhook' ? one.target.url : ''}`
    kept.set(key, [...(kept.get(key) ?? []), one])
  }
  return { of: (auctionId: string, url: string) => kept.get(`${auctionId} ${url}`) ?? [] }
}
