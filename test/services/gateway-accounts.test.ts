import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'chai'
import fc from 'fast-check'
import { WebSocket } from 'ws'
import { type GatewayAccounts, openAccounts } from '../../services/gateway/accounts.js'
import { loadGatewaySecrets } from '../../src/adapters/system/gateway-secrets.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { limitsSetting } from '../../src/application/gateway/limit-rules.js'
import { createClient as createBrowserClient } from '../../src/client/browser.js'
import { LiveClients, type Member, type Message, memberOf, PASSWORD, register } from '../support/account-client.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const TERMS = { title: 'Lot', start_price: '10', currency: 'EUR', increment: '1' }

describe('a gateway with accounts', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  let accounts: GatewayAccounts
  const dir = makeTempDir()
  const clients = new LiveClients()
  const time = { offset: 0 }
  const clock = { now: () => Date.now() + time.offset, monotonicMs: () => performance.now() }

  before(async () => {
    mesh = await createTestMesh(1)
    const limits = limitsSetting.parse('registrations_per_address:1000/1h')
    accounts = await openAccounts(dir.path, { limits }, { logger: silentLogger, clock })
    gateway = await TestGateway.start(mesh.nodes[0]!, {}, accounts.parts)
  })
  afterEach(() => {
    clients.close()
    time.offset = 0
  })
  after(async () => {
    await gateway?.stop()
    await accounts?.close()
    await mesh?.stop()
    dir.remove()
  })

  const join = (username: string) => register(gateway, username)
  const open = async ({ headers }: Member, terms: object = {}): Promise<string> => {
    const { status, body } = await gateway.post('/api/v1/auctions', { ...TERMS, ...terms }, headers)
    expect(status, JSON.stringify(body)).to.equal(201)
    return body.id
  }
  const bid = (auction: string, amount: string, { headers }: Pick<Member, 'headers'>, more: object = {}) =>
    gateway.post(`/api/v1/auctions/${auction}/bids`, { amount, ...more }, headers)
  const admin = async (name: string): Promise<Member> => {
    await accounts.accounts.add({ name, password: PASSWORD }, ['admin'])
    return memberOf((await gateway.post('/auth/login', { username: name, password: PASSWORD })).body)
  }

  it('lets account holders sell and bid under their own names, and nobody else', async () => {
    const [seller, bidder] = [await join('sam'), await join('bea')]
    expect((await gateway.post('/api/v1/auctions', TERMS)).body.code).to.equal('UNAUTHENTICATED')
    const auction = await open(seller)
    const bids = `/api/v1/auctions/${auction}/bids`
    expect((await gateway.post(bids, { user_id: 'bea', amount: '12' })).status).to.equal(401)
    expect((await bid(auction, '12', bidder)).status).to.equal(201)
    expect((await bid(auction, '14', seller)).body.code).to.equal('OWN_AUCTION')
    const key = await gateway.post('/api/v1/me/api-keys', { label: 'r', scopes: ['read'] }, bidder.headers)
    expect(key.status, JSON.stringify(key.body)).to.equal(201)
    const withKey = await gateway.post(bids, { amount: '20' }, { 'x-api-key': key.body.api_key })
    expect(withKey.body.code).to.equal('FORBIDDEN')
    await accounts.accounts.disable('bea')
    expect((await bid(auction, '20', bidder)).body.code).to.equal('ACCOUNT_DISABLED')
    await accounts.accounts.setRoles('sam', ['bidder'])
    expect((await gateway.post('/api/v1/auctions', TERMS, seller.headers)).body.code).to.equal('FORBIDDEN')
  })

  it('shows auctions to everybody, and the mesh to admins alone, wherever they ask from', async () => {
    const auction = await open(await join('sel1'))
    for (const path of ['/api/v1/auctions', '/auctions', `/api/v1/auctions/${auction}`, '/health', '/ready'])
      expect((await gateway.get(path)).status, path).to.equal(200)
    expect((await gateway.get('/health')).body.auth).to.equal('accounts')
    expect((await gateway.get('/api/v1/me')).body.code).to.equal('UNAUTHENTICATED')
    const away = { 'x-forwarded-for': '203.0.113.9' }
    const boss = await admin('boss1')
    const request = { label: 'prometheus', scopes: ['admin'] }
    const { body: key } = await gateway.post('/api/v1/me/api-keys', request, boss.headers)
    for (const path of ['/metrics', '/api/v1/peers', '/api/v1/node']) {
      // From this machine, and with nothing that says so: what a proxy passes on may look like that.
      expect((await gateway.get(path)).body.code, path).to.equal('UNAUTHENTICATED')
      expect((await gateway.get(path, away)).body.code, path).to.equal('UNAUTHENTICATED')
      const bidder = await join(`peek${path.length}`)
      expect((await gateway.get(path, { ...away, ...bidder.headers })).body.code).to.equal('FORBIDDEN')
      expect((await gateway.get(path, { ...away, ...boss.headers })).status).to.equal(200)
      const scraper = { ...away, authorization: `Bearer ${key.api_key}` }
      expect((await gateway.get(path, scraper)).status).to.equal(200)
    }
  })

  it('lets admins alone see and set the limits that its node keeps, and bids up to them', async () => {
    const auction = await open(await join('limits-seller'))
    const [bidder, boss] = [await join('limits-bidder'), await admin('limits-boss')]
    const path = `/api/v1/auctions/${auction}/auto-bid`
    for (const headers of [{}, bidder.headers]) {
      const code = headers === bidder.headers ? 'FORBIDDEN' : 'UNAUTHENTICATED'
      expect((await gateway.get('/api/v1/auto-bids', headers)).body.code).to.equal(code)
      expect((await gateway.post(path, { limit: '33.33' }, headers)).body.code).to.equal(code)
    }
    const wrong = await gateway.post(path, { limit: '33.333' }, boss.headers)
    expect(wrong.body).to.include({ code: 'INVALID_INPUT', field: 'limit' })
    const set = await gateway.post(path, { limit: '33.33' }, boss.headers)
    expect(set.body).to.deep.include({
      auction_id: auction,
      limit: '33.33',
      currency: 'EUR',
      state: 'active',
    })
    await eventually('the node bids', async () => {
      const { body } = await gateway.get(`/api/v1/auctions/${auction}`)
      return body.price === '10.00' && !JSON.stringify(body).includes('33.33')
    })
    const listed = (await gateway.get('/api/v1/auto-bids', boss.headers)).body.auto_bids
    expect(listed.map(({ auction_id }: { auction_id: string }) => auction_id)).to.deep.equal([auction])
    const stopped = await fetch(gateway.url + path, { method: 'DELETE', headers: boss.headers })
    expect(await stopped.json()).to.include({ state: 'stopped' })
  })

  it('reports errors in its own words on all routes, and lets old tokens log in', async () => {
    await join('carl')
    const body = { username: 'carl', password: PASSWORD }
    expect((await gateway.post('/auth/login', body, { authorization: 'Bearer old' })).status).to.equal(200)
    for (const [path, sent, code] of [
      ['/auth/login', '{', 'INVALID_JSON'],
      ['/auth/login', { ...body, password: 'wrong one' }, 'LOGIN_FAILED'],
      ['/auth/login', { username: 7, password: 'x' }, 'INVALID_INPUT'],
      ['/auth/register', body, 'NAME_TAKEN'],
      ['/api/v1/auctions', '{', 'INVALID_JSON'],
      ['/api/v1/auctions', { title: 7, start_price: 'x y' }, 'INVALID_INPUT'],
    ] as const) {
      const answer = await gateway.post(path, sent)
      expect(answer.body.code).to.equal(code)
      // The same words for the same status, whichever route it was.
      const title = { 400: 'Bad request', 401: 'Not authenticated', 409: 'Refused by a rule' }[answer.status]
      expect(answer.body.title, code).to.equal(title)
      expect(answer.body.type).to.equal(`urn:vendue:error:${code}`)
    }
  })

  it('describes the routes of accounts in its OpenAPI document', async () => {
    const { body } = await gateway.get('/docs/json')
    expect(Object.keys(body.paths)).to.include.members(['/auth/login', '/api/v1/auth/refresh', '/api/v1/me/api-keys'])
  })

  it("speaks a Socket.IO auction server's calls with logins word for word", async () => {
    const registered = await gateway.post('/auth/register', { username: 'dealer', password: PASSWORD })
    expect(registered.body.user).to.include({ username: 'dealer', role: 'user' })
    const login = await gateway.post('/auth/login', { username: 'dealer', password: PASSWORD })
    expect(login.status).to.equal(200)
    const seller = memberOf(login.body)
    const bidder = await join('driver')
    const auctionId = await open(seller, { title: 'Car', start_price: '100', increment: '5' })
    expect((await gateway.get('/auctions')).body.map(({ id }: Message) => id)).to.include(auctionId)
    const [his, hers] = [seller, bidder].map(({ token }) => clients.socketIo(gateway, { token }))
    for (const client of [his!, hers!]) {
      client.socket.emit('joinAuction', { auctionId })
      expect(await client.next('auctionState')).to.include({ auctionId, status: 'open' })
    }
    hers!.socket.emit('placeBid', { auctionId, amount: 105 })
    expect(await his!.next('newBid')).to.include({ currentBid: '105.00', currentWinner: 'driver' })
    his!.socket.emit('placeBid', { auctionId, amount: 110 })
    expect((await his!.next('bidRejected')).code).to.equal('OWN_AUCTION')
    hers!.socket.emit('endAuction', { auctionId })
    expect((await hers!.next('requestRejected')).code).to.equal('NOT_SELLER')
    const boss = clients.socketIo(gateway, { token: `Bearer ${(await admin('boss2')).token}` })
    expect(await boss.ask('endAuction', { auctionId })).to.include({ ok: true })
    expect(await hers!.next('auctionEnd')).to.include({ winner: 'driver', finalPrice: '105.00' })
    const bad = clients.socketIo(gateway, { token: 'nonsense' })
    expect(await bad.next('connectionRejected')).to.include({ code: 'TOKEN_INVALID' })
    const nobody = clients.socketIo(gateway, {})
    expect((await nobody.ask('placeBid', { auctionId, amount: 200 })).code).to.equal('UNAUTHENTICATED')
  })

  it('knows a WebSocket by the token in its address, and refuses bad ones', async () => {
    const { token } = await join('dora')
    const client = await clients.webSocket(`${gateway.wsUrl}/ws?access_token=${token}`)
    expect((await client.next('welcome')).user.name).to.equal('dora')
    for (const query of ['access_token=nonsense', `access_token=${token}&access_token=${token}`]) {
      const refused = new WebSocket(`${gateway.wsUrl}/ws?${query}`)
      const [error] = await once(refused, 'error')
      expect(String(error)).to.contain('401')
    }
  })

  it('knows a WebSocket by its first message, for all that comes after it, and shows others its name', async () => {
    const [seller, bidder] = [await join('f-sel'), await join('f-bid')]
    const auction = await open(seller)
    const request = { label: 'bot', scopes: ['read', 'bid'] }
    const { body: key } = await gateway.post('/api/v1/me/api-keys', request, bidder.headers)
    const watcher = await clients.webSocket(`${gateway.wsUrl}/ws/auction/${auction}`)
    await watcher.next('subscribed')
    const names = () => watcher.heard.flatMap(({ type, joined }) => (type === 'presence' ? joined : []))
    for (const [nth, said] of [
      { access_token: bidder.token },
      { api_key: key.api_key },
      { token: key.api_key },
      { token: bidder.token },
    ].entries()) {
      const one = await clients.webSocket(`${gateway.wsUrl}/ws/auction/${auction}`)
      expect((await one.next('welcome')).user).to.equal(null)
      one.send({ type: 'authenticate', ...said })
      one.send({ type: 'place_bid', amount: String(10 + nth) })
      expect((await one.next('authenticated')).user).to.deep.equal({ id: bidder.id, name: 'f-bid' })
      if (nth === 0) await one.next('bid_accepted')
      else expect((await one.next('bid_rejected')).code).to.equal('ALREADY_LEADING')
      await eventually('the others hear who came', () => names().includes('f-bid'))
      const many = await clients.webSocket(`${gateway.wsUrl}/ws`)
      many.send({ type: 'authenticate', ...said })
      many.send({ type: 'subscribe', auction_id: auction })
      expect((await many.next('subscribed')).auction.you).to.equal('leading')
    }
    const twice = await clients.webSocket(`${gateway.wsUrl}/ws`)
    twice.send({ type: 'authenticate', access_token: bidder.token, api_key: key.api_key })
    expect((await twice.next('error')).code).to.equal('TOKEN_INVALID')
  })

  it('knows a Socket.IO client by an API key, in the handshake and later', async () => {
    const [seller, bidder] = [await join('i-sel'), await join('i-bid')]
    const auctionId = await open(seller)
    const request = { label: 'bot', scopes: ['read', 'bid'] }
    const { body: key } = await gateway.post('/api/v1/me/api-keys', request, bidder.headers)
    let amount = 10
    for (const auth of [{ apiKey: key.api_key }, { api_key: key.api_key }, { token: key.api_key }]) {
      const client = clients.socketIo(gateway, auth)
      const answer = await client.ask('placeBid', { auctionId, amount })
      expect(answer.ok ? answer.leads : answer.code).to.be.oneOf([true, 'ALREADY_LEADING'])
      amount += 1
    }
    const later = clients.socketIo(gateway, {})
    const authenticated = await later.ask('authenticate', { apiKey: key.api_key })
    expect(authenticated.user).to.deep.equal({ id: bidder.id, name: 'i-bid' })
    const bad = clients.socketIo(gateway, { apiKey: `${key.api_key}x` })
    expect((await bad.next('connectionRejected')).code).to.equal('TOKEN_INVALID')
    const both = clients.socketIo(gateway, { apiKey: key.api_key, token: bidder.token })
    expect((await both.next('connectionRejected')).code).to.equal('TOKEN_INVALID')
  })

  it('lets a browser bid over its WebSocket with an API key or a login, and none of both in an address', async () => {
    const [seller, bidder, boss] = [await join('r-sel'), await join('r-bid'), await admin('r-boss')]
    const request = { label: 'page', scopes: ['read', 'bid'] }
    const { body: key } = await gateway.post('/api/v1/me/api-keys', request, bidder.headers)
    const tokens = { access_token: bidder.token, refresh_token: bidder.refreshToken }
    const overSockets = async () =>
      Number(
        /vendue_bids_total\{outcome="accepted",code="",path="ws"\} (\d+)/.exec(
          (await gateway.get('/metrics', boss.headers)).body,
        )?.[1] ?? 0,
      )
    for (const who of [{ apiKey: key.api_key }, { tokens }]) {
      const auction = await open(seller)
      const before = await overSockets()
      const urls: string[] = []
      const sockets = {
        sendsHeaders: false,
        open: (url: string) => {
          urls.push(url)
          return new WebSocket(url) as never
        },
      }
      const page = createBrowserClient({ gateways: [gateway.url], sockets, ...who })
      try {
        const heard: number[] = []
        ;(await page.watch(auction)).on('bid_placed', ({ seq }) => heard.push(seq))
        const online = new Promise((resolve) => page.on('connection', ({ state }) => state === 'online' && resolve(0)))
        await online
        expect(await page.bid(auction, '10')).to.deep.include({ status: 'accepted', leads: true })
        await eventually('it hears of its bid', () => heard.length === 1)
        expect(await overSockets()).to.equal(before + 1)
        expect(urls).to.deep.equal([`${gateway.wsUrl}/ws`])
      } finally {
        page.close()
      }
    }
  })

  it('refuses forged and algorithm-confused tokens on every surface', async () => {
    const { token } = await join('victim')
    const [head = '', payload = '', signature = ''] = token.split('.')
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString())
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const { x = '' } = loadGatewaySecrets(dir.path, systemRandom).tokenKeys[0].publicKey.export({
      format: 'jwk',
    })
    const confused = `${encode({ ...header, alg: 'HS256' })}.${payload}`
    const mac = createHmac('sha256', Buffer.from(x, 'base64url')).update(confused).digest('base64url')
    const forged = {
      unsigned: `${encode({ ...header, alg: 'none' })}.${payload}.`,
      confused: `${confused}.${mac}`,
      changed: `${head}.${encode({ ...claims, sub: 'usr_other', exp: claims.exp + 9_999 })}.${signature}`,
      cut: `${head}.${payload}.`,
    }
    const open = await clients.webSocket(`${gateway.wsUrl}/ws`)
    for (const [nth, [what, bad]] of Object.entries(forged).entries()) {
      const http = await gateway.get('/api/v1/me', { authorization: `Bearer ${bad}` })
      expect([http.status, http.body.code], what).to.deep.equal([401, 'TOKEN_INVALID'])
      const [error] = await once(new WebSocket(`${gateway.wsUrl}/ws?access_token=${bad}`), 'error')
      expect(String(error), what).to.contain('401')
      open.send({ type: 'authenticate', access_token: bad })
      expect((await open.next('error', nth)).code, what).to.equal('TOKEN_INVALID')
      const rejected = await clients.socketIo(gateway, { token: bad }).next('connectionRejected')
      expect(rejected.code, what).to.equal('TOKEN_INVALID')
    }
  })

  it('goes on with another token key while it runs, and drops the old one at once if asked to', async () => {
    const member = await join('rotor')
    const status = async (token: string) =>
      (await gateway.get('/api/v1/me', { authorization: `Bearer ${token}` })).status
    const keyOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid
    // As `vendue user rotate-key` does, in a process of its own.
    const operator = await openAccounts(dir.path, {}, { logger: silentLogger })
    try {
      const { keyId } = operator.rotateTokenKey({ dropOld: false })
      const refresh = { refresh_token: member.refreshToken }
      const second = (await gateway.post('/api/v1/auth/refresh', refresh)).body
      expect(keyOf(second.access_token)).to.equal(keyId)
      expect([await status(member.token), await status(second.access_token)]).to.deep.equal([200, 200])
      const socket = await clients.webSocket(`${gateway.wsUrl}/ws?access_token=${second.access_token}`)
      operator.rotateTokenKey({ dropOld: true })
      await eventually('old tokens are refused', async () => (await status(second.access_token)) === 401)
      expect(await status(member.token)).to.equal(401)
      expect((await socket.next('signed_out')).code).to.equal('TOKEN_INVALID')
      const renewed = await gateway.post('/api/v1/auth/refresh', { refresh_token: second.refresh_token })
      expect(renewed.status, 'nobody has to log in again').to.equal(200)
      socket.send({ type: 'authenticate', access_token: renewed.body.access_token })
      expect((await socket.next('authenticated')).user.name).to.equal('rotor')
    } finally {
      await operator.close()
    }
  })

  it("lets nobody take the id of another's bid, whatever form it has, or ask for its outcome", async () => {
    const [seller, bidder, mallory] = [await join('id-sel'), await join('id-bid'), await join('id-mal')]
    const [first, second] = [await open(seller), await open(seller)]
    const key = { 'idempotency-key': 'bid_order-000017' }
    const send = (auction: string, amount: string, member: Member, headers: object = key) =>
      gateway.post(`/api/v1/auctions/${auction}/bids`, { amount }, { ...member.headers, ...headers })
    expect((await send(first, '12', mallory)).status).to.equal(201)
    const bid = await send(second, '12', bidder)
    expect(bid.status, JSON.stringify(bid.body)).to.equal(201)
    expect((await send(second, '12', bidder)).body.seq, 'sent again').to.equal(bid.body.seq)
    const asked = { 'idempotency-key': bid.body.command_id }
    expect((await send(second, '12', bidder, asked)).body.seq, 'by the id in the answer').to.equal(bid.body.seq)
    const other = await send(second, '12', mallory, asked)
    expect([other.status, other.body.code]).to.deep.equal([409, 'BID_TOO_LOW'])
    expect((await send(first, '12', bidder)).body.code, 'the own id again').to.equal('COMMAND_ID_REUSED')
  })

  it("keeps everybody from other people's auctions, keys and receipts", async () => {
    const [seller, bidder, mallory] = [await join('o-sel'), await join('o-bid'), await join('o-mal')]
    const auction = await open(seller)
    await bid(auction, '10', bidder)
    for (const action of ['close', 'cancel', 'extend']) {
      const answer = await gateway.post(`/api/v1/auctions/${auction}/${action}`, {}, mallory.headers)
      expect([answer.status, answer.body.code], action).to.deep.equal([403, 'NOT_SELLER'])
    }
    const request = { label: 'bot', scopes: ['read'] }
    const { body: key } = await gateway.post('/api/v1/me/api-keys', request, bidder.headers)
    const path = `${gateway.url}/api/v1/me/api-keys/${key.id}`
    expect((await fetch(path, { method: 'DELETE', headers: mallory.headers })).status).to.equal(404)
    expect((await gateway.get('/api/v1/me', { 'x-api-key': key.api_key })).body.id).to.equal(bidder.id)
    const own = await gateway.get('/api/v1/me/api-keys', mallory.headers)
    expect(own.body.api_keys).to.deep.equal([])
    const receipts = await gateway.get(`/api/v1/auctions/${auction}/receipts`, mallory.headers)
    expect(receipts.body.receipts).to.deep.equal([])
    const escalated = { label: 'bot', scopes: ['admin'] }
    const refused = await gateway.post('/api/v1/me/api-keys', escalated, mallory.headers)
    expect(refused.body.code).to.equal('SCOPE_NOT_ALLOWED')
  })

  describe('to connections that are open', () => {
    it('reports that their credentials have ended, and takes new ones without a new connection', async () => {
      const [seller, bidder] = [await join('s-open'), await join('b-open')]
      const auction = await open(seller)
      const socket = await clients.webSocket(`${gateway.wsUrl}/ws/auction/${auction}?access_token=${bidder.token}`)
      const socketIo = clients.socketIo(gateway, { token: bidder.token })
      expect(await socketIo.ask('joinAuction', { auctionId: auction })).to.include({ ok: true })
      const stream = await fetch(`${gateway.url}/api/v1/events?access_token=${bidder.token}`)
      const streamed = stream.text()
      await gateway.post('/api/v1/auth/logout', { refresh_token: bidder.refreshToken })
      const since = performance.now()
      expect(await socket.next('signed_out')).to.include({ code: 'TOKEN_INVALID' })
      expect(await socketIo.next('signedOut')).to.include({ code: 'TOKEN_INVALID' })
      expect(await streamed).to.contain('event: signed_out\ndata: {"type":"signed_out","code":"TOKEN_INVALID"')
      expect(performance.now() - since).to.be.lessThan(10_000)
      socket.send({ type: 'place_bid', amount: '11' })
      expect((await socket.next('bid_rejected')).code).to.equal('UNAUTHENTICATED')
      const again = await gateway.post('/auth/login', { username: 'b-open', password: PASSWORD })
      const fresh = again.body.access_token
      socket.send({ type: 'authenticate', access_token: fresh })
      socket.send({ type: 'place_bid', amount: '11' })
      expect((await socket.next('authenticated')).user.name).to.equal('b-open')
      expect((await socket.next('bid_accepted')).current_bid).to.equal('11.00')
      expect(await socketIo.ask('authenticate', { token: fresh })).to.deep.include({ ok: true })
      expect((await socketIo.ask('placeBid', { auctionId: auction, amount: '9' })).code).to.equal('ALREADY_LEADING')
      socket.send({ type: 'authenticate', access_token: 'nonsense' })
      expect((await socket.next('error')).code).to.equal('TOKEN_INVALID')
    })

    for (const [what, code, end] of [
      ['a disabled account', 'ACCOUNT_DISABLED', (name: string) => accounts.accounts.disable(name)],
      ['an expired token', 'TOKEN_EXPIRED', () => (time.offset = 16 * 60_000)],
    ] as const) {
      it(`refuses the next bid of ${what} at once`, async () => {
        const name = `e-${what.length}`
        const [seller, bidder] = [await join(`s${name}`), await join(name)]
        const auction = await open(seller)
        const socket = await clients.webSocket(`${gateway.wsUrl}/ws/auction/${auction}`)
        socket.send({ type: 'authenticate', access_token: bidder.token })
        socket.send({ type: 'place_bid', amount: '10' })
        await socket.next('bid_accepted')
        await end(name)
        socket.send({ type: 'place_bid', amount: '12' })
        expect((await socket.next('bid_rejected')).code).to.equal(code)
        expect((await socket.next('signed_out')).code).to.equal(code)
        expect((await gateway.get(`/api/v1/auctions/${auction}`)).body.current_bid).to.equal('10.00')
      })
    }

    it('refuses the next bid of a revoked key at once', async () => {
      const [seller, bidder] = [await join('s-key'), await join('b-key')]
      const auction = await open(seller)
      const request = { label: 'bot', scopes: ['read', 'bid'] }
      const { body: key } = await gateway.post('/api/v1/me/api-keys', request, bidder.headers)
      const socket = await clients.webSocket(`${gateway.wsUrl}/ws/auction/${auction}`)
      socket.send({ type: 'authenticate', api_key: key.api_key })
      socket.send({ type: 'place_bid', amount: '10' })
      await socket.next('bid_accepted')
      const path = `${gateway.url}/api/v1/me/api-keys/${key.id}`
      expect((await fetch(path, { method: 'DELETE', headers: bidder.headers })).status).to.equal(204)
      socket.send({ type: 'place_bid', amount: '12' })
      expect((await socket.next('bid_rejected')).code).to.equal('TOKEN_INVALID')
    })
  })

  describe('in an auction that asks for pseudonyms', () => {
    it('shows bidders under names of that auction alone, and each bidder its own', async () => {
      const [seller, anna, ben] = [await join('p-sel'), await join('p-anna'), await join('p-ben')]
      const first = await open(seller, { bidder_names: 'pseudonyms' })
      const second = await open(seller, { bidder_names: 'pseudonyms' })
      const shown = await gateway.get(`/api/v1/auctions/${first}`)
      expect(shown.body).to.include({ bidder_names: 'pseudonyms' })
      const watcher = await clients.webSocket(`${gateway.wsUrl}/ws/auction/${first}`)
      for (const auction of [first, second]) expect((await bid(auction, '10', anna)).status).to.equal(201)
      const update = await watcher.next('bid_update')
      expect(update.bidder.id).to.match(/^anon_[0-9a-z]{26}$/)
      expect(update.current_winner).to.match(/^Bidder [0-9A-Z]{4}$/)
      expect((await bid(first, '11', ben)).status).to.equal(201)
      expect((await bid(first, '20', anna, { kind: 'max' })).status).to.equal(201)
      const bidders = async (auction: string) =>
        (await gateway.get(`/api/v1/auctions/${auction}/bids`)).body.bids.map(({ bidder }: Message) => bidder.id)
      const [ofFirst, ofSecond] = [await bidders(first), await bidders(second)]
      expect(new Set(ofFirst).size, 'two bidders').to.equal(2)
      expect(ofFirst).not.to.include(ofSecond[0])
      const log = (await gateway.get(`/api/v1/auctions/${first}/log`)).body
      for (const secret of [anna.id, ben.id, 'p-anna', 'p-ben'])
        expect(typeof log === 'string' ? log : JSON.stringify(log)).not.to.contain(secret)
      const you = async ({ headers }: Member) => [
        (await gateway.get(`/api/v1/auctions/${first}`, headers)).body.you,
        (await gateway.get('/api/v1/auctions', headers)).body.auctions.find(({ id }: Message) => id === first).you,
      ]
      expect(await you(anna)).to.deep.equal(['leading', 'leading'])
      expect(await you(ben)).to.deep.equal(['outbid', 'outbid'])
      expect(await you(seller)).to.deep.equal(['seller', 'seller'])
    })

    it('keeps sellers from bidding under one of their own', async () => {
      const seller = await join('p-sly')
      const auction = await open(seller, { bidder_names: 'pseudonyms' })
      const own = await bid(auction, '11', seller)
      expect([own.status, own.body.code]).to.deep.equal([403, 'OWN_AUCTION'])
      const socket = await clients.webSocket(`${gateway.wsUrl}/ws/auction/${auction}?access_token=${seller.token}`)
      socket.send({ type: 'place_bid', amount: '11' })
      expect((await socket.next('bid_rejected')).code).to.equal('OWN_AUCTION')
      const buy = await gateway.post(`/api/v1/auctions/${auction}/buy-now`, {}, seller.headers)
      expect(buy.body.code).to.equal('OWN_AUCTION')
      expect((await gateway.get(`/api/v1/auctions/${auction}`)).body.bid_count).to.equal(0)
    })

    it('lists them among one’s bids, page by page, after those under one’s name', async () => {
      const [seller, anna] = [await join('m-sel'), await join('m-anna')]
      const plain = [await open(seller), await open(seller)]
      const hidden: string[] = []
      for (let i = 0; i < 3; i++) hidden.push(await open(seller, { bidder_names: 'pseudonyms' }))
      for (const auction of [...plain, ...hidden]) expect((await bid(auction, '10', anna)).status).to.equal(201)
      const refused = await open(seller, { bidder_names: 'pseudonyms' })
      expect((await bid(refused, '1', anna)).body.code).to.equal('BID_TOO_LOW')
      for (const limit of [1, 2, 3, 100]) {
        const seen: string[] = []
        let next: string | null = ''
        while (next !== null) {
          const cursor: string = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`
          const { status, body }: Message = await gateway.get(`/api/v1/me/bids?limit=${limit}${cursor}`, anna.headers)
          expect(status, JSON.stringify(body)).to.equal(200)
          seen.push(...body.auctions.map(({ id }: Message) => id))
          for (const { you } of body.auctions) expect(you).to.equal('leading')
          next = body.next
        }
        expect(seen, `limit ${limit}`).to.deep.equal([...plain.toReversed(), ...hidden.toReversed()])
      }
    })

    it('says to the seller and admins who has won, once it is over, and to nobody else', async () => {
      const [seller, anna, ben] = [await join('w-sel'), await join('w-anna'), await join('w-ben')]
      const boss = await admin('w-boss')
      const auction = await open(seller, { bidder_names: 'pseudonyms' })
      const winner = async (headers: Record<string, string> = {}) => {
        const { status, body } = await gateway.get(`/api/v1/auctions/${auction}/winner`, headers)
        return { status, code: body.code, body }
      }
      await bid(auction, '10', ben)
      await bid(auction, '12', anna)
      expect(await winner(seller.headers)).to.include({ status: 409, code: 'AUCTION_NOT_OVER' })
      expect(await winner(boss.headers)).to.include({ status: 409, code: 'AUCTION_NOT_OVER' })
      expect(await winner(anna.headers), 'whether it is over or not').to.include({
        status: 403,
        code: 'NOT_SELLER',
      })
      await gateway.post(`/api/v1/auctions/${auction}/close`, {}, seller.headers)
      const shown = (await gateway.get(`/api/v1/auctions/${auction}`, seller.headers)).body
      for (const { headers } of [seller, boss]) {
        const { status, body } = await winner(headers)
        expect(status, JSON.stringify(body)).to.equal(200)
        expect(body).to.deep.include({
          auction_id: auction,
          identity: 'account',
          account: { id: anna.id, name: 'w-anna' },
          winner: shown.leader,
          price: '12.00',
          currency: 'EUR',
          disputed: false,
          code: null,
        })
      }
      expect(await winner()).to.include({ status: 401, code: 'UNAUTHENTICATED' })
      for (const { headers } of [anna, ben])
        expect(await winner(headers)).to.include({ status: 403, code: 'NOT_SELLER' })
      const request = { label: 'r', scopes: ['read'] }
      for (const { headers } of [seller, boss]) {
        const { body: key } = await gateway.post('/api/v1/me/api-keys', request, headers)
        expect(await winner({ 'x-api-key': key.api_key })).to.include({ status: 403, code: 'FORBIDDEN' })
      }
      const sells = { label: 's', scopes: ['read', 'sell'] }
      const { body: key } = await gateway.post('/api/v1/me/api-keys', sells, boss.headers)
      expect(await winner({ 'x-api-key': key.api_key }), 'without its scope no admin').to.include({
        code: 'NOT_SELLER',
      })
      const log = (await gateway.get(`/api/v1/auctions/${auction}/log`)).body
      expect(JSON.stringify(log)).not.to.contain(anna.id).and.not.to.contain('w-anna')
    })

    it('says so if only another gateway knows who has won, or nobody has', async () => {
      const elsewhere = makeTempDir()
      const others = await openAccounts(elsewhere.path, {}, { logger: silentLogger })
      const other = await TestGateway.start(mesh.nodes[0]!, {}, others.parts)
      try {
        const seller = await join('e-sel')
        const guest = await register(other, 'e-guest')
        const auction = await open(seller, { bidder_names: 'pseudonyms' })
        const bids = `/api/v1/auctions/${auction}/bids`
        expect((await other.post(bids, { amount: '11' }, guest.headers)).status).to.equal(201)
        await gateway.post(`/api/v1/auctions/${auction}/close`, {}, seller.headers)
        const { status, body } = await gateway.get(`/api/v1/auctions/${auction}/winner`, seller.headers)
        expect(status).to.equal(200)
        expect(body).to.include({ identity: 'other_gateway', account: null, code: 'WINNER_OF_OTHER_GATEWAY' })
        expect(body.winner.id).to.match(/^anon_/)
        expect([body.reason, body.next].join(' ')).to.contain('only the gateway that the winner came through')
        const named = await open(seller)
        const joe = await join('e-joe')
        await bid(named, '10', joe)
        await gateway.post(`/api/v1/auctions/${named}/close`, {}, seller.headers)
        const open2 = await gateway.get(`/api/v1/auctions/${named}/winner`, seller.headers)
        expect(open2.body).to.deep.include({
          identity: 'public',
          account: null,
          winner: { id: joe.id, name: 'e-joe' },
        })
        const unsold = await open(seller, { bidder_names: 'pseudonyms' })
        await gateway.post(`/api/v1/auctions/${unsold}/close`, {}, seller.headers)
        const nobody = await gateway.get(`/api/v1/auctions/${unsold}/winner`, seller.headers)
        expect([nobody.status, nobody.body.code]).to.deep.equal([404, 'NO_WINNER'])
        const unknown = await gateway.get('/api/v1/auctions/auc_none/winner', seller.headers)
        expect([unknown.status, unknown.body.code]).to.deep.equal([404, 'AUCTION_NOT_FOUND'])
      } finally {
        await other.stop()
        await others.close()
        elsewhere.remove()
      }
    })

    it('has no pseudonyms to give where names are taken on trust', async () => {
      const auction = await open(await join('p-sel3'), { bidder_names: 'pseudonyms' })
      const trusting = await TestGateway.start(mesh.nodes[0]!)
      try {
        const refused = await trusting.bid(auction, 'anna', '12')
        expect([refused.status, refused.body.code]).to.deep.equal([409, 'ACCOUNT_NEEDED'])
      } finally {
        await trusting.stop()
      }
    })
  })

  it('answers whatever it is sent with something other than an error of its own', async () => {
    const member = await join('fuzz')
    const auction = await open(member)
    const { body } = await gateway.get('/docs/json')
    const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    )
    const value = fc.oneof(fc.json(), fc.string(), fc.constantFrom('{"password":"__proto__"}', '[]', 'null'))
    const credentials = fc.oneof(
      fc.constant({ ...member.headers }),
      fc.base64String().map((text) => ({ authorization: `Bearer ${text}` })),
      fc.base64String().map((text) => ({ 'x-api-key': `vk_${text}` })),
      fc.constant({}),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), value, credentials, async ({ method, path }, text, headers) => {
        if (path === '/api/v1/events') return
        const url = gateway.url + path.replace('{id}', auction)
        const hasBody = method !== 'GET' && method !== 'HEAD'
        const response = await fetch(url, {
          method,
          headers: { ...headers, ...(hasBody && { 'content-type': 'application/json' }) },
          ...(hasBody && { body: text }),
        })
        await response.text()
        expect(response.status, `${method} ${path} ${text}`).to.not.equal(500)
      }),
      { numRuns: 300 },
    )
    // One of those may have ended the login.
    const again = await gateway.post('/auth/login', { username: 'fuzz', password: PASSWORD })
    const { token } = memberOf(again.body)
    const socket = await clients.webSocket(`${gateway.wsUrl}/ws?access_token=${token}`)
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          type: fc.constantFrom('authenticate', 'place_bid', 'subscribe', 'buy_now', 'unsubscribe'),
          access_token: fc.oneof(fc.string(), fc.anything()),
          api_key: fc.option(fc.string(), { nil: undefined }),
          user_id: fc.option(fc.string(), { nil: undefined }),
          auction_id: fc.constantFrom(auction, 'auc_zz', undefined),
          amount: fc.oneof(fc.string(), fc.double()),
        }),
        async (frame) => socket.send(frame),
      ),
      { numRuns: 90 },
    )
    socket.send({ type: 'ping' })
    await socket.next('pong')
    expect(socket.heard.filter(({ code }) => code === 'INTERNAL')).to.deep.equal([])
    const socketIo = clients.socketIo(gateway, { token })
    for (const event of ['authenticate', 'placeBid', 'joinAuction', 'endAuction', 'leaveAuction'])
      for (const request of [null, 7, 'x', [], {}, { token: 7 }, { token: 'x'.repeat(5_000) }, { auctionId: {} }])
        expect((await socketIo.ask(event, request as object)).code).to.be.oneOf([
          ...['INVALID_INPUT', 'TOKEN_INVALID', 'UNAUTHENTICATED', 'AUCTION_NOT_FOUND'],
        ])
  })
})
