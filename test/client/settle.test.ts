import { expect } from 'chai'
import { RequestRefused, UnknownOutcome } from '../../src/client/exports.js'
import type { BidOutcome } from '../../src/client/messages.js'
import { settle } from '../support/manual-time.js'
import { AUCTION, broken, FakeGateways } from './support/fake-gateways.js'

const ACCEPTED = {
  status: 'accepted',
  auction_id: AUCTION,
  seq: 2,
  leads: true,
  price: '5.00',
  reserve_met: true,
}

function problem(code: string, status: number, more: Record<string, unknown> = {}) {
  return { status, body: { code, detail: `it is ${code}`, next: 'do this', ...more } }
}

describe('an outcome that is not known', () => {
  const started = (fake: FakeGateways, work: Promise<unknown>) => {
    const result: { value?: unknown; error?: Error } = {}
    work.then(
      (value) => {
        result.value = value
      },
      (error) => {
        result.error = error
      },
    )
    return { result, advance: (ms: number) => fake.advance(ms) }
  }

  it('is asked about with the same id, through another gateway, until it is known', async () => {
    const fake = new FakeGateways()
    let count = 0
    fake.handler = (request) => {
      count += 1
      if (count < 3) broken('ECONNRESET')
      return { status: 201, body: { ...ACCEPTED, command_id: request.headers.get('idempotency-key') } }
    }
    const { result, advance } = started(fake, fake.client.bid(AUCTION, '5'))
    await advance(10_000)
    const ids = fake.requests.map(({ headers }) => headers.get('idempotency-key'))
    expect(ids[0]).to.match(/^bid_[0-9a-z]{26}$/)
    expect(new Set(ids).size).to.equal(1)
    expect(fake.requests.map(({ gateway }) => gateway)).to.deep.equal(['http://a', 'http://b', 'http://a'])
    expect(result.value).to.deep.include({ status: 'accepted', command_id: ids[0], price: '5.00' })
  })

  it('is called unknown past the deadline, and never rejected', async () => {
    const fake = new FakeGateways()
    fake.handler = () => broken('ECONNRESET')
    const { result, advance } = started(
      fake,
      fake.client.bid(AUCTION, '5', { deadlineMs: 3_000, bidId: 'bid_mine0001' }),
    )
    await advance(2_999)
    expect(result).to.deep.equal({})
    await advance(1)
    expect(result.error).to.be.instanceOf(UnknownOutcome)
    expect(result.error).to.include({ code: 'OUTCOME_UNKNOWN', commandId: 'bid_mine0001' })
  })

  it('stays unknown where a gateway refuses the next asking: that says nothing of the one before', async () => {
    const fake = new FakeGateways()
    let count = 0
    fake.handler = () => {
      count += 1
      // The second gateway's node has not heard of the auction yet.
      return count === 1 ? broken('ECONNRESET') : problem('AUCTION_NOT_FOUND', 404)
    }
    const { result, advance } = started(fake, fake.client.bid(AUCTION, '5', { deadlineMs: 3_000 }))
    await advance(3_000)
    expect(result.error).to.be.instanceOf(UnknownOutcome)
    expect(count).to.be.greaterThan(2)
  })

  it('ends with the first outcome, be it a rejection', async () => {
    const fake = new FakeGateways()
    let count = 0
    fake.handler = ({ headers }) => {
      count += 1
      if (count === 1) return problem('OUTCOME_UNKNOWN', 504, { command_id: headers.get('idempotency-key') })
      return problem('BID_TOO_LOW', 409, {
        command_id: headers.get('idempotency-key'),
        minimum: '6.00',
        currency: 'EUR',
      })
    }
    const { result, advance } = started(fake, fake.client.bid(AUCTION, '5'))
    await advance(1_000)
    expect(result.value as BidOutcome).to.deep.include({
      status: 'rejected',
      code: 'BID_TOO_LOW',
      minimum: '6.00',
    })
  })

  it('is no matter where nothing was done: a refusal is an error at once, a busy gateway is asked again', async () => {
    const fake = new FakeGateways()
    fake.handler = () => problem('FORBIDDEN', 403)
    const refused = started(fake, fake.client.closeAuction(AUCTION))
    await settle()
    expect(refused.result.error).to.be.instanceOf(RequestRefused).and.include({ code: 'FORBIDDEN', status: 403 })
    fake.handler = () => ({ ...problem('BUSY', 503), headers: { 'retry-after': '2' } })
    const before = fake.requests.length
    const busy = started(fake, fake.client.bid(AUCTION, '5', { deadlineMs: 5_000 }))
    await busy.advance(1_999)
    expect(fake.requests.length).to.equal(before + 1)
    await busy.advance(3_001)
    expect(fake.requests.length).to.equal(before + 3)
    expect(busy.result.error).to.be.instanceOf(RequestRefused).and.include({ code: 'BUSY' })
  })

  it('is no matter where no gateway was ever reached', async () => {
    const fake = new FakeGateways()
    fake.handler = () => broken('ECONNREFUSED')
    const { result, advance } = started(fake, fake.client.bid(AUCTION, '5', { deadlineMs: 1_000 }))
    await advance(1_000)
    expect(result.error).to.include({ code: 'GATEWAYS_UNREACHABLE' })
  })

  it('of an opening is asked about at the gateway that may have done it, and nowhere else', async () => {
    const fake = new FakeGateways()
    const asked: string[] = []
    let up = false
    fake.handler = ({ gateway, headers }) => {
      asked.push(gateway)
      // a cannot be reached at first: nothing was done there. b may have opened it, and is gone then.
      if (gateway === 'http://a') return broken('ECONNREFUSED')
      if (!up) return broken('ECONNRESET')
      const opened_at = new Date(fake.time.now()).toISOString()
      const command_id = headers.get('idempotency-key')
      return { status: 201, body: { auction_id: AUCTION, seq: 1, opened_at, command_id } }
    }
    const terms = { title: 'Lot', start_price: '5' }
    const first = started(fake, fake.client.open(terms, { commandId: 'cmd_mine0001', deadlineMs: 3_000 }))
    await first.advance(3_000)
    expect(first.result.error).to.be.instanceOf(UnknownOutcome)
    expect(first.result.error).to.include({ commandId: 'cmd_mine0001', gateway: 'http://b' })
    expect(asked[0]).to.equal('http://a')
    expect(new Set(asked.slice(1))).to.deep.equal(new Set(['http://b']))
    up = true
    const { commandId, gateway } = first.result.error as UnknownOutcome
    const again = started(fake, fake.client.open(terms, { commandId, gateway: gateway ?? '' }))
    await settle()
    expect(again.result.value).to.deep.include({ status: 'accepted', auction_id: AUCTION })
  })

  it('of what has no id is reported, and not asked for again', async () => {
    const fake = new FakeGateways()
    fake.handler = () => broken('ECONNRESET')
    const key = { label: 'robot', scopes: ['bid'] } as const
    const { result } = started(fake, fake.client.accounts.createApiKey(key))
    await settle()
    expect(result.error).to.include({ code: 'OUTCOME_UNKNOWN' })
    expect(fake.requests).to.have.lengthOf(1)
  })

  it('goes over the socket first, and by HTTP when that breaks', async () => {
    const fake = new FakeGateways()
    fake.client.connect()
    await fake.welcome()
    fake.handler = ({ headers }) => ({
      status: 201,
      body: { ...ACCEPTED, command_id: headers.get('idempotency-key') },
    })
    const over = started(fake, fake.client.bid(AUCTION, '5'))
    await settle()
    const [message] = fake.socket.all('place_bid')
    expect(message).to.include({ auction_id: AUCTION, amount: '5', kind: 'plain' })
    expect(fake.requests).to.have.lengthOf(0)
    fake.socket.break()
    await over.advance(100)
    expect(fake.requests.map(({ headers }) => headers.get('idempotency-key'))).to.deep.equal([message.bid_id])
    expect(over.result.value).to.deep.include({ status: 'accepted', command_id: message.bid_id })
    fake.client.close()
  })

  it('is given up when its caller does, and says whether something may have been done', async () => {
    const fake = new FakeGateways()
    fake.handler = () => broken('ECONNRESET')
    const giveUp = new AbortController()
    const { result } = started(fake, fake.client.bid(AUCTION, '5', { signal: giveUp.signal }))
    await settle()
    giveUp.abort()
    await settle()
    expect(result.error).to.be.instanceOf(UnknownOutcome)
  })
})
