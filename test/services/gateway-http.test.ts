import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  auctionSchema,
  bidSchema,
  outcomeSchema,
  problemSchema,
  receiptResources,
} from '../../src/adapters/http/resources.js'
import { addWhole } from '../../src/application/pictures/picture-transfer.js'
import { readLines } from '../../src/application/proof/export-format.js'
import { CallerError } from '../../src/ports/accounts/caller.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { ReceiptsRequest } from '../../src/ports/node/node-requests.js'
import { eventually } from '../support/eventually.js'
import { PNG } from '../support/pictures.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

describe("a gateway's HTTP API", () => {
  let mesh: TestMesh
  let gateway: TestGateway

  before(async () => {
    mesh = await createTestMesh(2)
    gateway = await TestGateway.start(mesh.nodes[0]!)
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  const refused = (answer: { status: number; headers: Headers; body: unknown }, status: number, code: string) => {
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status)
    expect(answer.headers.get('content-type')).to.match(/^application\/problem\+json/)
    const problem = problemSchema.parse(answer.body)
    expect(problem.code).to.equal(code)
    expect(problem.next, 'what to do').to.be.a('string')
    return problem
  }

  it('takes currencies, times and amounts as the command line does', async () => {
    const opened = await gateway.post('/api/v1/auctions', {
      title: 'Lot',
      currency: 'btc',
      start_price: 0.0000005,
      increment: 1e-7,
      user_id: 'sam',
      opens_at: '2031-01-31T18:00Z',
      closes_at: '2031-01-31 20:00+01:00',
      description: 'a\r\nb',
    })
    expect(opened.body).to.include({
      currency: 'BTC',
      start_price: '0.0000005',
      description: 'a\nb',
      opens_at: '2031-01-31T18:00:00.000Z',
      closes_at: '2031-01-31T19:00:00.000Z',
    })
    expect(opened.body.increments).to.deep.equal([{ from: '0.00', step: '0.0000001' }])
    const noZone = await gateway.post('/api/v1/auctions', {
      title: 'Lot',
      currency: 'EUR',
      start_price: 1,
      opens_at: '2031-01-31T18:00',
    })
    expect(refused(noZone, 400, 'INVALID_INPUT').detail).to.contain('no time zone')
    const reasons = await gateway.post(`/api/v1/auctions/${opened.body.id}/cancel`, {
      user_id: 'sam',
      reason: 'two\nlines',
    })
    expect(refused(reasons, 400, 'INVALID_INPUT').field).to.equal('reason')
  })

  it("takes the documented calls of a Go auction server's REST API word for word", async () => {
    const opened = await gateway.post('/api/v1/auctions', {
      start_time: '2020-01-01T10:00:00Z',
      end_time: new Date(Date.now() + 3_600_000).toISOString(),
      starting_bid: 100.0,
    })
    expect(opened.status).to.equal(201)
    const { id } = opened.body
    expect(opened.headers.get('location')).to.equal(`/api/v1/auctions/${id}`)
    const shown = await gateway.get(`/api/v1/auctions/${id}`)
    expect(shown.body).to.include({
      id,
      status: 'open',
      starting_bid: '100.00',
      currency: 'USD',
      current_bid: null,
    })
    const extended = await gateway.post(`/api/v1/auctions/${id}/extend`)
    expect(extended.status).to.equal(200)
    const later = Date.parse(extended.body.auction.end_time) - Date.parse(shown.body.end_time)
    expect(later).to.equal(30_000)
    expect((await gateway.get('/health')).body).to.include({ status: 'ok', auth: 'open' })
  })

  it('answers in the shapes that its documentation promises', async () => {
    const id = await gateway.open({ reserve: '50', buy_now: '90', closes_in_seconds: 60, soft_close: null })
    const auction = (await gateway.get(`/api/v1/auctions/${id}`)).body
    expect(auctionSchema.strict().parse(auction), 'nothing is left undocumented').to.deep.equal(auction)
    const { body: placed } = await gateway.bid(id, 'anna', 12)
    const { bid_id, ...outcome } = outcomeSchema.parse(placed)
    expect(outcomeSchema.strict().parse(outcome)).to.deep.equal(outcome)
    expect(bid_id).to.equal(placed.command_id)
    const { body: closed } = await gateway.post(`/api/v1/auctions/${id}/close`, { user_id: 'sam' })
    expect(auctionSchema.strict().parse(closed.auction)).to.deep.equal(closed.auction)
    const { bids } = (await gateway.get(`/api/v1/auctions/${id}/bids`)).body
    expect(bids.map((bid: unknown) => bidSchema.strict().parse(bid))).to.deep.equal(bids)
    const { body } = await gateway.get('/docs/json')
    expect(body.openapi).to.equal('3.1.0')
    const paths = ['/api/v1/auctions', '/api/v1/auctions/{id}/bids', '/api/v1/me/bids', '/api/v1/events', '/ready']
    expect(body.paths).to.include.keys(paths)
  })

  it('opens with every term, keeps the reserve secret, and opens nothing twice under one key', async () => {
    const end = new Date(Date.now() + 3_600_000)
    const terms = {
      title: 'A chair',
      description: 'Oak',
      start_price: '20.00',
      currency: 'EUR',
      reserve: '60.00',
      increment: '0:5,100:10',
      buy_now: 90,
      closes_at: end.toISOString(),
      user_id: 'sam',
      soft_close: { window_ms: 30_000, extension_ms: 60_000 },
    }
    const first = await gateway.post('/api/v1/auctions', terms, { 'idempotency-key': 'open-1' })
    const again = await gateway.post('/api/v1/auctions', terms, { 'idempotency-key': 'open-1' })
    expect(again.body.id).to.equal(first.body.id)
    expect(first.body).to.deep.include({
      title: 'A chair',
      currency: 'EUR',
      buy_now: '90.00',
      has_reserve: true,
      you: 'seller',
      seller: { id: 'guest:sam', name: 'sam' },
      soft_close: { window_ms: 30_000, extension_ms: 60_000, hard_stop_at: null },
      closes_at: end.toISOString(),
    })
    expect(JSON.stringify(first.body)).not.to.contain('60.00')
  })

  it('bids once for one key, however often it is sent, and refuses the key for another bid', async () => {
    const id = await gateway.open()
    const path = `/api/v1/auctions/${id}/bids`
    const send = (amount: string, user_id = 'anna') =>
      gateway.post(path, { amount, user_id }, { 'idempotency-key': 'b-1' })
    const answers = await Promise.all([send('10'), send('10'), send('10')])
    expect(new Set(answers.map(({ body }) => `${body.seq} ${body.bid_id}`)).size).to.equal(1)
    expect(answers[0]?.body).to.include({ status: 'accepted', leads: true, price: '10.00', currency: 'EUR' })
    refused(await send('12'), 422, 'COMMAND_ID_REUSED')
    // Another party's key of the same name is another key.
    expect((await send('11', 'ben')).status).to.equal(201)
    expect((await gateway.get(path)).body.bids).to.have.length(2)
  })

  it('says which rule refused a bid, with the numbers and what to do', async () => {
    const id = await gateway.open()
    await gateway.bid(id, 'anna', '20')
    const low = refused(await gateway.bid(id, 'ben', '20.50'), 409, 'BID_TOO_LOW')
    expect(low).to.include({
      minimum: '21.00',
      price: '20.00',
      currency: 'EUR',
      next: 'Bid 21.00 EUR or more.',
    })
    refused(await gateway.bid(id, 'anna', '22'), 409, 'ALREADY_LEADING')
    refused(await gateway.bid(id, 'sam', '22'), 403, 'OWN_AUCTION')
    refused(await gateway.bid(id, 'ben', '22.001'), 400, 'INVALID_INPUT')
    const unknown = refused(await gateway.post(`/api/v1/auctions/${id}/bids`, { amount: 5 }), 401, 'UNAUTHENTICATED')
    expect(unknown.next).to.contain('user_id')
  })

  it('shows each user how they stand: leading, outbid, won, lost', async () => {
    const [won, led] = [await gateway.open({ title: 'W' }), await gateway.open({ title: 'L' })]
    for (const id of [won, led]) {
      await gateway.bid(id, 'uma', '10')
      await gateway.bid(id, 'vic', '11')
    }
    await gateway.post(`/api/v1/auctions/${won}/close`, { user_id: 'sam' })
    const standings = async (user: string, query = '') => {
      const { body } = await gateway.get(`/api/v1/me/bids?user_id=${user}${query}`)
      return body.auctions.map(({ title, you }: { title: string; you: string }) => `${title} ${you}`)
    }
    expect(await standings('vic')).to.deep.equal(['L leading', 'W won'])
    expect(await standings('uma')).to.deep.equal(['L outbid', 'W lost'])
    expect(await standings('uma', '&standing=lost')).to.deep.equal(['W lost'])
    expect(await standings('nobody')).to.deep.equal([])
    const mine = (await gateway.get('/api/v1/me/auctions?user_id=sam&limit=2')).body
    expect(mine.auctions.map(({ title }: { title: string }) => title)).to.deep.equal(['L', 'W'])
  })

  it('lists with filters, search, mandate and pages', async () => {
    const late = await gateway.open({ title: 'Needle late', closes_in_seconds: 7_200 })
    const soon = await gateway.open({ title: 'Needle soon', closes_in_seconds: 3_700 })
    const closed = await gateway.open({ title: 'needle closed', user_id: 'kim' })
    await gateway.post(`/api/v1/auctions/${closed}/close`, { user_id: 'kim' })
    const ids = async (query: string) =>
      (await gateway.get(`/api/v1/auctions?q=needle&${query}`)).body.auctions.map(({ id }: { id: string }) => id)
    expect(await ids('')).to.deep.equal([closed, soon, late])
    expect(await ids('status=open')).to.deep.equal([soon, late])
    expect(await ids('status=closed,cancelled')).to.deep.equal([closed])
    expect(await ids('sort=ending')).to.deep.equal([soon, late])
    expect(await ids('seller=guest:kim')).to.deep.equal([closed])
    const page = (await gateway.get('/api/v1/auctions?q=needle&limit=1')).body
    expect(await ids(`limit=1&cursor=${page.next}`)).to.deep.equal([soon])
    expect(page.next).to.contain(closed)
    for (const cursor of ['auc_unknown', closed, page.next.replace('newest', 'ending'), `${page.next}.1`, 'anon.7']) {
      const answer = await gateway.get(`/api/v1/auctions?cursor=${cursor}`)
      expect(refused(answer, 400, 'INVALID_INPUT').field, cursor).to.equal('cursor')
    }
    for (const path of ['/api/v1/me/bids', '/api/v1/me/auctions'])
      refused(await gateway.get(`${path}?user_id=kim&cursor=anon.7`), 400, 'INVALID_INPUT')
    const plain = (await gateway.get('/auctions')).body
    expect(plain).to.be.an('array')
    expect(plain.map(({ id }: { id: string }) => id))
      .to.include.members([soon, late])
      .and.not.include(closed)
  })

  it('opens nothing twice where the start time has come between the first try and the next', async () => {
    const start = Date.now() + 1_500
    const terms = { starting_bid: '100', start_time: new Date(start).toISOString(), user_id: 'sam' }
    const key = { 'idempotency-key': 'late-start' }
    const first = await gateway.post('/api/v1/auctions', terms, key)
    expect(first.body).to.include({ status: 'scheduled' })
    await eventually('the start time has come', () => Date.now() > start)
    const again = await gateway.post('/api/v1/auctions', terms, key)
    expect(again.body).to.include({ id: first.body.id, command_id: first.body.command_id })
    refused(await gateway.post('/api/v1/auctions', { ...terms, starting_bid: '99' }, key), 422, 'COMMAND_ID_REUSED')
  })

  it('adds what extend adds to the end as its home knows it, once for one key', async () => {
    const id = await gateway.open({ closes_in_seconds: 600 })
    const end = async () => Date.parse((await gateway.get(`/api/v1/auctions/${id}`)).body.end_time)
    const before = await end()
    const more = (key: string) =>
      gateway.post(`/api/v1/auctions/${id}/extend`, { user_id: 'sam', by_seconds: 60 }, { 'idempotency-key': key })
    const [first] = await Promise.all([more('one'), more('two')])
    expect(await end()).to.equal(before + 120_000)
    const again = await more('one')
    expect([again.status, again.body.seq]).to.deep.equal([200, first.body.seq])
    expect(await end()).to.equal(before + 120_000)
  })

  it('says in GET /auctions that there are more, and where', async () => {
    const opened: string[] = []
    for (let i = 0; i < 5; i++) opened.unshift(await gateway.open({ title: `Plain ${i}` }))
    const seen: string[] = []
    let path: string | undefined = '/auctions?limit=2'
    for (let pages = 0; path !== undefined && pages < 3; pages++) {
      const { body, headers } = await gateway.get(path)
      seen.push(...body.map(({ id }: { id: string }) => id))
      path = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
    }
    expect(seen.slice(0, 5)).to.deep.equal(opened)
    expect((await gateway.get('/auctions?limit=1000')).headers.get('link')).to.equal(null)
  })

  it('names a next page of bids where there is one, and nowhere else', async () => {
    const id = await gateway.open()
    for (const [i, name] of ['anna', 'ben', 'anna', 'ben'].entries()) await gateway.bid(id, name, 10 + i)
    const page = async (query: string) => (await gateway.get(`/api/v1/auctions/${id}/bids?${query}`)).body
    const first = await page('limit=2')
    expect(first.next).to.equal(first.bids[1].seq)
    const second = await page(`limit=2&before_seq=${first.next}`)
    expect(second.bids).to.have.length(2)
    expect(second.next).to.equal(null)
    expect((await page('')).next).to.equal(null)
    expect((await page('before_seq=1')).next).to.equal(null)
  })

  it('goes on by end where the last auction of a page has been sold or extended since', async () => {
    const [first, sold, moved, last] = await Promise.all(
      [61, 62, 63, 64].map((minutes) => gateway.open({ title: 'Thimble', closes_in_seconds: minutes * 60 })),
    )
    const page = async (query: string) => (await gateway.get(`/api/v1/auctions?q=thimble&sort=ending&${query}`)).body
    const [two, three] = [await page('limit=2'), await page('limit=3')]
    await gateway.post(`/api/v1/auctions/${sold}/close`, { user_id: 'sam' })
    await gateway.post(`/api/v1/auctions/${moved}/extend`, { user_id: 'sam', by_seconds: 600 })
    const ids = async (cursor: string) => (await page(`cursor=${cursor}`)).auctions.map(({ id }: { id: string }) => id)
    expect(two.auctions[0].id).to.equal(first)
    expect(await ids(two.next)).to.deep.equal([last, moved])
    expect(await ids(three.next)).to.deep.equal([last, moved])
  })

  it('lets sellers, and nobody else, close, cancel and extend', async () => {
    const id = await gateway.open({ closes_in_seconds: 600 })
    for (const command of ['close', 'cancel', 'extend'])
      refused(await gateway.post(`/api/v1/auctions/${id}/${command}`, { user_id: 'eve' }), 403, 'NOT_SELLER')
    const { body } = await gateway.post(`/api/v1/auctions/${id}/extend`, { user_id: 'sam', by_seconds: 60 })
    expect(body.auction.status).to.equal('open')
    const past = { user_id: 'sam', closes_at: '2020-01-01T00:00:00Z' }
    refused(await gateway.post(`/api/v1/auctions/${id}/extend`, past), 409, 'EXTENSION_NOT_LATER')
    const cancelled = await gateway.post(`/api/v1/auctions/${id}/cancel`, {
      user_id: 'sam',
      reason: 'broken',
    })
    expect(cancelled.body.auction).to.include({ status: 'cancelled', cancel_reason: 'broken' })
    refused(await gateway.post(`/api/v1/auctions/${id}/close`, { user_id: 'sam' }), 409, 'AUCTION_CANCELLED')
  })

  it('buys now', async () => {
    const id = await gateway.open({ buy_now: '40' })
    const bought = await gateway.post(`/api/v1/auctions/${id}/buy-now`, { user_id: 'anna' })
    expect(bought.body.auction).to.include({ status: 'closed', current_winner: 'anna', current_bid: '40.00' })
    refused(await gateway.post(`/api/v1/auctions/${id}/buy-now`, { user_id: 'ben' }), 409, 'AUCTION_CLOSED')
  })

  it('answers HEAD for everything that it answers GET for, without a body, and reads no log for it', async () => {
    const picture = await addWhole(mesh.nodes[0]!.api, PNG)
    const id = await gateway.open({ pictures: [{ hash: picture.hash }] })
    const { body } = await gateway.get('/docs/json')
    const paths = Object.entries(body.paths as Record<string, object>)
      // Anna has neither sold nor does she run the node, which computes no statistics here.
      .filter(([path, methods]) => 'get' in methods && !/\/(winner|auto-bids)$|^\/api\/v1\/stats/.test(path))
      .map(([path]) => `${path.replace('{id}', id).replace('{hash}', picture.hash)}?user_id=anna`)
    expect(paths.join(' ')).to.contain('/api/v1/events').and.to.contain('/log')
    for (const path of [...paths, `/api/v1/events?auction=${id}`]) {
      const signal = AbortSignal.timeout(5_000)
      const head = await fetch(gateway.url + path, { method: 'HEAD', signal })
      expect([path, head.status, await head.text()]).to.deep.equal([path, 200, ''])
    }
    const stream = await fetch(`${gateway.url}/api/v1/events`, { method: 'HEAD' })
    expect(stream.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8')
    expect(gateway.gateway.services.parts.streams.size).to.equal(0)
  })

  it('streams a log that proves itself', async () => {
    const id = await gateway.open()
    await gateway.bid(id, 'anna', '10')
    const { headers, body } = await gateway.get(`/api/v1/auctions/${id}/log`)
    expect(headers.get('content-disposition')).to.contain(`${id}.vendue`)
    const lines: Readonly<Record<string, unknown>>[] = []
    for await (const line of readLines(Readable.from([Buffer.from(body)]))) lines.push(line.content)
    expect(lines.at(0)).to.include({ format: 'vendue-export', auctionId: id })
    expect(lines.at(-1)).to.include({ end: 'vendue-export', events: 2 })
  })

  it('shows receipts to their owner alone, and nothing of who was signed for with them', async () => {
    const id = await gateway.open()
    const receipt = (name: string, amount: number) => ({
      command: {
        type: 'PlaceBid' as const,
        auctionId: id,
        commandId: `bid_${name}0001`,
        kind: 'plain' as const,
        amount,
        bidder: { id: `guest:${name}`, name },
      },
      outcome: { status: 'accepted' as const, commandId: `bid_${name}0001`, auctionId: id, seq: 2, at: 1 },
    })
    const home = { nodeId: 'node_home', publicKey: 'key' }
    const together = {
      home,
      signedAt: 1,
      signature: 'both',
      receipts: [receipt('anna', 7_777), receipt('ben', 6_666)],
    }
    const alone = { home, signedAt: 2, signature: 'one', receipts: [receipt('ben', 8_888)] }
    const ofBen = receiptResources([together, alone], 'guest:ben') as { signature: string | null }[]
    expect(ofBen.map(({ signature }) => signature)).to.deep.equal([null, 'one'])
    expect(JSON.stringify(ofBen)).not.to.contain('7777').and.not.to.contain('anna')
    expect((await gateway.get(`/api/v1/auctions/${id}/receipts?user_id=eve`)).body.receipts).to.deep.equal([])
    const asked: unknown[] = []
    const api = new Proxy(mesh.nodes[0]!.api, {
      get(node, name: keyof NodeApi) {
        if (name !== 'receipts') return node[name].bind(node)
        return (request: ReceiptsRequest) => {
          asked.push(request)
          return node.receipts(request)
        }
      },
    })
    const watched = await TestGateway.start({ api })
    try {
      await watched.get(`/api/v1/auctions/${id}/receipts?user_id=eve`)
      expect(asked, "nobody else's are read").to.deep.equal([{ auction: id, party: 'guest:eve', after: 0 }])
    } finally {
      await watched.stop()
    }
    refused(await gateway.get(`/api/v1/auctions/${id}/receipts`), 401, 'UNAUTHENTICATED')
  })

  it("never shows the node's own user's limits or standing", async () => {
    const { outcome } = await mesh.nodes[1]!.api.open({
      commandId: 'cmd_gateway02',
      title: 'Limits',
      currency: 'EUR',
      start: '5',
    })
    const id = outcome.auctionId
    const node = mesh.nodes[0]!
    await eventually('the node knows of it', async () => (await gateway.get(`/api/v1/auctions/${id}`)).status === 200)
    await node.api.autoBid({ auction: id, limit: '33.33' })
    await eventually('the node has bid', async () => (await node.api.show({ auction: id })).mine === 'leading')
    const { body } = await gateway.get(`/api/v1/auctions/${id}`)
    expect(body.you).to.equal(null)
    expect(JSON.stringify(body)).not.to.contain('33.33').and.not.to.contain('auto_bid')
    // Names are taken on trust here: nobody has shown that they run the node.
    const asked = await gateway.get('/api/v1/auto-bids?user_id=anna')
    expect(asked.body.code).to.equal('FORBIDDEN')
  })

  it('shows itself, its node and its peers', async () => {
    expect((await gateway.get('/ready')).body.status).to.equal('ready')
    expect((await gateway.get('/api/v1/peers')).body.peers).to.have.length(1)
    const node = (await gateway.get('/api/v1/node')).body
    expect(node.peer_changes[0]).to.include({ state: 'alive', why: 'proven' })
    expect(node.sync.state).to.be.oneOf(['synced', 'syncing'])
    expect(node).to.not.have.any.keys('data_dir', 'pid')
    expect((await gateway.get('/api/v1/me?user_id=anna')).body).to.include({ id: 'guest:anna', auth: 'open' })
    const { body } = await gateway.get('/metrics')
    expect(body).to.match(/vendue_bids_total\{outcome="accepted",code="",path="http"\} \d+/)
    expect(body).to.match(/vendue_peers\{state="alive"\} 1/)
    expect(body).to.contain('vendue_event_loop_lag_p99_seconds')
  })

  describe('refuses what it cannot use:', () => {
    const cases: [string, () => Promise<{ status: number; headers: Headers; body: unknown }>, number, string][] = [
      ['no JSON', () => gateway.post('/api/v1/auctions', '{"a":'), 400, 'INVALID_JSON'],
      ['an unknown field', () => gateway.post('/api/v1/auctions', { start_price: 1, sart: 2 }), 400, 'INVALID_INPUT'],
      ['no start price', () => gateway.post('/api/v1/auctions', {}), 422, 'TERMS_INVALID'],
      [
        'two names for one thing',
        () => gateway.post('/api/v1/auctions', { start_price: 1, starting_bid: 1 }),
        400,
        'INVALID_INPUT',
      ],
      [
        'an unknown currency',
        () => gateway.post('/api/v1/auctions', { start_price: 1, currency: 'XYZW' }),
        400,
        'INVALID_INPUT',
      ],
      [
        'an end in the past',
        () => gateway.post('/api/v1/auctions', { start_price: 1, end_time: '2001-01-01T00:00:00Z' }),
        422,
        'TERMS_INVALID',
      ],
      [
        'a time that is none',
        () => gateway.post('/api/v1/auctions', { start_price: 1, end_time: 'soon' }),
        400,
        'INVALID_INPUT',
      ],
      ['an unknown auction', () => gateway.get('/api/v1/auctions/auc_nosuch'), 404, 'AUCTION_NOT_FOUND'],
      ['an id that is none', () => gateway.get('/api/v1/auctions/a%20b'), 400, 'INVALID_INPUT'],
      ['an unknown status', () => gateway.get('/api/v1/auctions?status=odd'), 400, 'INVALID_INPUT'],
      ['a limit too high', () => gateway.get('/api/v1/auctions?limit=1001'), 400, 'INVALID_INPUT'],
      [
        'filters that exclude each other',
        () => gateway.get('/api/v1/auctions?seller=a&bidder=b'),
        400,
        'INVALID_INPUT',
      ],
      ['an unknown place', () => gateway.get('/nowhere'), 404, 'NOT_FOUND'],
      [
        'another kind of body',
        () => gateway.post('/api/v1/auctions', 'a=1', { 'content-type': 'text/plain' }),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      ],
      [
        'a body too large',
        () => gateway.post('/api/v1/auctions', { title: 'x'.repeat(200_000) }),
        413,
        'BODY_TOO_LARGE',
      ],
      ['a name that is none', () => gateway.get(`/api/v1/me?user_id=${'x'.repeat(65)}`), 401, 'UNAUTHENTICATED'],
      [
        'a key that is none',
        () => gateway.post('/api/v1/auctions', { start_price: 1 }, { 'idempotency-key': 'a b' }),
        400,
        'INVALID_INPUT',
      ],
      [
        'pages of other origins',
        () => gateway.post('/api/v1/auctions', {}, { origin: 'http://elsewhere.example' }),
        403,
        'ORIGIN_NOT_ALLOWED',
      ],
      ['a cursor that is none', () => gateway.get('/api/v1/events?cursor=x'), 400, 'INVALID_INPUT'],
    ]
    for (const [what, send, status, code] of cases) {
      it(what, async () => {
        refused(await send(), status, code)
      })
    }

    it('other host names, which a page elsewhere could point at this machine', async () => {
      const { hostname, port } = new URL(gateway.url)
      const socket = connect(Number(port), hostname)
      socket.end('GET /auctions HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n')
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      await once(socket, 'close')
      expect(Buffer.concat(chunks).toString())
        .to.match(/^HTTP\/1.1 403 /)
        .and.to.contain('HOST_NOT_ALLOWED')
    })

    it('what is no HTTP', async () => {
      const { hostname, port } = new URL(gateway.url)
      const socket = connect(Number(port), hostname)
      socket.end('\x16\x03\x01 hello\r\n\r\n')
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      await once(socket, 'close')
      expect(Buffer.concat(chunks).toString())
        .to.match(/^HTTP\/1.1 400 /)
        .and.to.contain('BAD_REQUEST')
    })
  })

  it('answers nothing with 500, whatever it is sent', async () => {
    const id = await gateway.open()
    const paths = ['', '/bids', '/close', '/cancel', '/extend', '/buy-now', '/nothing'].map((end) => `/${id}${end}`)
    const path = fc.constantFrom('', ...paths, '/x', '/auc_%00').map((end) => `/api/v1/auctions${end}`)
    const keys = ['amount', 'kind', 'user_id', 'bid_id', 'start_price', 'closes_at', 'currency', 'reason', 'soft_close']
    const body = fc.oneof(
      fc.dictionary(fc.constantFrom(...keys), fc.jsonValue(), { maxKeys: 5 }),
      fc.jsonValue({ maxDepth: 8 }),
    )
    await fc.assert(
      fc.asyncProperty(path, body, fc.string({ maxLength: 20 }), async (where, what, query) => {
        const posted = await gateway.post(where, what)
        expect(posted.status, `POST ${where} ${JSON.stringify(what)}`).to.be.lessThan(500)
        const got = await gateway.get(`${where}?cursor=${encodeURIComponent(query)}`)
        expect(got.status, `GET ${where} ${query}`).to.be.lessThan(500)
      }),
      { numRuns: 150 },
    )
    expect((await gateway.get('/health')).status).to.equal(200)
  })
})

describe('a gateway with accounts', () => {
  let mesh: TestMesh
  let gateway: TestGateway

  before(async () => {
    mesh = await createTestMesh(1)
    gateway = await TestGateway.start(
      mesh.nodes[0]!,
      {},
      {
        authenticator: {
          async authenticate(credentials) {
            const secret = credentials.kind === 'api-key' ? credentials.key : credentials.token
            const [name = '', role = 'bidder'] = secret.split('.')
            if (name === 'bad') throw new CallerError('TOKEN_INVALID', 'the token is not good')
            const scopes = role === 'bidder' ? ['read', 'bid'] : ['read', 'bid', 'sell', 'admin']
            const party = { id: `usr_${name}`, name }
            return { party, roles: [role as 'bidder'], scopes: scopes as ['read'] }
          },
        },
        guard: {
          bid: ({ accountId }) => {
            if (accountId === 'usr_fast') throw Object.assign(new Error('too fast'), LIMIT)
          },
          picture: () => {},
          callFrom: () => {},
          callBy: () => {},
          hold: () => ({ add() {}, become() {}, release() {} }),
          held: () => 0,
          refusals: new Map(),
        },
      },
    )
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  const LIMIT = {
    code: 'TOO_MANY_REQUESTS',
    limit: 'bids_per_account',
    retryAfterSeconds: 7,
    next: 'try again in 7 s',
  }
  const as = (name: string) => ({ authorization: `Bearer ${name}` })

  it('believes tokens and keys, and no names', async () => {
    const terms = { start_price: 10, currency: 'EUR' }
    expect((await gateway.post('/api/v1/auctions', { ...terms, user_id: 'sam' })).status).to.equal(401)
    expect((await gateway.post('/api/v1/auctions', terms, as('anna'))).body.code).to.equal('FORBIDDEN')
    const { body } = await gateway.post('/api/v1/auctions', terms, { 'x-api-key': 'sam.seller' })
    expect(body.seller).to.deep.equal({ id: 'usr_sam', name: 'sam' })
    const bid = (headers: Record<string, string>) =>
      gateway.post(`/api/v1/auctions/${body.id}/bids`, { amount: 10 }, headers)
    expect((await bid(as('anna'))).status).to.equal(201)
    const refused = await bid(as('bad'))
    expect([refused.status, refused.body.code]).to.deep.equal([401, 'TOKEN_INVALID'])
    expect(refused.headers.get('www-authenticate')).to.equal('Bearer realm="vendue", error="invalid_token"')
    expect((await bid({ authorization: 'Basic eA==' })).status).to.equal(401)
    const limited = await bid(as('fast'))
    expect([limited.status, limited.headers.get('retry-after')]).to.deep.equal([429, '7'])
  })

  it('lets an admin close what is sold at home on its node', async () => {
    const { body } = await gateway.post('/api/v1/auctions', { start_price: 10, currency: 'EUR' }, as('sam.seller'))
    const path = `/api/v1/auctions/${body.id}/close`
    expect((await gateway.post(path, {}, as('tom.seller'))).body.code).to.equal('NOT_SELLER')
    expect((await gateway.post(path, {}, as('root.admin'))).body.auction.status).to.equal('closed')
  })
})
