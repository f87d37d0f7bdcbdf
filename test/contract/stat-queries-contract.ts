import { expect } from 'chai'
import fc from 'fast-check'
import { Kysely, sql } from 'kysely'
import { SqlStatQueries } from '../../src/adapters/sql/sql-stat-queries.js'
import type { SqlTables } from '../../src/adapters/sql/sql-tables.js'
import type { StatFact } from '../../src/ports/store/stat-facts.js'
import type { LotMark, RowMark, RowPage, StatFrame, StatQueries } from '../../src/ports/store/stat-queries.js'
import { seededCommits } from '../support/consumers/auction-commits.js'
import type { ConsumerDatabase } from '../support/consumers/consumer-databases.js'
import { factsOf } from '../support/consumers/consumer-house.js'
import { CountedFacts } from '../support/consumers/counted-facts.js'
import { fillFacts } from '../support/consumers/fill-facts.js'
import { BEGIN, LENGTH_MS, SELLERS, someFacts } from '../support/consumers/stat-facts.js'
import { codeOf } from './store-harness.js'

const ALL = { auctionId: null, sellerId: null }
const moments = fc
  .uniqueArray(fc.integer({ min: BEGIN, max: BEGIN + 1.5 * LENGTH_MS }), { minLength: 2, maxLength: 6 })
  .map((times) => times.sort((a, b) => a - b))
const scopes = fc.record({
  auctionId: fc.option(fc.constantFrom('auc_0', 'auc_1', 'auc_unknown')),
  sellerId: fc.option(fc.constantFrom(...SELLERS.map(({ id }) => id))),
})

