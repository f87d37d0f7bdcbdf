import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { Webhook } from 'standardwebhooks'
import { networkOf } from '../../../src/adapters/system/ip-address.js'
import { OutboundPost } from '../../../src/adapters/system/outbound-post.js'
import { isWebhookSecret, newWebhookSecret, webhookHeaders } from '../../../src/adapters/webhook/standard-webhook.js'
import { WebhookNoticeChannel } from '../../../src/adapters/webhook/webhook-notice-channel.js'
import { WebhookSender } from '../../../src/adapters/webhook/webhook-sender.js'
import { testDelivery, WICKED_TITLE } from '../../support/notices.js'
import { Receiver } from '../../support/receiver.js'

const NEVER = new AbortController().signal
const random = { bytes: (count: number) => Uint8Array.from({ length: count }, (_, i) => i * 7) }
const SECRET = newWebhookSecret(random)
const OLD_SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`

describe('WebhookNoticeChannel', () => {
  const receiver = new Receiver()
  const state = { nowMs: Date.now() }
  const clock = { now: () => state.nowMs }
  const allowedNetworks = [networkOf('127.0.0.1')].filter((network) => network !== null)
  const post = new OutboundPost({ clock }, { allowedNetworks, timeoutMs: 20_000 })
  const channel = new WebhookNoticeChannel({ sender: new WebhookSender({ post, clock }) })
  const delivery = (secrets = [SECRET], notice = {}) =>
    testDelivery({ channel: 'webhook', url: receiver.url(), secrets }, notice)
  const answering = (status: number, headers = {}) => {
    receiver.answer = (response) => response.writeHead(status, headers).end()
    return channel.send(delivery(), NEVER)
  }

  before(() => receiver.start())
  after(() => receiver.stop())
  beforeEach(() => {
    state.nowMs = Date.now()
    receiver.answer = (response) => response.writeHead(204).end()
  })

  it('sends what the reference verifier of the specification accepts', async () => {
    expect(await channel.send(delivery([SECRET], { title: WICKED_TITLE }), NEVER)).to.deep.equal({
      result: 'delivered',
    })
    const { headers, body } = receiver.last
    expect(new Webhook(SECRET).verify(body, headers)).to.deep.equal({
      type: 'notice.outbid',
      timestamp: '2026-11-28T16:00:00.000Z',
      data: {
        auction_id: 'auc_1',
        title: WICKED_TITLE,
        price: '1234.50',
        minimum: '1235.00',
        currency: 'EUR',
        closes_at: '2026-11-28T17:02:00.000Z',
        search: null,
        url: 'https://auctions.example/lot/auc_1',
      },
    })
    expect(headers).to.include({ 'content-type': 'application/json', 'webhook-id': 'ntc_1' })
  })

  it('is refused by the verifier with another secret, and for a body that was changed on the way', async () => {
    await channel.send(delivery(), NEVER)
    const { headers, body } = receiver.last
    expect(() => new Webhook(OLD_SECRET).verify(body, headers)).to.throw()
    expect(() => new Webhook(SECRET).verify(body.toString().replace('1234.50', '9.00'), headers)).to.throw()
  })

  it('signs with each of several secrets: receivers with the old one and with the new one both accept it', async () => {
    await channel.send(delivery([SECRET, OLD_SECRET]), NEVER)
    const { headers, body } = receiver.last
    for (const secret of [SECRET, OLD_SECRET]) new Webhook(secret).verify(body, headers)
    expect(headers['webhook-signature']?.split(' ')).to.have.length(2)
  })

  it('sends the same id and body in each attempt, and the time of the attempt', async () => {
    await channel.send(delivery(), NEVER)
    const first = receiver.last
    state.nowMs += 3_600_000
    await channel.send({ ...delivery(), attempt: 2 }, NEVER)
    const second = receiver.last
    expect(second.body.equals(first.body)).to.equal(true)
    expect(second.headers['webhook-id']).to.equal(first.headers['webhook-id'])
    const seconds = ({ headers }: typeof first) => Number(headers['webhook-timestamp'])
    expect(seconds(second) - seconds(first)).to.equal(3_600)
  })

  it('signs as the specification says: HMAC-SHA256 of id, seconds and body, with the decoded secret', () => {
    const headers = webhookHeaders({ id: 'msg_1', atMs: 1_614_265_330_999, body: '{"test": 1}' }, [OLD_SECRET])
    const expected = createHmac('sha256', Buffer.alloc(24, 9)).update('msg_1.1614265330.{"test": 1}').digest('base64')
    expect(headers).to.deep.equal({
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1614265330',
      'webhook-signature': `v1,${expected}`,
    })
  })

  for (const status of [200, 201, 202, 204, 299])
    it(`takes ${status} for delivered`, async () => {
      expect(await answering(status)).to.deep.equal({ result: 'delivered' })
    })

  for (const status of [400, 401, 404, 409, 429, 500, 502, 503, 504])
    it(`asks for another attempt after ${status}`, async () => {
      expect(await answering(status)).to.deep.equal({ result: 'retry', why: `answered ${status}` })
    })

  it('passes on how long the receiver wants to be left alone', async () => {
    const retry = await answering(429, { 'retry-after': '30' })
    expect(retry).to.deep.equal({ result: 'retry', why: 'answered 429', afterMs: 30_000 })
  })

  it('finds a target gone that answers 410', async () => {
    expect(await answering(410)).to.deep.equal({ result: 'gone', why: 'answered 410' })
  })

  for (const status of [301, 302, 307, 308])
    it(`refuses to be sent elsewhere by ${status}`, async () => {
      const before = receiver.received.length
      expect(await answering(status, { location: receiver.url() })).to.include({ result: 'refused' })
      expect(receiver.received.length).to.equal(before + 1)
    })

  it('goes on asking for another attempt while a receiver answers 500 for a day', async () => {
    for (let hour = 0; hour < 24; hour++) {
      state.nowMs += 3_600_000
      expect(await answering(500)).to.include({ result: 'retry' })
    }
    expect(await answering(204)).to.deep.equal({ result: 'delivered' })
  })

  it('refuses a target without a secret, or with one that is none', async () => {
    for (const secrets of [[], ['secret'], [SECRET, 'whsec_AAAA']])
      expect(await channel.send(delivery(secrets), NEVER)).to.include({ result: 'refused' })
  })

  it('shows no secret in what it says of a failure', async () => {
    for (const url of ['http://10.0.0.1/token-in-the-path', 'nonsense'])
      for (const secrets of [[SECRET], ['whsec_short']]) {
        const result = await channel.send(testDelivery({ channel: 'webhook', url, secrets }), NEVER)
        expect(JSON.stringify(result)).to.not.match(/whsec_[A-Za-z0-9]|token-in-the-path/)
      }
  })
})

describe('secrets of webhooks', () => {
  it('are made as the specification wants them', () => {
    expect(isWebhookSecret(newWebhookSecret(random))).to.equal(true)
  })

  const of = (bytes: number) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`
  for (const secret of [of(24), of(64)]) it(`are ${secret}`, () => expect(isWebhookSecret(secret)).to.equal(true))
  for (const secret of [of(23), of(65), of(24).slice(6), `${of(24)}\n`, 'whsec_?', ''])
    it(`are not ${JSON.stringify(secret)}`, () => expect(isWebhookSecret(secret)).to.equal(false))
})
