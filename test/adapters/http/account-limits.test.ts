import { expect } from 'chai'
import fc from 'fast-check'
import { BoundedRateLimiter } from '../../../src/application/gateway/bounded-rate-limiter.js'
import type { Source } from '../../../src/application/gateway/guard.js'
import { addressKey } from '../../../src/application/gateway/limit-key.js'
import {
  DEFAULT_LIMITS,
  DEFAULT_RATES,
  type LimitRules,
  limitsSetting,
  type RateName,
  shownLimits,
} from '../../../src/application/gateway/limit-rules.js'
import { LimitError, Limits } from '../../../src/application/gateway/limits.js'
import { type AccountGateway, startAccountGateway } from '../../support/account-gateway.js'

function rules(rates: Partial<Record<RateName, number>>, open = {}): LimitRules {
  const given = Object.entries(rates).map(([name, count]) => [name, { count, seconds: 3_600 }])
  return {
    ...DEFAULT_LIMITS,
    rates: { ...DEFAULT_RATES, ...Object.fromEntries(given) },
    open: { ...DEFAULT_LIMITS.open, ...open },
  }
}

function refusalOf(call: () => unknown): unknown {
  try {
    call()
    return null
  } catch (error) {
    return error
  }
}

function codeOf(call: () => unknown): string {
  return (refusalOf(call) as LimitError | null)?.code ?? 'DONE'
}

