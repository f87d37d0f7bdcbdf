import { expect } from 'chai'
import { MAX_SESSIONS, REFRESH_GRACE_MS } from '../../../src/application/accounts/logins.js'
import { codeOf, DAY_MS, MINUTE_MS, makeAccountHouse, PASSWORD } from '../../support/account-house.js'

describe('logins', () => {
  let house: ReturnType<typeof makeAccountHouse>
  const logIn = (login = 'alice', password = PASSWORD) => house.logins.logIn({ login, password })
  const callerOf = (token: string) => house.authenticator.authenticate({ kind: 'access-token', token })

  beforeEach(async () => {
    house = makeAccountHouse()
    await house.accounts.register({ name: 'alice', email: 'alice@example.org', password: PASSWORD })
  })

  it('let in by name or address, and say who calls', async () => {
    for (const login of ['alice', 'ALICE', 'Alice@example.org']) {
      const { accessToken, account } = await logIn(login)
      const { party, roles, scopes } = await callerOf(accessToken)
      expect(party).to.deep.equal({ id: account.id, name: 'alice' })
      expect(party.id).to.match(/^usr_[0-9a-z]{16}$/)
      expect(roles).to.deep.equal(['bidder', 'seller'])
      expect(scopes).to.deep.equal(['read', 'bid', 'sell'])
    }
  })

  for (const [email, ...others] of [
    ['jürgen@example.org', 'JÜRGEN@Example.org', 'ju\u0308rgen@example.org'],
    ['anna@münchen.example', 'anna@xn--mnchen-3ya.example', 'Anna@MÜNCHEN.example'],
    ['θσερ@εχαμπλε.ψομ', 'ΘΣΕΡ@ΕΧΑΜΠΛΕ.ΨΟΜ'],
    ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v'],
    ["o'brien+bids@mail.example", "O'Brien+Bids@MAIL.EXAMPLE"],
  ] as const)
    it(`let in by the address ${email}, however it is written, and let nobody register it again`, async () => {
      const registered = await house.accounts.register({ email, password: PASSWORD })
      for (const login of [email, ...others]) {
        expect((await logIn(login)).account.id, login).to.equal(registered.id)
        expect(await codeOf(house.accounts.register({ email: login, password: PASSWORD }))).to.equal('EMAIL_TAKEN')
      }
    })

  for (const email of [
    ...['anna', '@example.org', 'anna@', 'anna@nowhere', 'an na@example.org', 'anna@exa mple.org'],
    ...['anna@example..org', 'anna@-example.org', 'anna@example.123', '.anna@example.org', 'an..na@example.org'],
    ...['anna@example.org/x', 'anna@example.org:80', 'a\u200db@example.org', 'anna\n@example.org', 'a@b@example.org'],
  ])
    it(`take no ${JSON.stringify(email)} for an address`, async () => {
      expect(await codeOf(house.accounts.register({ email, password: PASSWORD }))).to.equal('INVALID_INPUT')
    })

  it('answer an unknown name like a wrong password, after the same work', async () => {
    const wrong = await logIn('alice', 'not the password').catch((error) => error)
    const unknown = await logIn('nobody', 'not the password').catch((error) => error)
    expect(wrong.code).to.equal('LOGIN_FAILED')
    expect({ ...unknown, message: unknown.message }).to.deep.equal({ ...wrong, message: wrong.message })
    expect(house.passwords.verified).to.deep.equal([`v1:${PASSWORD}`, null])
  })

  it('reveal that an account is disabled only to those who know its password', async () => {
    await house.accounts.disable('alice')
    expect(await codeOf(logIn())).to.equal('ACCOUNT_DISABLED')
    expect(await codeOf(logIn('alice', 'not the password'))).to.equal('LOGIN_FAILED')
    await house.accounts.enable('alice')
    expect(await codeOf(logIn())).to.equal('RESOLVED')
  })

  it('take an access token until it expires', async () => {
    const { accessToken } = await logIn()
    house.time.now += 15 * MINUTE_MS - 1_000
    expect(await codeOf(callerOf(accessToken))).to.equal('RESOLVED')
    house.time.now += 1_000
    expect(await codeOf(callerOf(accessToken))).to.equal('TOKEN_EXPIRED')
  })

  it("refuse a disabled account's valid tokens, and let none come back by enabling it", async () => {
    const { accessToken, refreshToken } = await logIn()
    await house.accounts.disable('alice')
    expect(await codeOf(callerOf(accessToken))).to.equal('ACCOUNT_DISABLED')
    await house.accounts.enable('alice')
    expect(await codeOf(callerOf(accessToken))).to.equal('TOKEN_INVALID')
    expect(await codeOf(house.logins.refresh(refreshToken))).to.equal('REFRESH_TOKEN_INVALID')
  })

  it('go by the roles of now, not of when the token was issued', async () => {
    const { accessToken } = await logIn()
    await house.accounts.setRoles('alice', ['bidder'])
    expect((await callerOf(accessToken)).scopes).to.deep.equal(['read', 'bid'])
  })

  it('end with a log-out, refresh and access token alike; a second log-out does nothing', async () => {
    const [mine, other] = [await logIn(), await logIn()]
    await house.logins.logOut(mine.refreshToken)
    await house.logins.logOut(mine.refreshToken)
    expect(await codeOf(callerOf(mine.accessToken))).to.equal('TOKEN_INVALID')
    expect(await codeOf(house.logins.refresh(mine.refreshToken))).to.equal('REFRESH_TOKEN_INVALID')
    expect(await codeOf(callerOf(other.accessToken))).to.equal('RESOLVED')
  })

  it('all end with a new password, which the old one has to be given for', async () => {
    const { account, accessToken, refreshToken } = await logIn()
    const change = (current_password: string, new_password: string) =>
      house.accounts.changePassword(account.id, { current_password, new_password })
    expect(await codeOf(change('not the password', 'another passphrase'))).to.equal('PASSWORD_WRONG')
    expect(await codeOf(change(PASSWORD, 'alice@example.org'))).to.equal('INVALID_INPUT')
    expect(await codeOf(callerOf(accessToken))).to.equal('RESOLVED')
    await change(PASSWORD, 'another passphrase')
    expect(await codeOf(callerOf(accessToken))).to.equal('TOKEN_INVALID')
    expect(await codeOf(house.logins.refresh(refreshToken))).to.equal('REFRESH_TOKEN_INVALID')
    expect(await codeOf(logIn())).to.equal('LOGIN_FAILED')
    expect(await codeOf(logIn('alice', 'another passphrase'))).to.equal('RESOLVED')
  })

  it('renew hashes that were made with other costs', async () => {
    house.passwords.version = 2
    await logIn()
    expect((await house.accounts.get('alice')).passwordHash).to.equal(`v2:${PASSWORD}`)
    expect(await codeOf(logIn())).to.equal('RESOLVED')
  })

  it(`are at most ${MAX_SESSIONS} for an account: one more ends the oldest`, async () => {
    const first = await logIn()
    house.time.now += 1
    const second = await logIn()
    for (let i = 1; i < MAX_SESSIONS; i++) {
      house.time.now += 1
      await logIn()
    }
    expect(await codeOf(callerOf(first.accessToken))).to.equal('TOKEN_INVALID')
    expect(await codeOf(callerOf(second.accessToken))).to.equal('RESOLVED')
  })

  describe('refresh tokens', () => {
    it('are good once, and each brings the next', async () => {
      let tokens = await logIn()
      const seen = new Set([tokens.refreshToken])
      for (let i = 0; i < 5; i++) {
        house.time.now += DAY_MS
        tokens = await house.logins.refresh(tokens.refreshToken)
        expect(await codeOf(callerOf(tokens.accessToken))).to.equal('RESOLVED')
        seen.add(tokens.refreshToken)
      }
      expect(seen.size).to.equal(6)
    })

    it('that come again end the login, the newest token with it, and other logins go on', async () => {
      const [stolen, other] = [await logIn(), await logIn()]
      const newest = await house.logins.refresh(stolen.refreshToken)
      house.time.now += REFRESH_GRACE_MS + 1
      expect(await codeOf(house.logins.refresh(stolen.refreshToken))).to.equal('REFRESH_TOKEN_REUSED')
      expect(await codeOf(house.logins.refresh(newest.refreshToken))).to.equal('REFRESH_TOKEN_INVALID')
      expect(await codeOf(callerOf(newest.accessToken))).to.equal('TOKEN_INVALID')
      expect(await codeOf(house.logins.refresh(other.refreshToken))).to.equal('RESOLVED')
    })

    it('bring the same successor to two tabs at once, and after a lost answer', async () => {
      const { refreshToken } = await logIn()
      const [a, b] = await Promise.all([house.logins.refresh(refreshToken), house.logins.refresh(refreshToken)])
      house.time.now += REFRESH_GRACE_MS
      const c = await house.logins.refresh(refreshToken)
      expect(new Set([a.refreshToken, b.refreshToken, c.refreshToken]).size).to.equal(1)
      expect(await codeOf(house.logins.refresh(a.refreshToken))).to.equal('RESOLVED')
    })

    it('end the login at once where the successor was used already: there is one line of tokens', async () => {
      const { refreshToken } = await logIn()
      const next = await house.logins.refresh(refreshToken)
      const newest = await house.logins.refresh(next.refreshToken)
      expect(await codeOf(house.logins.refresh(refreshToken))).to.equal('REFRESH_TOKEN_REUSED')
      expect(await codeOf(house.logins.refresh(newest.refreshToken))).to.equal('REFRESH_TOKEN_INVALID')
    })

    it('are no good when forged, cut, of another form, or derived without the gateway secret', async () => {
      const { refreshToken } = await logIn()
      for (const bad of ['', 'vr_', refreshToken.slice(0, -1), `${refreshToken}A`, 'x'.repeat(5_000)])
        expect(await codeOf(house.logins.refresh(bad)), bad).to.equal('REFRESH_TOKEN_INVALID')
      const forged = `vr_${'A'.repeat(43)}_${'A'.repeat(43)}`
      expect(await codeOf(house.logins.refresh(forged))).to.equal('REFRESH_TOKEN_INVALID')
      expect(await codeOf(house.logins.refresh(refreshToken))).to.equal('RESOLVED')
    })

    it('end when idle, and with the login whatever happens', async () => {
      const idle = await logIn()
      house.time.now += 30 * DAY_MS
      expect(await codeOf(house.logins.refresh(idle.refreshToken))).to.equal('REFRESH_TOKEN_INVALID')
      let busy = await logIn()
      const start = house.time.now
      while (house.time.now + 20 * DAY_MS < start + 90 * DAY_MS) {
        house.time.now += 20 * DAY_MS
        busy = await house.logins.refresh(busy.refreshToken)
      }
      expect(busy.refreshExpiresAt).to.equal(start + 90 * DAY_MS)
      house.time.now = start + 90 * DAY_MS
      expect(await codeOf(house.logins.refresh(busy.refreshToken))).to.equal('REFRESH_TOKEN_INVALID')
    })

    it('are kept as hashes alone', async () => {
      const tokens = await logIn()
      const next = await house.logins.refresh(tokens.refreshToken)
      const { credential } = await callerOf(next.accessToken)
      const id = credential.kind === 'access-token' ? credential.sessionId : ''
      const stored = JSON.stringify(await house.store.sessions.find(id))
      for (const part of [...tokens.refreshToken.split('_'), ...next.refreshToken.split('_')].filter(
        (text) => text.length > 8,
      ))
        expect(stored).not.to.contain(part)
    })
  })
})
