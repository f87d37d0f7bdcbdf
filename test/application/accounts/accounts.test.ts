import { expect } from 'chai'
import fc from 'fast-check'
import { AccountError } from '../../../src/application/accounts/account-error.js'
import { NAME } from '../../../src/application/accounts/account-input.js'
import { MAX_API_KEYS } from '../../../src/application/accounts/api-keys.js'
import { pseudonymOf } from '../../../src/application/accounts/pseudonym.js'
import { needScope, scopesOf } from '../../../src/application/accounts/roles.js'
import { type Caller, ROLES, SCOPES } from '../../../src/ports/accounts/caller.js'
import { codeOf, DAY_MS, makeAccountHouse, PASSWORD } from '../../support/account-house.js'

describe('accounts', () => {
  it('are made for oneself as bidder and seller, and never as admin', async () => {
    const { accounts } = makeAccountHouse()
    const account = await accounts.register({
      name: 'alice',
      password: PASSWORD,
      roles: ['admin'],
      role: 'admin',
    })
    expect(account.roles).to.deep.equal(['bidder', 'seller'])
    expect((await accounts.add({ name: 'boss', password: PASSWORD }, ['admin'])).roles).to.deep.equal(['admin'])
  })

  it('are made by operators alone where registration is closed', async () => {
    const { accounts } = makeAccountHouse({ registration: 'closed' })
    expect(await codeOf(accounts.register({ name: 'alice', password: PASSWORD }))).to.equal('REGISTRATION_CLOSED')
    expect(await codeOf(accounts.add({ name: 'alice', password: PASSWORD }, ['bidder']))).to.equal('RESOLVED')
  })

  it('get a name that does not give the address away', async () => {
    const { accounts } = makeAccountHouse()
    const { name } = await accounts.register({ email: 'secret.name@example.org', password: PASSWORD })
    expect(name).to.match(/^user-[0-9a-z]{8}$/)
  })

  it('say which of name and address is taken', async () => {
    const { accounts } = makeAccountHouse()
    await accounts.register({ name: 'alice', email: 'a@example.org', password: PASSWORD })
    expect(await codeOf(accounts.register({ name: 'ALICE', password: PASSWORD }))).to.equal('NAME_TAKEN')
    const again = { name: 'bob', email: 'A@example.org', password: PASSWORD }
    expect(await codeOf(accounts.register(again))).to.equal('EMAIL_TAKEN')
  })

  for (const [input, field, rule] of [
    [{ password: PASSWORD }, 'name', 'must be given, or else an email'],
    [{ name: 'a', password: PASSWORD }, 'name', 'must have 2 to 32 characters'],
    [{ name: 'x'.repeat(33), password: PASSWORD }, 'name', 'must have 2 to 32 characters'],
    [{ name: 'аlice', password: PASSWORD }, 'name', 'must be of A-Z a-z 0-9 . _ - and start with a letter or digit'],
    [{ name: '-alice', password: PASSWORD }, 'name', 'must be of A-Z a-z 0-9 . _ - and start with a letter or digit'],
    [
      { name: 'a@b.example', password: PASSWORD },
      'name',
      'must be of A-Z a-z 0-9 . _ - and start with a letter or digit',
    ],
    [{ name: 'alice', email: 'nowhere', password: PASSWORD }, 'email', 'must be an e-mail address'],
    [{ name: 'alice', password: 'short' }, 'password', 'must have at least 8 characters'],
    [{ name: 'alice', password: 'x'.repeat(257) }, 'password', 'must have at most 256 characters'],
    [{ name: 'alice', password: 'PassWord1' }, 'password', 'must not be one that everybody tries first'],
    [{ name: 'alice', password: 'abababab' }, 'password', 'must have more than two different characters'],
    [{ name: 'alice-cooper', password: 'Alice-Cooper' }, 'password', 'must not be the name or the address'],
    [{ name: 'alice', password: 7 }, 'password', 'must be text'],
    [null, '', 'must be an object'],
  ] as const) {
    it(`refuse ${JSON.stringify(input).slice(0, 60)}: ${field} ${rule}`, async () => {
      const error = await makeAccountHouse()
        .accounts.register(input)
        .catch((cause) => cause)
      expect(error).to.be.instanceOf(AccountError)
      expect(error.code).to.equal('INVALID_INPUT')
      expect(error.problems[0]).to.deep.equal({ field, rule })
    })
  }

  it('take a password in whatever form a keyboard sends it', async () => {
    const { accounts, logins } = makeAccountHouse()
    await accounts.register({ name: 'alice', password: 'caf\u00e9 au lait' })
    expect(await codeOf(logins.logIn({ login: 'alice', password: 'cafe\u0301 au lait' }))).to.equal('RESOLVED')
  })

  it('take any input without failing, and never repeat it', async () => {
    const { accounts, logins } = makeAccountHouse()
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.emailAddress(),
      fc.stringMatching(/^[A-Za-z0-9._-]{0,40}$/),
    )
    const input = fc.oneof(
      fc.anything(),
      fc.record({ name: text, email: text, password: text }, { requiredKeys: [] }),
      fc.record({ name: fc.anything(), email: fc.anything(), password: fc.anything() }),
    )
    await fc.assert(
      fc.asyncProperty(input, async (value) => {
        const result = await accounts.register(value).catch((error: unknown) => error)
        if (result instanceof Error) {
          expect(result).to.be.instanceOf(AccountError)
          const password = (value as { password?: unknown } | null)?.password
          if (typeof password === 'string' && password.length > 8)
            expect(JSON.stringify([result.message, (result as AccountError).problems])).not.to.contain(password)
          return
        }
        const { name, email, password } = value as Record<string, string | undefined>
        if (name !== undefined) expect(name).to.match(NAME)
        const login = name ?? email
        expect(await codeOf(logins.logIn({ login, password }))).to.equal('RESOLVED')
        if ((await codeOf(logins.logIn(value))) === 'RESOLVED') throw new Error('logged in without a login')
      }),
      { numRuns: 500 },
    )
  })
})