export function describeStatQueries({ name, make }: ConsumerDatabase, runs: number): void {
  describe(`the numbers that ${name} answers with`, () => {
    let db: Kysely<SqlTables>
    let queries: StatQueries
    let dispose: () => Promise<void>
    beforeEach(async () => {
      const made = await make()
      db = new Kysely<SqlTables>({ dialect: made.dialect })
      queries = new SqlStatQueries({ db }, { place: 'a test' })
      dispose = made.dispose
    })
    afterEach(async () => {
      await queries.close()
      await dispose()
    })

    const fill = async (facts: readonly StatFact[]): Promise<CountedFacts> => {
      await fillFacts(db, facts)
      return new CountedFacts(facts)
    }
    const holds = (property: (facts: StatFact[], edges: number[], scope: typeof ALL) => Promise<void>) =>
      fc.assert(fc.asyncProperty(someFacts, moments, scopes, property as never), { numRuns: runs })
    const frameOf = (edges: readonly number[], scope: typeof ALL): StatFrame => ({
      ...scope,
      from: edges[0] as number,
      to: edges.at(-1) as number,
    })

    it('counts each step of time as counting fact by fact does, with exact sums of each currency', () =>
      holds(async (facts, edges, scope) => {
        const counted = await fill(facts)
        expect(await queries.steps(scope, edges)).to.deep.equal(counted.steps(scope, edges))
      }))

    it('finds the median time to the first bid', () =>
      holds(async (facts, edges, scope) => {
        const counted = await fill(facts)
        const frame = frameOf(edges, scope)
        expect(await queries.medianFirstBidMs(frame)).to.equal(counted.medianFirstBidMs(frame))
      }))

    it('lists each auction that ran within the frame once, over pages of any size', () =>
      holds(async (facts, edges, scope) => {
        const counted = await fill(facts)
        const frame = frameOf(edges, scope)
        const found = []
        let after: LotMark | null = null
        do {
          const page = await queries.lots(frame, { limit: 2, after })
          found.push(...page.lots)
          after = page.next
        } while (after !== null)
        expect(
          found.map(({ auctionId, bids, bidders, price, firstBidAt, extensions, ending }) => {
            return { auctionId, bids, bidders, price, firstBidAt, extensions, endedAt: ending?.at ?? null }
          }),
        ).to.deep.equal(counted.lots(frame))
      }))

    it('ranks bidders by their bids, with what they won', () =>
      holds(async (facts, edges, scope) => {
        const counted = await fill(facts)
        const frame = frameOf(edges, scope)
        const found = (await queries.bidders(frame, 100)).map(({ bidder, bids, auctions, won }) => ({
          id: bidder.id,
          bids,
          auctions,
          won: won.map(({ sold, hammer, currency }) => `${sold} for ${hammer} ${currency.code}`),
        }))
        expect(found).to.have.deep.members(counted.bidders(frame))
        expect(found.map(({ bids }) => bids)).to.deep.equal(found.map(({ bids }) => bids).sort((a, b) => b - a))
      }))

    it('adds up what each seller sold in each step', () =>
      holds(async (facts, edges, scope) => {
        const counted = await fill(facts)
        const found = (await queries.sellers(scope, edges, 1_000)).map(
          ({ from, seller, currency, sold, hammer }) => `${from} ${seller.id} ${currency.code} ${sold} ${hammer}`,
        )
        expect(found.sort()).to.deep.equal(counted.sellers(scope, edges))
      }))

    it('says the price at the end of each step, that of bids before the first one too', () =>
      holds(async (facts, edges) => {
        const counted = await fill(facts)
        expect(await queries.prices('auc_0', edges)).to.deep.equal(counted.prices('auc_0', edges))
      }))

    it('lists auctions, bids and results in the order of time', () =>
      holds(async (facts, edges, scope) => {
        const counted = await fill(facts)
        const frame = frameOf(edges, scope)
        const { rows: auctions } = await queries.auctionRows(frame, null)
        const { rows: bids } = await queries.bidRows(frame, null)
        const { rows: results } = await queries.resultRows(frame, null)
        const shown = (rows: readonly { auctionId: string }[], at: (row: never) => unknown) =>
          rows.map((row) => `${row.auctionId} ${at(row as never)}`)
        expect(shown(auctions, ({ openedAt }) => openedAt)).to.deep.equal(counted.rows('opened', frame))
        expect(shown(bids, ({ at }) => at)).to.deep.equal(counted.rows('bid', frame))
        expect(shown(results, ({ ending }) => (ending as { at: number }).at)).to.deep.equal(
          counted.rows('ended', frame),
        )
      }))

    it('says what the events of whole auctions come to', async () => {
      const facts = factsOf(seededCommits('numbers', 60))
      const counted = await fill(facts)
      const bounds = await queries.bounds(ALL)
      expect(bounds).to.deep.equal({
        first: Math.min(...facts.map(({ at }) => at)),
        last: Math.max(...facts.map(({ at }) => at)),
      })
      const edges = Array.from({ length: 60 }, (_, i) => (bounds?.first ?? 0) + i * 3_600_000)
      expect(await queries.steps(ALL, edges)).to.deep.equal(counted.steps(ALL, edges))
    })

    it('reads a long list page by page, and misses and repeats nothing where many happened at the same moment', async () => {
      const [opened] = someOpened()
      const bids: StatFact[] = Array.from({ length: 2_500 }, (_, i) => ({
        kind: 'bid',
        auctionId: 'auc_0',
        seq: i + 2,
        at: BEGIN + Math.floor(i / 1_100),
        bid: { bidId: `bid_${i}`, bidder: SELLERS[0] as never, kind: 'plain', amount: 1, price: i + 1, leads: true },
      }))
      await fill([opened as StatFact, ...bids])
      const seen: string[] = []
      let after: RowMark | null = null
      do {
        const page: RowPage<{ bidId: string }> = await queries.bidRows(frameOf([0, BEGIN * 2], ALL), after)
        seen.push(...page.rows.map(({ bidId }) => bidId))
        after = page.next
      } while (after !== null)
      expect(seen).to.deep.equal(bids.map((fact) => (fact.kind === 'bid' ? fact.bid.bidId : '')))
    })

    it('finds auctions by the start of their ids', async () => {
      const [opened] = someOpened()
      await fill(['auc_a1', 'auc_a2', 'auc_b1'].map((auctionId) => ({ ...(opened as StatFact), auctionId })))
      expect(await queries.find('auc_a', 5)).to.deep.equal(['auc_a1', 'auc_a2'])
      expect(await queries.find('auc_', 2)).to.have.length(2)
      expect(await queries.find('auc%', 5)).to.deep.equal([])
    })

    it('answers with nothing where nothing was computed yet', async () => {
      expect(await queries.bounds(ALL)).to.equal(null)
      const [step] = await queries.steps(ALL, [0, 1])
      expect(step).to.include({ opened: 0, bids: 0, sold: 0 })
      expect(await queries.lots(frameOf([0, 1], ALL), { limit: 1, after: null })).to.deep.equal({
        lots: [],
        next: null,
      })
    })

    it('refuses a database that a later version has changed', async () => {
      await queries.open()
      await sql`INSERT INTO stat_migrations (name, timestamp) VALUES ('9999-later', '2030')`.execute(db)
      const another = new SqlStatQueries({ db }, { place: 'a test' })
      expect(await codeOf(another.bounds(ALL))).to.equal('STATS_DB_VERSION')
    })
  })
}

function someOpened(): StatFact[] {
  const terms = { title: 'a lot', currency: { code: 'USD', exponent: 2 }, startPrice: 1, opensAt: null, closesAt: null }
  const seller = SELLERS[0] as (typeof SELLERS)[number]
  return [{ kind: 'opened', auctionId: 'auc_0', seq: 1, at: BEGIN, seller, hasReserve: false, ...terms }]
}
