import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { FastifyPluginAsync } from 'fastify'
import { type ClientOptions, createClient, type VendueClient } from 'vendue/client'
import { WebSocket } from 'ws'
import { createClient as createBrowserClient } from '../../src/client/browser.js'
import { type Authenticator, CallerError } from '../../src/ports/accounts/caller.js'
import { CuttingProxy } from '../support/cutting-proxy.js'
import { eventually } from '../support/eventually.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

describe('a client of a real gateway', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  const clients: VendueClient[] = []
  const clientOf = (options: ClientOptions) => {
    const client = createClient(options)
    clients.push(client)
    return client
  }

  before(async () => {
    mesh = await createTestMesh(1)
    gateway = await TestGateway.start(mesh.nodes[0]!)
  })

  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  it('sells and bids: a rule’s no is an outcome, and what is asked twice is done once', async () => {
    const gateways = [gateway.url]
    const [sam, anna] = [clientOf({ gateways, user: 'sam' }), clientOf({ gateways, user: 'Ánna Ü.' })]
    expect(await anna.me()).to.deep.include({ name: 'Ánna Ü.', auth: 'open' })
    const terms = { title: 'A chair', start_price: '20', currency: 'EUR', increment: '1', buy_now: '90' }
    const opened = await sam.open(terms, { commandId: 'cmd_client000001' })
    const again = await sam.open(terms, { commandId: 'cmd_client000001' })
    if (opened.status !== 'accepted' || again.status !== 'accepted') throw new Error('not opened')
    expect(again.auction_id).to.equal(opened.auction_id)
    const id = opened.auction_id
    expect(await anna.bid(id, '19.99')).to.deep.include({
      status: 'rejected',
      code: 'BID_TOO_LOW',
      minimum: '20.00',
    })
    const bid = await anna.bid(id, '21', { bidId: 'bid_client000001' })
    expect(await anna.bid(id, '21', { bidId: 'bid_client000001' })).to.deep.equal(bid)
    expect(bid).to.deep.include({ status: 'accepted', leads: true, price: '21.00', currency: 'EUR' })
    expect(await anna.closeAuction(id)).to.deep.include({ status: 'rejected', code: 'NOT_SELLER' })
    expect(await sam.cancel(id, { reason: 'broken' })).to.deep.include({
      status: 'rejected',
      code: 'HAS_BIDS',
    })
    expect(await sam.extend(id, { bySeconds: 60 })).to.deep.include({
      status: 'rejected',
      code: 'NO_END_TIME',
    })
    expect((await sam.history(id)).bids.map(({ price }) => price)).to.deep.equal(['21.00'])
    const closed = await sam.closeAuction(id)
    expect(closed.status === 'accepted' && closed.auction.result).to.deep.include({
      sold: true,
      price: '21.00',
    })
    expect((await anna.myBids()).auctions.map(({ you }) => you)).to.deep.equal(['won'])
    expect((await sam.myAuctions()).auctions.map(({ auction_id }) => auction_id)).to.deep.equal([id])
    expect((await sam.list({ status: ['closed'], q: 'chair' })).auctions).to.have.lengthOf(1)
    const missing = await sam.show('auc_zzzzzz').then(
      () => null,
      (error) => error,
    )
    expect(missing).to.include({ name: 'RequestRefused', code: 'AUCTION_NOT_FOUND', status: 404 })
  })

  it('works with nothing but what a browser has', async () => {
    const platform = globalThis as { WebSocket?: unknown }
    const own = platform.WebSocket
    platform.WebSocket = WebSocket
    try {
      const id = await gateway.open()
      const anna = createBrowserClient({ gateways: [gateway.url], user: 'anna' })
      clients.push(anna)
      const seen: number[] = []
      ;(await anna.watch(id)).on('bid_placed', ({ seq }) => seen.push(seq))
      await eventually('it is connected', () => anna.clock.uncertaintyMs !== null)
      expect(await anna.bid(id, '10')).to.deep.include({ status: 'accepted', leads: true })
      await eventually('it hears of its bid', () => seen.length === 1)
    } finally {
      platform.WebSocket = own
    }
  })

  it('loses and repeats nothing while its connections are cut again and again', async () => {
    const proxy = await CuttingProxy.start(Number(new URL(gateway.url).port))
    try {
      const id = await gateway.open()
      await gateway.bid(id, 'ben', 1_000_000, { kind: 'max' })
      const anna = clientOf({ gateways: [proxy.url], user: 'anna' })
      const seqs: number[] = []
      const catalogue: number[] = []
      const watch = await anna.watch(id, { fromSeq: 1 })
      watch.on('event', ({ seq }) => seqs.push(seq))
      anna.watchAll().on('event', ({ auction_id, seq }) => {
        if (auction_id === id) catalogue.push(seq)
      })
      const acknowledged: string[] = []
      let answers = 0
      let [cuts, done] = [0, false]
      const cutting = (async () => {
        // On a slow machine nothing may get through between two cuts: each then comes later than the one before.
        for (let [pauseMs, before] = [40, 0]; !done; ) {
          await sleep(pauseMs)
          pauseMs = answers > before ? 40 : pauseMs * 2
          before = answers
          cuts += proxy.cut()
        }
      })()
      let amount = 10
      const bidding = async () => {
        for (let i = 0; i < 40; i++) {
          amount += 3
          const outcome = await anna.bid(id, String(amount))
          answers += 1
          if (outcome.status === 'accepted') acknowledged.push(outcome.command_id)
          else expect(outcome.code).to.equal('BID_TOO_LOW')
          await sleep(5)
        }
      }
      await Promise.all([bidding(), bidding(), bidding()])
      done = true
      await cutting
      expect(cuts).to.be.greaterThan(10)
      const { bids } = await anna.history(id, { limit: 1_000 })
      const stored = bids.map(({ bid_id }) => bid_id)
      expect(new Set(stored).size).to.equal(stored.length)
      // All settled: those that stand are those that were acknowledged, and the rival's.
      expect(stored.slice(0, -1).sort()).to.deep.equal(acknowledged.sort())
      const last = bids[0]?.seq ?? 0
      await eventually('all events are heard', () => seqs.at(-1) === last && catalogue.at(-1) === last)
      expect(seqs).to.deep.equal(Array.from({ length: last }, (_, i) => i + 1))
      expect(catalogue).to.deep.equal(seqs.slice(-catalogue.length))
    } finally {
      await proxy.stop()
    }
  })

  it('renews its login by itself when the access token expires, and bids on', async () => {
    const LIFE_MS = 1_500
    let refreshes = 0
    const authenticator: Authenticator = {
      async authenticate(credentials) {
        const [name = '', expiresAt = ''] = credentials.kind === 'access-token' ? credentials.token.split('.') : []
        if (Number(expiresAt) <= Date.now()) throw new CallerError('TOKEN_EXPIRED', 'the token has expired')
        return {
          party: { id: `acc:${name}`, name },
          roles: ['bidder', 'seller'],
          scopes: ['read', 'bid', 'sell'],
        }
      },
    }
    const answer = (name: string) => ({
      access_token: `${name}.${Date.now() + LIFE_MS}`,
      token_type: 'Bearer',
      refresh_token: `${name}-${refreshes}`,
      // Half a minute before the end the client would renew it anyway: here the gateway has to say so.
      expires_in: 3_600,
    })
    const accounts: FastifyPluginAsync = async (app) => {
      app.post('/api/v1/auth/login', async ({ body }) => answer((body as { username: string }).username))
      app.post('/api/v1/auth/refresh', async ({ body }) => {
        refreshes += 1
        return answer((body as { refresh_token: string }).refresh_token.split('-')[0] ?? '')
      })
    }
    const guarded = await TestGateway.start(mesh.nodes[0]!, {}, { authenticator, plugins: [accounts] })
    const proxy = await CuttingProxy.start(Number(new URL(guarded.url).port))
    try {
      const id = await gateway.open()
      const anna = clientOf({ gateways: [proxy.url] })
      const nobody = await anna.bid(id, '10').then(
        () => null,
        (error) => error,
      )
      expect(nobody).to.include({ code: 'UNAUTHENTICATED', status: 401 })
      await anna.accounts.login({ username: 'anna', password: 'correct horse' })
      const seqs: number[] = []
      ;(await anna.watch(id)).on('event', ({ seq }) => seqs.push(seq))
      expect(await anna.bid(id, '10')).to.deep.include({ status: 'accepted' })
      expect(refreshes).to.equal(0)
      await sleep(LIFE_MS)
      // Over HTTP at once, and over the socket, which has to be opened anew with a token that is good.
      expect((await anna.me()).name).to.equal('anna')
      expect(refreshes).to.equal(1)
      proxy.cut()
      await gateway.bid(id, 'ben', '11')
      expect(await anna.bid(id, '12')).to.deep.include({ status: 'accepted' })
      await eventually('it hears on', () => seqs.length === 3)
      expect(seqs).to.deep.equal([2, 3, 4])
    } finally {
      await proxy.stop()
      await guarded.stop()
    }
  })

  it('comes back by itself when an expired token was why it could not', async () => {
    const tokens = new Set(['first'])
    const authenticator: Authenticator = {
      async authenticate(credentials) {
        if (credentials.kind !== 'access-token' || !tokens.has(credentials.token)) {
          throw new CallerError('TOKEN_EXPIRED', 'the token has expired')
        }
        return { party: { id: 'acc:anna', name: 'anna' }, roles: ['bidder'], scopes: ['read', 'bid'] }
      },
    }
    const accounts: FastifyPluginAsync = async (app) => {
      app.post('/api/v1/auth/refresh', async () => {
        tokens.add('second')
        return { access_token: 'second', refresh_token: 'r2', expires_in: 3_600 }
      })
    }
    const guarded = await TestGateway.start(mesh.nodes[0]!, {}, { authenticator, plugins: [accounts] })
    try {
      const anna = clientOf({
        gateways: [guarded.url],
        tokens: { access_token: 'gone', refresh_token: 'r1' },
      })
      const states: string[] = []
      anna.on('connection', ({ state }) => states.push(state))
      anna.connect()
      await eventually('it is online', () => states.at(-1) === 'online')
      expect(states).to.deep.equal(['connecting', 'offline', 'connecting', 'online'])
    } finally {
      await guarded.stop()
    }
  })
})