describe('roles and scopes', () => {
  it('give an admin everything and a bidder no selling', () => {
    expect(scopesOf(['bidder'])).to.deep.equal(['read', 'bid'])
    expect(scopesOf(['seller'])).to.deep.equal(['read', 'bid', 'sell'])
    expect(scopesOf(['admin'])).to.deep.equal(SCOPES)
    expect(scopesOf([])).to.deep.equal([])
  })

  it('let through who has the scope, and say to others whether they are nobody or too little', () => {
    const caller: Caller = { party: { id: 'usr_1', name: 'a' }, roles: ['bidder'], scopes: ['read'] }
    expect(() => needScope(caller, 'read')).not.to.throw()
    expect(() => needScope(caller, 'bid'))
      .to.throw()
      .with.property('code', 'FORBIDDEN')
    expect(() => needScope(null, 'read'))
      .to.throw()
      .with.property('code', 'UNAUTHENTICATED')
  })
})

describe('API keys', () => {
  async function withAlice() {
    const house = makeAccountHouse()
    const alice = await house.accounts.register({ name: 'alice', password: PASSWORD })
    const bob = await house.accounts.add({ name: 'bob', password: PASSWORD }, ['bidder'])
    return { ...house, alice, bob }
  }
  const bot = { label: 'bot', scopes: ['read', 'bid'] }

  it('are shown once, kept as a hash, and have no more than their scopes', async () => {
    const { apiKeys, authenticator, alice, store } = await withAlice()
    const { apiKey, secret } = await apiKeys.create(alice.id, { label: 'bot', scopes: ['bid'] })
    expect(secret).to.match(/^vk_[0-9a-z]{16}_[A-Za-z0-9_-]{43}$/)
    expect(JSON.stringify(await store.apiKeys.find(apiKey.id))).not.to.contain(secret.slice(-43))
    const caller = await authenticator.authenticate({ kind: 'api-key', key: secret })
    expect(caller.party.id).to.equal(alice.id)
    expect(caller.scopes).to.deep.equal(['bid'])
    expect(() => needScope(caller, 'sell'))
      .to.throw()
      .with.property('code', 'FORBIDDEN')
  })

  it('reach no further than their account does at the time', async () => {
    const { apiKeys, accounts, authenticator, alice, bob } = await withAlice()
    expect(await codeOf(apiKeys.create(bob.id, { label: 'bot', scopes: ['sell'] }))).to.equal('SCOPE_NOT_ALLOWED')
    expect(await codeOf(apiKeys.create(alice.id, { label: 'x', scopes: ['admin'] }))).to.equal('SCOPE_NOT_ALLOWED')
    const { secret } = await apiKeys.create(alice.id, { label: 'bot', scopes: ['bid', 'sell'] })
    await accounts.setRoles('alice', ['bidder'])
    expect((await authenticator.authenticate({ kind: 'api-key', key: secret })).scopes).to.deep.equal(['bid'])
  })

  it('are refused once revoked, expired, tampered with, or of a disabled account', async () => {
    const { apiKeys, accounts, authenticator, alice, time } = await withAlice()
    const use = (key: string) => codeOf(authenticator.authenticate({ kind: 'api-key', key }))
    const { apiKey, secret } = await apiKeys.create(alice.id, bot)
    const dated = await apiKeys.create(alice.id, { ...bot, expires_in_days: 1 })
    expect(await use(secret)).to.equal('RESOLVED')
    const last = secret.at(-1) === 'A' ? 'B' : 'A'
    for (const bad of [secret.slice(0, -1) + last, secret.slice(0, -1), '', 'vk_', `${secret}A`])
      expect(await use(bad), bad).to.equal('TOKEN_INVALID')
    expect(await use(dated.secret)).to.equal('RESOLVED')
    time.now += DAY_MS
    expect(await use(dated.secret)).to.equal('TOKEN_EXPIRED')
    await accounts.disable('alice')
    expect(await use(secret)).to.equal('ACCOUNT_DISABLED')
    await accounts.enable('alice')
    expect(await use(secret)).to.equal('RESOLVED')
    await apiKeys.revoke(apiKey.id, alice.id)
    expect(await use(secret)).to.equal('TOKEN_INVALID')
  })

  it("of others cannot be revoked, nor distinguished from ones that don't exist", async () => {
    const { apiKeys, alice, bob } = await withAlice()
    const { apiKey } = await apiKeys.create(alice.id, bot)
    expect(await codeOf(apiKeys.revoke(apiKey.id, bob.id))).to.equal('API_KEY_NOT_FOUND')
    expect(await codeOf(apiKeys.revoke('key_0000000000000000', bob.id))).to.equal('API_KEY_NOT_FOUND')
    expect((await apiKeys.list(alice.id))[0]?.revokedAt).to.equal(null)
    await apiKeys.revoke(apiKey.id, null)
    expect((await apiKeys.list(alice.id))[0]?.revokedAt).not.to.equal(null)
  })

  it(`are at most ${MAX_API_KEYS} for an account`, async () => {
    const { apiKeys, alice } = await withAlice()
    for (let i = 0; i < MAX_API_KEYS; i++) await apiKeys.create(alice.id, bot)
    expect(await codeOf(apiKeys.create(alice.id, bot))).to.equal('TOO_MANY_API_KEYS')
  })

  it('show when they were last used, to the hour', async () => {
    const { apiKeys, authenticator, alice, time } = await withAlice()
    const { secret } = await apiKeys.create(alice.id, bot)
    const lastUsed = async () => (await apiKeys.list(alice.id))[0]?.lastUsedAt
    const first = time.now
    await authenticator.authenticate({ kind: 'api-key', key: secret })
    time.now += 59 * 60_000
    await authenticator.authenticate({ kind: 'api-key', key: secret })
    expect(await lastUsed()).to.equal(first)
    time.now += 60_000
    await authenticator.authenticate({ kind: 'api-key', key: secret })
    expect(await lastUsed()).to.equal(time.now)
  })
})

describe('pseudonyms', () => {
  const of = (account: string, auctionId: string, secret = 's') => pseudonymOf(account, { auctionId, secret })

  it('are the same within an auction, and others in every other auction and of every other gateway', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 2 }), fc.string(), ([a, b], other) => {
        const one = of(a as string, 'auc_1')
        expect(of(a as string, 'auc_1')).to.deep.equal(one)
        expect(of(b as string, 'auc_1').id).not.to.equal(one.id)
        expect(of(a as string, `auc_1${other}x`).id).not.to.equal(one.id)
        expect(of(a as string, 'auc_1', `s${other}x`).id).not.to.equal(one.id)
      }),
    )
  })

  it('look like "Bidder 7KQ2"', () => {
    const { id, name } = of('usr_alice', 'auc_1')
    expect(id).to.match(/^anon_[0-9a-hjkmnp-tv-z]{26}$/)
    expect(name).to.match(/^Bidder [0-9A-HJKMNP-TV-Z]{4}$/)
    expect(ROLES).not.to.include(name)
  })
})
