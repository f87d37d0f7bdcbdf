import { expect } from 'chai'
import type { Tokens } from '../../src/client/exports.js'
import { settle } from '../support/manual-time.js'
import { AUCTION, anAuction, broken, FakeGateways, type FakeRequest } from './support/fake-gateways.js'

describe('a login of the client', () => {
  /** A gateway whose access tokens last a minute. */
  function withAccounts() {
    const fake = new FakeGateways({ user: undefined as never })
    let given = 0
    const valid = new Map<string, number>()
    const refreshable = new Set<string>()
    const tokens = () => {
      given += 1
      valid.set(`access-${given}`, fake.time.now() + 60_000)
      refreshable.add(`refresh-${given}`)
      const names = { access_token: `access-${given}`, refresh_token: `refresh-${given}` }
      return { body: { ...names, token_type: 'Bearer', expires_in: 60, refresh_expires_in: 3_600 } }
    }
    const refused = (code: string) => ({ status: 401, body: { code, detail: code } })
    const serve = ({ path, body, headers }: FakeRequest) => {
      if (path === '/api/v1/auth/login') return tokens()
      if (path === '/api/v1/auth/refresh') {
        return refreshable.delete(body.refresh_token) ? tokens() : refused('REFRESH_TOKEN_REUSED')
      }
      const token = headers.get('authorization')?.replace('Bearer ', '') ?? ''
      return (valid.get(token) ?? 0) > fake.time.now() ? { body: anAuction(1) } : refused('TOKEN_EXPIRED')
    }
    fake.handler = serve
    const refreshes = () => fake.requests.filter(({ path }) => path.endsWith('/refresh')).length
    return { fake, serve, refreshes, revoke: () => valid.clear(), forget: () => refreshable.clear() }
  }

  it('is renewed before it expires, once for all who wait', async () => {
    const { fake, refreshes } = withAccounts()
    await fake.client.accounts.login({ username: 'anna', password: 'secret secret' })
    await fake.client.show(AUCTION)
    expect(refreshes()).to.equal(0)
    await fake.advance(31_000)
    await Promise.all([1, 2, 3].map(() => fake.client.show(AUCTION)))
    expect(refreshes()).to.equal(1)
    expect(fake.requests.at(-1)?.headers.get('authorization')).to.equal('Bearer access-2')
  })

  it('is renewed where the gateway no longer takes the token, and the request made again', async () => {
    const { fake, revoke, refreshes } = withAccounts()
    await fake.client.accounts.login({ username: 'anna', password: 'secret secret' })
    revoke()
    expect((await fake.client.show(AUCTION)).seq).to.equal(1)
    expect(refreshes()).to.equal(1)
  })

  it('holds for the open connection too: renewed tokens are sent there, and new ones after an end', async () => {
    const { fake, revoke } = withAccounts()
    await fake.client.accounts.login({ username: 'anna', password: 'secret secret' })
    const watching = fake.client.watch(AUCTION).catch((error: Error) => error)
    await fake.welcome('accounts')
    const told = () => fake.socket.all('authenticate').map(({ access_token }) => access_token)
    await fake.authenticated()
    expect(told()).to.deep.equal(['access-1'])
    for (let i = 0; i < 2; i++) {
      await fake.advance(20_000)
      fake.socket.tell({ type: 'pong', id: 0, server_time: new Date(fake.time.now()).toISOString() })
    }
    await fake.authenticated()
    expect(told(), 'before the old one expired').to.deep.equal(['access-1', 'access-2'])
    revoke()
    await fake.advance(6_000)
    fake.socket.tell({ type: 'signed_out', code: 'TOKEN_INVALID', reason: 'it has ended', next: null })
    await settle()
    await settle()
    expect(told()).to.deep.equal(['access-1', 'access-2', 'access-3'])
    expect(fake.sockets).to.have.length(1)
    fake.client.close()
    await watching
  })

  it('is kept where the answer to a refresh is lost', async () => {
    const { fake, serve, refreshes } = withAccounts()
    await fake.client.accounts.login({ username: 'anna', password: 'secret secret' })
    await fake.advance(31_000)
    let lose = true
    fake.handler = (request) => {
      if (!request.path.endsWith('/refresh') || !lose) return serve(request)
      lose = false
      return broken('ECONNRESET')
    }
    const shown = fake.client.show(AUCTION)
    await fake.advance(1_000)
    expect((await shown).seq).to.equal(1)
    expect(refreshes()).to.equal(2)
  })

  it('that has ended is reported, and is not tried again', async () => {
    const { fake, revoke, forget, refreshes } = withAccounts()
    const told: (Tokens | null)[] = []
    fake.client.on('tokens', ({ tokens }) => told.push(tokens))
    await fake.client.accounts.login({ username: 'anna', password: 'secret secret' })
    revoke()
    forget()
    const error = await fake.client.show(AUCTION).then(
      () => null,
      (reason) => reason,
    )
    expect(error).to.include({ code: 'TOKEN_EXPIRED', status: 401 })
    expect(told.map((tokens) => tokens?.access_token ?? null)).to.deep.equal(['access-1', null])
    await fake.client.show(AUCTION).catch(() => {})
    expect(refreshes()).to.equal(1)
  })

  it('is the first thing said over a socket that can send no headers, and never in its address', async () => {
    const login = withAccounts().fake
    await login.client.accounts.login({ username: 'anna', password: 'secret secret' })
    const program = new FakeGateways({ apiKey: 'vk_secret', user: undefined as never })
    for (const [fake, secret] of [
      [login, { access_token: 'access-1' }],
      [program, { api_key: 'vk_secret' }],
    ] as const) {
      const states: string[] = []
      fake.client.on('connection', ({ state }) => states.push(state))
      fake.client.connect()
      await fake.welcome('accounts')
      expect(fake.socket.url).to.equal('ws://a/ws')
      expect(fake.socket.sent).to.deep.equal([{ type: 'authenticate', ...secret }])
      expect(states, 'nothing is asked as nobody').to.deep.equal(['connecting'])
      await fake.authenticated()
      expect(states).to.deep.equal(['connecting', 'online'])
      void fake.client.bid(AUCTION, '5').catch(() => {})
      await settle()
      expect(fake.socket.all('place_bid')).to.have.lengthOf(1)
      fake.client.close()
    }
  })

  it('that a connection is refused leaves it nobody’s: it hears, and bids go by HTTP, which say why', async () => {
    const fake = new FakeGateways({ apiKey: 'vk_revoked', user: undefined as never })
    fake.handler = () => ({ status: 401, body: { code: 'TOKEN_INVALID', detail: 'revoked' } })
    const states: string[] = []
    fake.client.on('connection', ({ state }) => states.push(state))
    fake.client.connect()
    await fake.welcome('accounts')
    fake.socket.tell({ type: 'error', code: 'TOKEN_INVALID', message: 'revoked', field: null, next: null })
    await settle()
    expect(states.at(-1)).to.equal('online')
    const refused = await fake.client.bid(AUCTION, '5').catch((error: Error) => error)
    expect(refused).to.include({ code: 'TOKEN_INVALID', status: 401 })
    expect(fake.requests.at(-1)?.headers.get('x-api-key')).to.equal('vk_revoked')
    await fake.advance(10_000)
    expect(fake.socket.all('authenticate'), 'and is not asked again with the same').to.have.lengthOf(1)
    fake.client.close()
  })

  it('that has expired by then is renewed before the connection counts as one', async () => {
    const { fake, revoke, refreshes } = withAccounts()
    await fake.client.accounts.login({ username: 'anna', password: 'secret secret' })
    revoke()
    fake.client.connect()
    await fake.welcome('accounts')
    fake.socket.tell({ type: 'error', code: 'TOKEN_EXPIRED', message: 'expired', field: null, next: null })
    await fake.authenticated()
    expect(refreshes()).to.equal(1)
    expect(fake.socket.all('authenticate').map(({ access_token }) => access_token)).to.deep.equal([
      'access-1',
      'access-2',
    ])
    expect(fake.sockets).to.have.length(1)
    fake.client.close()
  })
})
