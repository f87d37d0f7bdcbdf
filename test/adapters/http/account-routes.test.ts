import { createHmac, generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import { loadGatewaySecrets } from '../../../src/adapters/system/gateway-secrets.js'
import { systemRandom } from '../../../src/adapters/system/system-random.js'
import { type AccountGateway, bearer, startAccountGateway } from '../../support/account-gateway.js'

const PASSWORD = 'correct horse battery'
const alice = { username: 'alice', email: 'alice@example.org', password: PASSWORD }

describe('account routes', () => {
  let gateway: AccountGateway

  beforeEach(async () => {
    gateway = await startAccountGateway()
  })
  afterEach(() => gateway.stop())

  it('register and log in at /auth, by username or email, and take the token', async () => {
    const registered = await gateway.post('/auth/register', alice)
    expect(registered.status).to.equal(201)
    expect(registered.body.user).to.deep.include({
      username: 'alice',
      email: 'alice@example.org',
      role: 'user',
      roles: ['bidder', 'seller'],
    })
    for (const body of [
      { username: 'alice', password: PASSWORD },
      { email: 'alice@example.org', password: PASSWORD },
      { email: 'alice', password: PASSWORD },
      alice,
    ]) {
      const login = await gateway.post('/auth/login', body)
      expect(login.status).to.equal(200)
      expect(login.headers.get('cache-control')).to.equal('no-store')
      expect(login.body.token_type).to.equal('Bearer')
      expect(login.body.expires_in).to.be.within(890, 900)
      const me = await gateway.call('GET', '/me', { headers: bearer(login.body.access_token) })
      expect(me.body.party).to.deep.equal({ id: registered.body.user.id, name: 'alice' })
    }
  })

  it('refresh, change the password and log out at /api/v1/auth', async () => {
    const first = (await gateway.post('/api/v1/auth/register', alice)).body
    const refreshed = await gateway.post('/api/v1/auth/refresh', { refresh_token: first.refresh_token })
    expect(refreshed.status).to.equal(200)
    const change = { current_password: PASSWORD, new_password: 'another passphrase' }
    const changed = await gateway.post('/api/v1/auth/password', change, bearer(refreshed.body.access_token))
    expect(changed.status).to.equal(200)
    const me = (token: string) => gateway.call('GET', '/me', { headers: bearer(token) })
    expect((await me(refreshed.body.access_token)).status).to.equal(401)
    expect((await me(changed.body.access_token)).status).to.equal(200)
    const out = await gateway.post('/api/v1/auth/logout', { refresh_token: changed.body.refresh_token })
    expect(out.status).to.equal(204)
    expect((await me(changed.body.access_token)).status).to.equal(401)
  })

  it('keep what renews a login in a cookie where a page asks for it, and take it from there alone', async () => {
    const kept = await gateway.post('/api/v1/auth/register', { ...alice, refresh_token_in: 'cookie' })
    const cookieOf = ({ headers }: { headers: Headers }) => headers.get('set-cookie') ?? ''
    expect(cookieOf(kept)).to.match(
      /^vendue_login=[^;]{20,}; Path=\/api\/v1\/auth; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
    )
    expect(kept.body.refresh_token).to.equal('cookie')
    const [cookie = ''] = cookieOf(kept).split(';')
    expect(kept.text).to.not.include(cookie.split('=')[1])
    const refresh = (headers: Record<string, string>, refresh_token = 'cookie') =>
      gateway.post('/api/v1/auth/refresh', { refresh_token }, headers)
    const refreshed = await refresh({ cookie: `other=1; ${cookie}` })
    expect(refreshed.status).to.equal(200)
    expect(refreshed.body.refresh_token).to.equal('cookie')
    const [next = ''] = cookieOf(refreshed).split(';')
    expect(next)
      .to.match(/^vendue_login=/)
      .and.to.not.equal(cookie)
    // Pages of elsewhere cannot use it, nor does one that shows a token of its own.
    expect((await refresh({ cookie: next, origin: 'https://evil.example' })).body.code).to.equal('ORIGIN_NOT_ALLOWED')
    expect((await refresh({ cookie: next }, 'nonsense')).status).to.equal(401)
    expect((await refresh({})).status).to.equal(401)
    const me = (headers: Record<string, string>) => gateway.call('GET', '/me', { headers })
    expect((await me({ cookie: next })).status).to.equal(401)
    const out = await gateway.post('/api/v1/auth/logout', { refresh_token: 'cookie' }, { cookie: next })
    expect(out.status).to.equal(204)
    expect(cookieOf(out)).to.match(/^vendue_login=; .*Max-Age=0/)
    expect((await me(bearer(refreshed.body.access_token))).status).to.equal(401)
  })

  it('log out by the access token alone', async () => {
    const { access_token } = (await gateway.post('/auth/register', alice)).body
    const out = await gateway.call('POST', '/auth/logout', { headers: bearer(access_token) })
    expect(out.status).to.equal(204)
    expect((await gateway.call('GET', '/me', { headers: bearer(access_token) })).status).to.equal(401)
  })

  it('let a client with an old token in its headers log in', async () => {
    await gateway.post('/auth/register', alice)
    const body = { username: 'alice', password: PASSWORD }
    expect((await gateway.post('/auth/login', body, bearer('old'))).status).to.equal(200)
  })

  it('make, list and revoke API keys, for logins alone', async () => {
    const { access_token } = (await gateway.post('/auth/register', alice)).body
    const keys = '/api/v1/me/api-keys'
    const made = await gateway.post(keys, { label: 'bot', scopes: ['read', 'bid'] }, bearer(access_token))
    expect(made.status).to.equal(201)
    const withKey = { 'x-api-key': made.body.api_key }
    const status = async (method: string, path: string) =>
      (await gateway.call(method, path, { headers: withKey })).status
    expect(await status('POST', '/bid')).to.equal(200)
    expect((await gateway.call('POST', '/bid', { headers: bearer(made.body.api_key) })).status).to.equal(200)
    expect(await status('POST', '/open'), 'beyond its scopes').to.equal(403)
    expect(await status('GET', '/admin')).to.equal(403)
    const more = await gateway.post(keys, { label: 'more', scopes: ['bid'] }, withKey)
    expect(more.body).to.include({ status: 403, code: 'FORBIDDEN' })
    const listed = await gateway.call('GET', keys, { headers: bearer(access_token) })
    expect(listed.body.api_keys).to.have.length(1)
    expect(listed.text).not.to.contain(made.body.api_key)
    const gone = await gateway.call('DELETE', `${keys}/${made.body.id}`, { headers: bearer(access_token) })
    expect(gone.status).to.equal(204)
    expect(await status('POST', '/bid')).to.equal(401)
    const again = await gateway.call('DELETE', `${keys}/key_nothing`, { headers: bearer(access_token) })
    expect(again.body).to.include({ status: 404, code: 'API_KEY_NOT_FOUND' })
  })

  it('answer with problems that name code, field and what to do', async () => {
    await gateway.post('/auth/register', alice)
    const taken = await gateway.post('/auth/register', { ...alice, email: undefined })
    expect(taken.headers.get('content-type')).to.contain('application/problem+json')
    expect(taken.body).to.deep.include({
      status: 409,
      code: 'NAME_TAKEN',
      field: 'username',
      title: 'Refused by a rule',
    })
    expect(taken.body.next).to.be.a('string')
    const short = await gateway.post('/auth/register', { username: 'b', password: 'x' })
    expect(short.body).to.include({ status: 400, code: 'INVALID_INPUT', field: 'username' })
    expect(short.body.errors.map(({ field }: { field: string }) => field)).to.deep.equal(['username', 'password'])
    const typed = await gateway.post('/auth/login', { username: 'alice', password: 7 })
    expect(typed.body).to.include({ status: 400, code: 'INVALID_INPUT', field: 'password' })
    const both = await gateway.post('/auth/login', { username: 7, password: 7 })
    expect(both.body.errors.map(({ field }: { field: string }) => field)).to.deep.equal(['username', 'password'])
    const wrong = await gateway.post('/auth/login', { username: 'alice', password: 'wrong' })
    expect(wrong.body).to.include({ status: 401, code: 'LOGIN_FAILED' })
    const raw = await gateway.call('POST', '/auth/login', { raw: '{"password": "hunter22' })
    expect(raw.body).to.include({ status: 400, code: 'INVALID_JSON' })
    expect(raw.text).not.to.contain('hunter22')
    const large = await gateway.post('/auth/login', { username: 'a', password: 'x'.repeat(20_000) })
    expect(large.body).to.include({ status: 413, code: 'BODY_TOO_LARGE' })
    const nobody = await gateway.call('GET', '/me')
    expect(nobody.body).to.include({ status: 401, code: 'UNAUTHENTICATED' })
    expect(nobody.headers.get('www-authenticate')).to.equal('Bearer realm="vendue"')
  })

  it('never answer 500, whatever the body', async () => {
    const paths = ['register', 'login', 'refresh', 'logout', 'password'].map((name) => `/api/v1/auth/${name}`)
    const { access_token } = (await gateway.post('/auth/register', alice)).body
    const word = fc.oneof(fc.string({ unit: 'binary' }), fc.anything())
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .dictionary(
          fc.constantFrom('username', 'name', 'email', 'password', 'refresh_token', 'new_password', '__proto__'),
          word,
        )
        .map((value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? 0 : part)) ?? ''),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths, '/api/v1/me/api-keys'), body, async (path, raw) => {
        const { status, text } = await gateway.call('POST', path, { raw, headers: bearer(access_token) })
        expect(status, `${raw} -> ${text}`).to.be.lessThan(500)
      }),
      { numRuns: 150 },
    )
  })

  describe('under attack', () => {
    let token: string
    let claims: Record<string, unknown>
    let header: Record<string, unknown>
    const me = async (text: string) => {
      const { status, body } = await gateway.call('GET', '/me', { headers: bearer(text) })
      return `${status} ${body.code ?? ''}`.trim()
    }
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

    beforeEach(async () => {
      token = (await gateway.post('/auth/register', alice)).body.access_token
      const [head = '', payload = ''] = token.split('.')
      header = JSON.parse(Buffer.from(head, 'base64url').toString())
      claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
      expect(await me(token)).to.equal('200')
    })

    it('refuse a token without a signature, whatever its header calls that', async () => {
      for (const alg of ['none', 'None', 'NONE', '']) {
        const unsigned = `${encode({ ...header, alg })}.${encode(claims)}.`
        expect(await me(unsigned), alg).to.equal('401 TOKEN_INVALID')
      }
      const [head, payload] = token.split('.')
      expect(await me(`${head}.${payload}.`)).to.equal('401 TOKEN_INVALID')
    })

    it('refuse a token that is signed with the public key as a shared secret', async () => {
      const { publicKey } = loadGatewaySecrets(gateway.dataDir, systemRandom).tokenKeys[0]
      const pem = publicKey.export({ type: 'spki', format: 'pem' })
      const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url')
      for (const secret of [pem, raw, '']) {
        const signed = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
        const mac = createHmac('sha256', secret).update(signed).digest('base64url')
        expect(await me(`${signed}.${mac}`)).to.equal('401 TOKEN_INVALID')
      }
    })

    it('refuse a token of another key, under a known and an unknown key id, or with its own key inside', async () => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519')
      for (const extra of [{}, { kid: 'other' }, { jwk: publicKey.export({ format: 'jwk' }) }]) {
        const forged = await new SignJWT(claims)
          .setProtectedHeader({ ...header, ...extra, alg: 'EdDSA' })
          .sign(privateKey)
        expect(await me(forged)).to.equal('401 TOKEN_INVALID')
      }
    })

    it('refuse our own signature for another audience, issuer or kind of token, or without an end', async () => {
      const { privateKey } = loadGatewaySecrets(gateway.dataDir, systemRandom).tokenKeys[0]
      const sign = (payload: Record<string, unknown>, head: Record<string, unknown> = header) =>
        new SignJWT(payload).setProtectedHeader({ ...head, alg: 'EdDSA' }).sign(privateKey)
      expect(await me(await sign(claims)), 'as issued').to.equal('200')
      const { exp: _, ...endless } = claims
      for (const [payload, head] of [
        [{ ...claims, aud: 'another-api' }, header],
        [{ ...claims, iss: 'another-issuer' }, header],
        [claims, { ...header, typ: 'JWT' }],
        [endless, header],
        [{ ...claims, sub: 7 }, header],
        [{ ...claims, sid: 'ses_of_somebody_else' }, header],
        [{ ...claims, sub: 'usr_0000000000000000' }, header],
      ] as const)
        expect(await me(await sign(payload, head)), JSON.stringify([payload, head])).to.equal('401 TOKEN_INVALID')
    })

    it('refuse a token with any part changed', async () => {
      const [head = '', payload = '', signature = ''] = token.split('.')
      const admin = encode({ ...claims, sub: 'usr_1' })
      for (const bad of [
        `${head}.${admin}.${signature}`,
        `${encode({ ...header, kid: 'x' })}.${payload}.${signature}`,
        `${head}.${payload}.${signature.slice(0, 20)}${signature[20] === 'A' ? 'B' : 'A'}${signature.slice(21)}`,
        `${head}.${payload}`,
        `${token}.x`,
        'x'.repeat(5_000),
      ])
        expect(await me(bad), bad).to.equal('401 TOKEN_INVALID')
    })

    it('refuse a token that is spelled otherwise, though it is the same bytes', async () => {
      const parts = token.split('.')
      const same = (text: string) => (other: string) =>
        other !== text && Buffer.from(other, 'base64url').equals(Buffer.from(text, 'base64url'))
      const digits = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      let tried = 0
      for (const [place, part] of parts.entries()) {
        const ends = digits.map((digit) => part.slice(0, -1) + digit)
        const standard = part.replaceAll('-', '+').replaceAll('_', '/')
        for (const other of [...ends, standard, `${part}=`, `${part}==`].filter(same(part))) {
          const forged = parts.map((text, i) => (i === place ? other : text)).join('.')
          const { status, body } = await gateway.call('GET', '/me', { headers: bearer(forged) })
          expect([status, body.code], forged).to.deep.equal([401, 'TOKEN_INVALID'])
          tried += 1
        }
      }
      expect(tried).to.be.greaterThan(15)
      expect((await gateway.call('GET', '/me', { headers: bearer(token) })).status).to.equal(200)
    })

    it('refuse an expired token, and say that it has expired', async () => {
      gateway.time.offset = 15 * 60_000
      expect(await me(token)).to.equal('401 TOKEN_EXPIRED')
    })

    it("refuse a disabled account's token at once", async () => {
      await gateway.accounts.disable('alice')
      expect(await me(token)).to.equal('403 ACCOUNT_DISABLED')
    })

    it('refuse credentials sent twice or in another form', async () => {
      const both = await gateway.call('GET', '/me', { headers: { ...bearer(token), 'x-api-key': 'vk_x' } })
      expect(both.body.code).to.equal('TOKEN_INVALID')
      const basic = await gateway.call('GET', '/me', { headers: { authorization: 'Basic YTpi' } })
      expect(basic.body.code).to.equal('TOKEN_INVALID')
    })
  })

  it('never log a secret', async () => {
    const secrets = [PASSWORD, 'another passphrase', 'a password in the wrong place']
    const first = (await gateway.post('/auth/register', alice)).body
    const second = (await gateway.post('/api/v1/auth/refresh', { refresh_token: first.refresh_token })).body
    const change = { current_password: PASSWORD, new_password: 'another passphrase' }
    const third = (await gateway.post('/auth/password', change, bearer(second.access_token))).body
    const made = (
      await gateway.post('/api/v1/me/api-keys', { label: 'b', scopes: ['bid'] }, bearer(third.access_token))
    ).body
    for (const [path, body] of [
      ['/auth/login', { username: 'a password in the wrong place', password: PASSWORD }],
      ['/auth/login', { username: 'alice', password: PASSWORD, extra: PASSWORD }],
      ['/auth/register', { username: 'x', password: PASSWORD }],
      ['/auth/refresh', { refresh_token: first.refresh_token }],
      ['/auth/refresh', { refresh_token: `${second.refresh_token}x` }],
    ] as const)
      await gateway.post(path, body)
    await gateway.call('POST', '/auth/login', { raw: `{"password": "${PASSWORD}` })
    await gateway.call('GET', `/me?access_token=${third.access_token}`)
    await gateway.call('POST', '/open', { headers: { 'x-api-key': made.api_key } })
    await gateway.call('GET', '/me', { headers: bearer(`${third.access_token}x`) })
    for (const tokens of [first, second, third]) secrets.push(tokens.access_token, tokens.refresh_token)
    secrets.push(made.api_key, (await gateway.accounts.get('alice')).passwordHash)
    expect(gateway.log(), 'something was logged').to.contain('account registered').and.contain('login failed')
    for (const secret of secrets) {
      expect(secret).to.be.a('string').and.to.have.length.greaterThan(7)
      expect(gateway.log()).not.to.contain(secret)
    }
  })
})
