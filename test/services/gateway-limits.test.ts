import { once } from 'node:events'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { type GatewayAccounts, openAccounts } from '../../services/gateway/accounts.js'
import type { GatewaySettings } from '../../src/adapters/system/gateway-settings.js'
import { limitsSetting } from '../../src/application/gateway/limit-rules.js'
import { LiveClients, type Member, register } from '../support/account-client.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

describe("a gateway's limits", () => {
  let mesh: TestMesh
  let gateway: TestGateway
  let accounts: GatewayAccounts
  let dir: ReturnType<typeof makeTempDir>
  const clients = new LiveClients()

  before(async () => {
    mesh = await createTestMesh(1)
  })
  after(() => mesh?.stop())
  afterEach(async () => {
    clients.close()
    await gateway?.stop()
    await accounts?.close()
    dir?.remove()
  })

  const start = async (limits: string, settings: Partial<GatewaySettings> = {}) => {
    dir = makeTempDir()
    accounts = await openAccounts(dir.path, { limits: limitsSetting.parse(limits) }, { logger: silentLogger })
    gateway = await TestGateway.start(mesh.nodes[0]!, settings, accounts.parts)
    const [seller, bidder] = [await register(gateway, 'sel'), await register(gateway, 'bea')]
    const terms = { title: 'Lot', start_price: '10', currency: 'EUR', increment: '1' }
    const { body } = await gateway.post('/api/v1/auctions', terms, seller.headers)
    return { bidder, auction: body.id as string }
  }
  const bid = (auction: string, { headers }: Member, amount: string) =>
    gateway.post(`/api/v1/auctions/${auction}/bids`, { amount }, headers)

  it('count the bids of an account over every surface together, and say when to ask again', async () => {
    const { bidder, auction } = await start('bids_per_account:3/1h')
    expect((await bid(auction, bidder, '10')).status).to.equal(201)
    const url = `${gateway.wsUrl}/ws/auction/${auction}?access_token=${bidder.token}`
    const socket = await clients.webSocket(url)
    socket.send({ type: 'place_bid', amount: '1' })
    expect((await socket.next('bid_rejected')).code).to.equal('ALREADY_LEADING')
    const socketIo = clients.socketIo(gateway, { token: bidder.token })
    expect((await socketIo.ask('placeBid', { auctionId: auction, amount: 1 })).code).to.equal('ALREADY_LEADING')
    const limit = { code: 'TOO_MANY_REQUESTS', limit: 'bids_per_account' }
    const http = await bid(auction, bidder, '20')
    expect(http.status).to.equal(429)
    expect(http.body).to.include(limit)
    expect(Number(http.headers.get('retry-after'))).to.be.within(3_500, 3_600)
    socket.send({ type: 'place_bid', amount: '20', bid_id: 'mine' })
    const overWs = await socket.next('bid_rejected', 1)
    expect(overWs).to.include({ ...limit, client_id: 'mine' })
    expect(overWs.retry_after_ms).to.be.within(3_500_000, 3_600_000)
    const overIo = await socketIo.ask('placeBid', { auctionId: auction, amount: 20 })
    expect(overIo).to.include({ ok: false, ...limit })
    expect(overIo.retryAfterMs).to.be.within(3_500_000, 3_600_000)
    expect((await gateway.get(`/api/v1/auctions/${auction}`)).body.bid_count).to.equal(1)
  })

  it('count calls over every surface together', async () => {
    const { bidder, auction } = await start('calls_per_account:4/1h')
    const socket = await clients.webSocket(`${gateway.wsUrl}/ws?access_token=${bidder.token}`)
    for (let i = 0; i < 2; i++) {
      socket.send({ type: 'subscribe', auction_id: auction })
      await socket.next('subscribed', i)
    }
    const socketIo = clients.socketIo(gateway, { token: bidder.token })
    for (let i = 0; i < 2; i++)
      expect(await socketIo.ask('joinAuction', { auctionId: auction })).to.include({ ok: true })
    const limit = { code: 'TOO_MANY_REQUESTS', limit: 'calls_per_account' }
    expect(await socketIo.ask('joinAuction', { auctionId: auction })).to.include({ ok: false, ...limit })
    socket.send({ type: 'subscribe', auction_id: auction })
    const refused = await socket.next('error')
    expect(refused).to.include(limit)
    expect(refused.retry_after_ms).to.be.greaterThan(1_000)
    expect((await gateway.get('/api/v1/me', bidder.headers)).body).to.include(limit)
    expect((await gateway.get('/api/v1/auctions')).status, 'others').to.equal(200)
  })

  it('count pings as calls, in messages and in frames alike', async () => {
    const { bidder } = await start('calls_per_account:4/1h')
    const socket = await clients.webSocket(`${gateway.wsUrl}/ws?access_token=${bidder.token}`)
    for (let id = 0; id < 3; id++) socket.send({ type: 'ping', id })
    let pongs = 0
    socket.socket.on('pong', () => (pongs += 1))
    socket.socket.ping()
    socket.socket.ping()
    socket.send({ type: 'ping', id: 3 })
    const limit = { code: 'TOO_MANY_REQUESTS', limit: 'calls_per_account' }
    expect(await socket.next('error')).to.include(limit)
    expect(socket.heard.filter(({ type }) => type === 'pong').map(({ id }) => id)).to.deep.equal([0, 1, 2])
    expect(pongs).to.equal(1)
    socket.send({ type: 'unsubscribe', catalogue: true })
    expect(await socket.next('error', 1)).to.include(limit)
  })

  it('count those behind a trusted proxy one by one, on every surface', async () => {
    const { auction } = await start('open_connections_per_address:1,calls_per_address:30/1h', {
      trustedProxies: ['127.0.0.1'],
    })
    const from = (address: string) => ({ headers: { 'x-forwarded-for': `198.51.100.1, ${address}:51234` } })
    const url = `${gateway.wsUrl}/ws/auction/${auction}`
    const first = new WebSocket(url, from('203.0.113.1'))
    await once(first, 'open')
    const [error] = await once(new WebSocket(url, from('203.0.113.1')), 'error')
    expect(String(error)).to.contain('429')
    const other = new WebSocket(url, from('203.0.113.2'))
    await once(other, 'open')
    for (const socket of [first, other]) socket.terminate()
    const get = async (address: string) => (await gateway.get('/api/v1/auctions', from(address).headers)).status
    let status = 200
    for (let i = 0; i < 40 && status === 200; i++) status = await get('203.0.113.1')
    expect(status).to.equal(429)
    expect(await get('203.0.113.2')).to.equal(200)
  })

  it('count what guesses tokens', async () => {
    await start('calls_per_address:20/1h')
    const codes: string[] = []
    for (let i = 0; i < 30; i++)
      codes.push((await gateway.get('/api/v1/me', { authorization: `Bearer guess${i}` })).body.code)
    expect(codes[0]).to.equal('TOKEN_INVALID')
    expect(codes.at(-1)).to.equal('TOO_MANY_REQUESTS')
    const [upgrade] = await once(new WebSocket(`${gateway.wsUrl}/ws?access_token=guess`), 'error')
    expect(String(upgrade)).to.contain('429')
    const socketIo = clients.socketIo(gateway, { token: 'guess' })
    const rejected = await socketIo.next('connectionRejected')
    expect(rejected).to.include({ code: 'TOO_MANY_REQUESTS', limit: 'calls_per_address' })
    expect(rejected.retryAfterMs).to.be.greaterThan(1_000)
  })

  it('bound the connections of an account, of whatever kind, and count one that changes hands', async () => {
    const { bidder } = await start('open_connections_per_account:2')
    const url = `${gateway.wsUrl}/ws?access_token=${bidder.token}`
    const first = await clients.webSocket(url)
    const stream = await fetch(`${gateway.url}/api/v1/events`, { headers: bidder.headers })
    expect(stream.status).to.equal(200)
    const [error] = await once(new WebSocket(url), 'error')
    expect(String(error)).to.contain('429')
    const socketIo = clients.socketIo(gateway, { token: bidder.token })
    const limit = { code: 'TOO_MANY_REQUESTS', limit: 'open_connections_per_account' }
    expect(await socketIo.next('connectionRejected')).to.include(limit)
    const nobody = await clients.webSocket(`${gateway.wsUrl}/ws`)
    nobody.send({ type: 'authenticate', access_token: bidder.token })
    expect(await nobody.next('error')).to.include(limit)
    first.socket.close()
    await once(first.socket, 'close')
    nobody.send({ type: 'authenticate', access_token: bidder.token })
    expect((await nobody.next('authenticated')).user.name).to.equal('bea')
    await stream.body?.cancel()
  })
})
