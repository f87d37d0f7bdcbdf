import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'csv-parse/sync'
import { Kysely } from 'kysely'
import { sqliteDialect } from '../../src/adapters/sql/sql-database.js'
import { SqlStatQueries } from '../../src/adapters/sql/sql-stat-queries.js'
import type { SqlTables } from '../../src/adapters/sql/sql-tables.js'
import { scopesOf } from '../../src/application/accounts/roles.js'
import { createClient } from '../../src/client/node.js'
import { type Caller, CallerError, type Role } from '../../src/ports/accounts/caller.js'
import type { EventFeed } from '../../src/ports/node/event-feed.js'
import type { StatFact } from '../../src/ports/store/stat-facts.js'
import { fillFacts } from '../support/consumers/fill-facts.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'

const DAY = 86_400_000
const T = Date.UTC(2026, 2, 28, 10)
const EUR = { code: 'EUR', exponent: 2 }
const SAM = { id: 'acc_sam', name: 'sam' }
const SUE = { id: 'acc_sue', name: 'sue' }
const BOB = { id: 'acc_bob', name: '=HYPERLINK("http://evil")' }

/** A node at which nothing happens. */
const FEED: EventFeed = {
  now: async () => '',
  follow: (_, __, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
}

function soldLot(auctionId: string, seller: typeof SAM, title: string, price: number): StatFact[] {
  const terms = { title, currency: EUR, startPrice: 1_000, opensAt: null, closesAt: T + DAY, hasReserve: false }
  const bid = { bidId: `bid_${auctionId}`, bidder: BOB, kind: 'plain', amount: price, price, leads: true } as const
  const result = { sold: true, winner: BOB, bidId: bid.bidId, price } as const
  return [
    { kind: 'opened', auctionId, seq: 1, at: T, seller, ...terms },
    { kind: 'bid', auctionId, seq: 2, at: T + 60_000, bid },
    { kind: 'ended', auctionId, seq: 3, at: T + DAY, result, by: 'end-time', reserve: null },
  ]
}

const FACTS = [...soldLot('auc_sam1', SAM, '-1+1', 2_550), ...soldLot('auc_sue1', SUE, 'Vase; "old"\nmap', 4_000)]

describe('the numbers that a gateway answers', () => {
  const { path, remove } = makeTempDir()
  const dialect = () => sqliteDialect(join(path, 'stats.db'))
  const stats = new SqlStatQueries({ db: new Kysely<SqlTables>({ dialect: dialect() }) }, { place: path })
  const api = {} as never
  let open: TestGateway
  let accounts: TestGateway

  const roles: Readonly<Record<string, readonly Role[]>> = {
    acc_sam: ['seller'],
    acc_ann: ['admin'],
    acc_bob: ['bidder'],
  }
  const authenticator = {
    async authenticate(credentials: { kind: string; token?: string; key?: string }): Promise<Caller> {
      const id = credentials.key ?? credentials.token ?? ''
      const found = roles[id]
      if (found === undefined) throw new CallerError('TOKEN_INVALID', 'unknown')
      return { party: { id, name: id }, roles: found, scopes: scopesOf(found) }
    },
  }
  const as = (id: string) => ({ authorization: `Bearer ${id}` })

  before(async () => {
    const db = new Kysely<SqlTables>({ dialect: dialect() })
    await fillFacts(db, FACTS)
    await db.destroy()
    open = await TestGateway.start({ api, feed: FEED }, {}, { stats })
    accounts = await TestGateway.start({ api, feed: FEED }, { auth: 'accounts' }, { stats, authenticator })
  })
  after(async () => {
    await open?.stop()
    await accounts?.stop()
    await stats.close()
    remove()
  })

  it('hold totals and steps of days in the time zone asked for', async () => {
    const query = 'from=2026-03-28T00:00:00%2B01:00&to=2026-03-30T00:00:00%2B02:00&by=day&time_zone=Europe/Berlin'
    const { status, body } = await open.get(`/api/v1/stats?${query}`)
    expect(status).to.equal(200)
    expect(body.totals).to.include({ opened: 2, bids: 2, bidders: 1, sold: 2, sell_through: 1 })
    expect(body.totals.median_first_bid_ms).to.equal(60_000)
    const [sum] = body.totals.sales
    expect(sum).to.include({ currency: 'EUR', hammer: '65.50', start: '20.00', hammer_to_start: 3.275 })
    const steps = body.steps.map(({ from, sold }: { from: string; sold: number }) => `${from} ${sold}`)
    expect(steps).to.deep.equal(['2026-03-27T23:00:00.000Z 0', '2026-03-28T23:00:00.000Z 2'])
  })

  it('are all there for everybody where names are taken on trust', async () => {
    const { body } = await open.get('/api/v1/stats/auctions')
    expect(body.auctions.map(({ auction_id }: { auction_id: string }) => auction_id)).to.have.length(2)
  })

  it('are those of their own auctions for sellers, and all for admins', async () => {
    const hammer = async (who: string, more = '') =>
      (await accounts.get(`/api/v1/stats?by=day${more}`, as(who))).body.totals.sales[0].hammer
    expect(await hammer('acc_sam')).to.equal('25.50')
    expect(await hammer('acc_ann')).to.equal('65.50')
    expect(await hammer('acc_ann', '&seller=acc_sue')).to.equal('40.00')
  })

  for (const route of ['', '/auctions', '/bidders', '/sellers', '/prices', '/tables/results']) {
    const query = route === '/prices' ? '&auction=auc_sue1' : ''
    it(`are refused to bidders, strangers and sellers who ask about others: /api/v1/stats${route}`, async () => {
      const ask = async (headers: Record<string, string>, more = '') =>
        (await accounts.get(`/api/v1/stats${route}?${more}${query}`, headers)).body.code
      expect(await ask({})).to.equal('UNAUTHENTICATED')
      expect(await ask(as('acc_bob'))).to.equal('FORBIDDEN')
      expect(await ask(as('acc_sam'), 'seller=acc_sue')).to.equal('FORBIDDEN')
    })
  }

  it("do not hold another seller's auction, by its id either", async () => {
    const { status, body } = await accounts.get('/api/v1/stats/prices?auction=auc_sue1', as('acc_sam'))
    expect([status, body.code]).to.deep.equal([404, 'AUCTION_NOT_FOUND'])
    const { auctions } = (await accounts.get('/api/v1/stats/auctions?auction=auc_sue1', as('acc_sam'))).body
    expect(auctions).to.deep.equal([])
  })

  it('come as CSV that spreadsheets open and run nothing of', async () => {
    const response = await fetch(`${accounts.url}/api/v1/stats/tables/results`, { headers: as('acc_ann') })
    expect(response.headers.get('content-disposition')).to.equal('attachment; filename="results.csv"')
    const bytes = new Uint8Array(await response.arrayBuffer())
    expect([...bytes.slice(0, 3)]).to.deep.equal([0xef, 0xbb, 0xbf])
    const text = new TextDecoder().decode(bytes)
    expect(text.split('\r\n')[0]).to.match(/^auction_id,title,seller_id/)
    const rows: Record<string, string>[] = parse(text, { columns: true })
    expect(rows.map(({ title }) => title)).to.deep.equal(["'-1+1", 'Vase; "old"\nmap'])
    expect(rows.map(({ winner }) => winner)).to.deep.equal([`'${BOB.name}`, `'${BOB.name}`])
    expect(rows.map(({ hammer_price }) => hammer_price)).to.deep.equal(['25.50', '40.00'])
  })

  it('come as lines of JSON, of the own auctions alone for sellers', async () => {
    const { body } = await accounts.get('/api/v1/stats/tables/bids?format=ndjson', as('acc_sam'))
    const lines = String(body)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).to.have.length(1)
    expect(lines[0]).to.include({ auction_id: 'auc_sam1', bidder: BOB.name, amount: '25.50', currency: 'EUR' })
  })

  it('are refused with the field and the rule where a request is wrong', async () => {
    const field = async (query: string) => {
      const { status, body } = await open.get(`/api/v1/stats?${query}`)
      return [status, body.field, body.code]
    }
    expect(await field('from=yesterday')).to.deep.equal([400, 'from', 'INVALID_INPUT'])
    expect(await field('time_zone=Mars/Base')).to.deep.equal([400, 'time_zone', 'INVALID_INPUT'])
    expect(await field('from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z')).to.deep.equal([
      400,
      'from',
      'INVALID_INPUT',
    ])
    expect(await field('from=2020-01-01T00:00:00Z&by=minute')).to.deep.equal([400, 'by', 'INVALID_INPUT'])
    expect(await field('auction=auc_unknown')).to.deep.equal([404, 'auction', 'AUCTION_NOT_FOUND'])
    expect(await field('auction=auc_s')).to.deep.equal([409, 'auction', 'AUCTION_AMBIGUOUS'])
  })

  it('say where there are none', async () => {
    const none = await TestGateway.start({ api, feed: FEED })
    try {
      const { status, body } = await none.get('/api/v1/stats')
      expect([status, body.code]).to.deep.equal([404, 'NO_STATISTICS'])
    } finally {
      await none.stop()
    }
  })

  it('come through the client', async () => {
    const client = createClient({ gateways: [open.url], userId: 'ann' } as never)
    try {
      expect((await client.stats.overview({ by: 'day' })).totals.sold).to.equal(2)
      expect((await client.stats.auctions({ limit: 1 })).next).to.be.a('string')
      expect((await client.stats.bidders())[0]).to.deep.include({ bids: 2, auctions: 2 })
      const { sales } = await client.stats.sellers({ seller: SUE.id })
      expect(sales.map(({ hammer }) => hammer)).to.deep.equal(['40.00'])
      const { steps } = await client.stats.prices('auc_sam1', { by: 'day' })
      expect(steps.at(-1)?.price).to.equal('25.50')
      expect(await client.stats.table('auctions')).to.contain('auc_sam1')
    } finally {
      client.close()
    }
  })
})