describe('limits', () => {
  it('count bids for an account and for an address, each with its own rate', async () => {
    const limits = new Limits(rules({ bids_per_account: 2, bids_per_address: 3 }))
    const bid = (accountId: string, address = '192.0.2.1') => codeOf(() => limits.bid({ accountId, address }))
    expect(bid('usr_a')).to.equal('DONE')
    expect(bid('usr_a')).to.equal('DONE')
    const refusal = refusalOf(() => limits.bid({ accountId: 'usr_a', address: '192.0.2.9' })) as LimitError
    expect(refusal).to.be.instanceOf(LimitError)
    expect(refusal.limit).to.equal('bids_per_account')
    expect(refusal.retryAfterSeconds).to.be.within(3_590, 3_600)
    expect(bid('usr_b')).to.equal('DONE')
    expect(bid('usr_c'), 'the address').to.equal('TOO_MANY_REQUESTS')
    expect(bid('usr_c', '192.0.2.2')).to.equal('DONE')
  })

  it('let all of several through or none, and more than the rate holds for all that it holds', () => {
    const limiter = new BoundedRateLimiter({ count: 5, seconds: 60 }, 10)
    expect(limiter.take('a', 3).ok).to.equal(true)
    expect(limiter.take('a', 3).ok).to.equal(false)
    expect(limiter.take('a', 2).ok, 'what was refused was not counted').to.equal(true)
    expect(limiter.take('b', 1_000).ok).to.equal(true)
    expect(limiter.take('b').ok).to.equal(false)
  })

  it('let through as many as the rate says, and what was given back once more', () => {
    const limiter = new BoundedRateLimiter({ count: 150, seconds: 60 }, 10)
    let through = 0
    for (let i = 0; i < 100; i++) if (limiter.take('a').ok) through += 1
    expect(through).to.equal(100)
    for (let i = 0; i < 30; i++) limiter.giveBack('a')
    for (let i = 0; i < 200; i++) if (limiter.take('a').ok) through += 1
    expect(through).to.equal(180)
    expect(limiter.take('a')).to.have.property('retryAfterMs').that.is.within(1, 60_000)
    expect(limiter.take('b').ok).to.equal(true)
  })

  it('let through again once the time is over, however often one asked meanwhile', async () => {
    const limiter = new BoundedRateLimiter({ count: 1, seconds: 1 }, 10)
    expect(limiter.take('a').ok).to.equal(true)
    const deadline = Date.now() + 10_000
    let verdict = limiter.take('a')
    expect(verdict.ok).to.equal(false)
    while (!verdict.ok && Date.now() < deadline) {
      expect(verdict.retryAfterMs).to.be.within(1, 1_000)
      await new Promise((resolve) => setTimeout(resolve, 20))
      verdict = limiter.take('a')
    }
    expect(verdict.ok).to.equal(true)
  })

  it('keep a bounded number of keys, and forget nobody for a flood of others', async () => {
    const limiter = new BoundedRateLimiter({ count: 2, seconds: 3_600 }, 100)
    limiter.take('attacker')
    limiter.take('attacker')
    for (let i = 0; i < 5_000; i++) limiter.take(`flood ${i}`)
    expect(limiter.size).to.equal(100)
    expect(limiter.take('attacker').ok).to.equal(false)
  })

  it('bound what is held, and free the place of what is given back once', () => {
    const limits = new Limits(rules({}, { open_connections_per_address: 2, open_connections_per_account: 1 }))
    const held = (source: Source) => {
      const holding = limits.hold('connections', source)
      holding.add(1)
      return holding
    }
    const nobody = { address: '192.0.2.1' }
    const alice = { ...nobody, accountId: 'usr_a' }
    const first = held(alice)
    expect(
      codeOf(() => held(alice)),
      'the account',
    ).to.equal('TOO_MANY_REQUESTS')
    held(nobody)
    expect(
      codeOf(() => held(nobody)),
      'the address',
    ).to.equal('TOO_MANY_REQUESTS')
    expect(limits.held('connections')).to.equal(2)
    expect([...limits.refusals]).to.deep.equal([
      ['open_connections_per_account', 1],
      ['open_connections_per_address', 1],
    ])
    first.release()
    first.release()
    expect(codeOf(() => held(alice))).to.equal('DONE')
    expect(codeOf(() => held(nobody))).to.equal('TOO_MANY_REQUESTS')
  })

  it('count what changes hands for its new account, and leave it where that has too much', () => {
    const limits = new Limits(rules({}, { open_subscriptions_per_account: 3, open_subscriptions_per_address: 9 }))
    const hold = (accountId?: string) => limits.hold('subscriptions', { address: '192.0.2.1', accountId })
    const [nobodys, alices] = [hold(), hold('usr_a')]
    nobodys.add(2)
    alices.add(2)
    expect(codeOf(() => nobodys.become('usr_a'))).to.equal('TOO_MANY_REQUESTS')
    alices.release(1)
    nobodys.become('usr_a')
    expect(codeOf(() => alices.add(1))).to.equal('TOO_MANY_REQUESTS')
    nobodys.become(undefined)
    expect(codeOf(() => alices.add(1))).to.equal('DONE')
    expect(
      codeOf(() => hold().add(6)),
      'what was moved stayed with the address',
    ).to.equal('TOO_MANY_REQUESTS')
    expect(codeOf(() => hold().add(5))).to.equal('DONE')
  })

  describe('of logins', () => {
    it('slow guessing down from one address, for one name and for all', () => {
      const limits = new Limits(rules({ logins_per_name_and_address: 2, logins_per_address: 3 }))
      const guess = (name: string, address = '192.0.2.1') => codeOf(() => limits.login(name, { address }))
      expect([guess('alice'), guess('ALICE ')]).to.deep.equal(['DONE', 'DONE'])
      expect(guess('Alice'), 'the same name').to.equal('TOO_MANY_REQUESTS')
      expect(guess('bob'), 'the address').to.equal('TOO_MANY_REQUESTS')
      expect(guess('bob', '192.0.2.2')).to.equal('DONE')
    })

    it('do not count what succeeds', () => {
      const limits = new Limits(rules({ logins_per_name_and_address: 2, logins_per_address: 2, logins_per_name: 2 }))
      for (let i = 0; i < 20; i++) limits.login('alice', { address: '192.0.2.1' }).succeeded()
    })

    it('slow down guesses from many addresses, and never keep the owner out of where they log in from', () => {
      const limits = new Limits(rules({ logins_per_name: 10 }))
      const home = { address: '198.51.100.7' }
      limits.login('alice', home).succeeded()
      const results = Array.from({ length: 100 }, (_, i) =>
        codeOf(() => limits.login('alice', { address: `192.0.2.${i}` })),
      )
      expect(results.filter((code) => code === 'DONE')).to.have.length(10)
      expect(codeOf(() => limits.login('alice', { address: '203.0.113.5' }))).to.equal('TOO_MANY_REQUESTS')
      limits.login('alice', home).succeeded()
      expect(codeOf(() => limits.login('bob', { address: '192.0.2.1' }))).to.equal('DONE')
    })
  })

  describe('at the routes', () => {
    let gateway: AccountGateway
    afterEach(() => gateway.stop())
    const from = (address: string) => ({ 'x-forwarded-for': address })

    it('stop brute force with 429 and Retry-After, and let the owner in from home', async () => {
      gateway = await startAccountGateway({
        limits: rules({ logins_per_name_and_address: 3, logins_per_name: 5 }),
      })
      const good = { username: 'alice', password: 'correct horse battery' }
      await gateway.post('/auth/register', good)
      expect((await gateway.post('/auth/login', good, from('198.51.100.7'))).status).to.equal(200)
      const statuses: number[] = []
      for (let i = 0; i < 8; i++) {
        const bad = { ...good, password: `guess number ${i}` }
        statuses.push((await gateway.post('/auth/login', bad, from(`192.0.2.${i % 2}`))).status)
      }
      expect(statuses).to.deep.equal([401, 401, 401, 401, 401, 429, 429, 429])
      const refused = await gateway.post('/auth/login', good, from('203.0.113.5'))
      expect(refused.body).to.include({ status: 429, code: 'TOO_MANY_REQUESTS', limit: 'logins_per_name' })
      expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 3_600)
      expect((await gateway.post('/auth/login', good, from('198.51.100.7'))).status).to.equal(200)
    })

    it('count guesses at one account together, by its name, by its address and in a change of its password', async () => {
      gateway = await startAccountGateway({ limits: rules({ logins_per_name_and_address: 4 }) })
      const alice = { username: 'alice', email: 'alice@example.org', password: 'correct horse battery' }
      const { body } = await gateway.post('/auth/register', alice)
      const guesses = [{ username: 'alice' }, { email: 'ALICE@example.org' }, { name: 'Alice' }]
      for (const guess of guesses) {
        const { status } = await gateway.post('/auth/login', { ...guess, password: 'a guess' })
        expect(status).to.equal(401)
      }
      const change = { current_password: 'a guess', new_password: 'another long one' }
      const headers = { authorization: `Bearer ${body.access_token}` }
      expect((await gateway.post('/api/v1/auth/password', change, headers)).body.code).to.equal('PASSWORD_WRONG')
      const refused = await gateway.post('/auth/login', { email: alice.email, password: 'a guess' })
      expect(refused.body).to.include({ status: 429, limit: 'logins_per_name_and_address' })
    })

    it('bound registrations and calls', async () => {
      gateway = await startAccountGateway({
        limits: rules({ registrations_per_address: 1, calls_per_address: 4 }),
      })
      const register = (username: string) =>
        gateway.post('/auth/register', { username, password: 'correct horse battery' }, from('192.0.2.1'))
      expect((await register('alice')).status).to.equal(201)
      expect((await register('bob')).body.limit).to.equal('registrations_per_address')
      await register('bob')
      await register('bob')
      expect((await register('bob')).body.limit).to.equal('calls_per_address')
      const other = await gateway.call('GET', '/me', { headers: from('192.0.2.2') })
      expect(other.body.code).to.equal('UNAUTHENTICATED')
    })
  })

  describe('know an address', () => {
    for (const [address, key] of [
      ['192.0.2.1', '192.0.2.1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['::ffff:c000:201', '192.0.2.1'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
      ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
      ['::1', '0:0:0:0::/64'],
      ['fe80::1%eth0', 'fe80:0:0:0::/64'],
      ['nonsense', 'unknown'],
    ] as const)
      it(`${address} as ${key}`, () => expect(addressKey(address)).to.equal(key))

    it('as one network, whatever its lower half', () => {
      fc.assert(
        fc.property(fc.ipV6(), (address) => {
          expect(addressKey(address)).to.match(/^([0-9a-f]{1,4}(:[0-9a-f]{1,4}){3}::\/64|\d+(\.\d+){3})$/)
        }),
      )
    })
  })

  describe('as a setting', () => {
    it('are read from text and from a file, and the others keep their defaults', () => {
      const expected = rules({}, { open_connections_per_address: 9 })
      for (const given of [
        'bids_per_account:5/2m, open_connections_per_address:9',
        { bids_per_account: '5/2m', open_connections_per_address: 9 },
      ])
        expect(limitsSetting.parse(given)).to.deep.equal({
          ...expected,
          rates: { ...expected.rates, bids_per_account: { count: 5, seconds: 120 } },
        })
    })

    it('are shown where they are not the defaults, in the form they are read in', () => {
      expect(shownLimits(DEFAULT_LIMITS)).to.deep.equal({})
      const given = { bids_per_account: '5/120s', open_connections_per_address: 9 }
      expect(shownLimits(limitsSetting.parse(given))).to.deep.equal(given)
    })

    for (const bad of ['bids', 'bids_per_account:0/1m', 'bids_per_account:5', 'nothing:1/1s', '__proto__:1/1s'])
      it(`refuse ${bad}`, () => {
        const parsed = limitsSetting.safeParse(bad)
        expect(parsed.error?.issues[0]?.message).to.contain('must name limits')
      })
  })
})
