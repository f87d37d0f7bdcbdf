import { createPublicKey, verify } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { networkOf } from '../../../src/adapters/system/ip-address.js'
import { OutboundPost } from '../../../src/adapters/system/outbound-post.js'
import { loadVapidKeys } from '../../../src/adapters/web-push/vapid-keys.js'
import { WebPushNoticeChannel } from '../../../src/adapters/web-push/web-push-notice-channel.js'
import { testDelivery, testNotice, WICKED_TITLE } from '../../support/notices.js'
import { PushSubscription } from '../../support/push-subscription.js'
import { Receiver } from '../../support/receiver.js'
import { makeServerCertificate } from '../../support/server-certificate.js'
import { makeTempDir } from '../../support/temp-dir.js'

const NEVER = new AbortController().signal
const NOW = testNotice().at

describe('WebPushNoticeChannel', () => {
  const dir = makeTempDir()
  const browser = new PushSubscription()
  const clock = { now: () => NOW }
  const keys = loadVapidKeys(dir.path)
  let service: Receiver
  let channel: WebPushNoticeChannel

  before(async () => {
    const tls = await makeServerCertificate()
    service = new Receiver({ tls })
    await service.start()
    const allowedNetworks = [networkOf('127.0.0.1')].filter((network) => network !== null)
    const post = new OutboundPost({ clock }, { allowedNetworks, timeoutMs: 20_000, ca: tls.cert })
    channel = new WebPushNoticeChannel({ post, clock }, { keys, contact: 'mailto:house@auctions.example' })
  })
  after(async () => {
    await service.stop()
    dir.remove()
  })
  beforeEach(() => {
    service.answer = (response) => response.writeHead(201).end()
  })

  const target = ({ p256dh, auth } = browser) =>
    ({ channel: 'web-push', endpoint: service.url(), p256dh, auth }) as const
  const push = (notice = {}) => channel.send(testDelivery(target(), notice), NEVER)
  const answering = (status: number, headers = {}, text = '') => {
    service.answer = (response) => response.writeHead(status, headers).end(text)
    return push()
  }

  it('is read here by a browser’s side that reads the example of RFC 8291', () => {
    const example = new PushSubscription({
      privateKey: 'q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    })
    expect(example.p256dh).to.equal(
      'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    )
    const body =
      'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN'
    expect(example.decrypt(Buffer.from(body, 'base64url'))).to.equal('When I grow up, I want to be a watermelon')
  })

  it('encrypts what only the browser of the subscription can read', async () => {
    expect(await push({ title: WICKED_TITLE })).to.deep.equal({ result: 'delivered' })
    const { body, headers } = service.last
    expect(headers['content-encoding']).to.equal('aes128gcm')
    const read = JSON.parse(browser.decrypt(body)) as Record<string, string>
    expect(read).to.include({ auction_id: 'auc_1', kind: 'outbid', language: 'en', direction: 'ltr' })
    expect(read.title)
      .to.contain('Chair')
      .and.to.not.match(/\p{Cc}/u)
    expect(read.body?.split('\n')).to.have.length(3)
    expect(() => new PushSubscription().decrypt(body)).to.throw()
    expect(body.includes('Chair')).to.equal(false)
  })

  it('fits into the record of 4,096 bytes that every push service takes, whatever the title', async () => {
    await push({ title: '𓀀'.repeat(200), search: '𓀀'.repeat(200), kind: 'new-auction', language: 'ar' })
    expect(service.last.body.length).to.be.at.most(4_096)
  })

  it('shows by its signature for this service which house sends it (RFC 8292)', async () => {
    await push()
    const [, token = '', key] = /^vapid t=([^,]+), ?k=(.+)$/.exec(service.last.headers.authorization ?? '') ?? []
    expect(key).to.equal(keys.publicKey)
    const [head = '', claims = '', signature = ''] = token.split('.')
    const point = Buffer.from(keys.publicKey, 'base64url')
    const x = point.subarray(1, 33).toString('base64url')
    const y = point.subarray(33).toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
    const signed = Buffer.from(signature, 'base64url')
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      signed,
    )
    expect(isSigned).to.equal(true)
    const { aud, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, string>
    expect({ aud, sub }).to.deep.equal({ aud: new URL(service.url()).origin, sub: 'mailto:house@auctions.example' })
  })

  it('lives until the auction’s end and no longer', async () => {
    const ttl = async (notice: object) => {
      await push(notice)
      return Number(service.last.headers.ttl)
    }
    expect(await ttl({ closesAt: NOW + 90_500 })).to.equal(90)
    expect(await ttl({ closesAt: NOW - 1 })).to.equal(0)
    expect(await ttl({ closesAt: NOW + 400 * 86_400_000 })).to.equal(28 * 86_400)
    expect(await ttl({ kind: 'won', closesAt: NOW - 1 })).to.equal(3 * 86_400)
  })

  it('takes the place of what waits of the same auction, and of no other', async () => {
    const topic = async (auctionId: string) => {
      await push({ auctionId })
      return service.last.headers.topic
    }
    const first = await topic('auc_1')
    expect(first).to.match(/^[A-Za-z0-9_-]{32}$/)
    expect(await topic('auc_1')).to.equal(first)
    expect(await topic('auc_2')).to.not.equal(first)
  })

  it('wakes a device for what cannot wait, and for nothing else', async () => {
    const urgency = async (kind: string) => {
      await push({ kind })
      return service.last.headers.urgency
    }
    expect([await urgency('outbid'), await urgency('won'), await urgency('lost')]).to.deep.equal([
      'high',
      'normal',
      'low',
    ])
  })

  for (const status of [404, 410])
    it(`finds a subscription gone by ${status}`, async () => {
      expect(await answering(status)).to.deep.equal({ result: 'gone', why: `answered ${status}` })
    })

  for (const status of [400, 413, 302])
    it(`gives up after ${status}`, async () => {
      expect(await answering(status, {}, 'no')).to.deep.equal({ result: 'refused', why: `answered ${status}: no` })
    })

  for (const status of [401, 403, 429, 500, 503])
    it(`asks for another attempt after ${status}`, async () => {
      expect(await answering(status, { 'retry-after': '7' })).to.include({ result: 'retry', afterMs: 7_000 })
    })

  it('finds a subscription gone whose keys are none', async () => {
    for (const wrong of [
      { p256dh: 'AAAA', auth: browser.auth },
      { p256dh: browser.p256dh, auth: '' },
    ]) {
      const delivery = testDelivery({ channel: 'web-push', endpoint: service.url(), ...wrong })
      expect(await channel.send(delivery, NEVER)).to.include({ result: 'gone' })
    }
  })

  it('calls no endpoint in a private network', async () => {
    const delivery = testDelivery({ ...target(), endpoint: 'https://10.0.0.1/push' })
    expect(await channel.send(delivery, NEVER)).to.include({ result: 'refused' })
  })
})

describe('the keys of web push', () => {
  const dir = makeTempDir()
  const otherDir = makeTempDir()
  const file = () => join(dir.path, 'web-push.keys')
  after(() => {
    dir.remove()
    otherDir.remove()
  })

  it('are made once, for their owner alone', () => {
    const keys = loadVapidKeys(dir.path)
    expect(loadVapidKeys(dir.path)).to.deep.equal(keys)
    expect(readdirSync(dir.path)).to.deep.equal(['web-push.keys'])
    if (process.platform !== 'win32') expect(statSync(file()).mode & 0o777).to.equal(0o600)
  })

  it('are kept from others after a backup that let them read', () => {
    if (process.platform === 'win32') return
    chmodSync(file(), 0o644)
    loadVapidKeys(dir.path)
    expect(statSync(file()).mode & 0o777).to.equal(0o600)
  })

  it('are not made anew where they are damaged: that would end every subscription', () => {
    const { private_key } = JSON.parse(readFileSync(file(), 'utf8')) as { private_key: string }
    const other = loadVapidKeys(otherDir.path).publicKey
    for (const text of ['', '{}', JSON.stringify({ public_key: other, private_key })]) {
      writeFileSync(file(), text)
      expect(() => loadVapidKeys(dir.path))
        .to.throw('restore it from a backup')
        .with.property('code', 'VAPID_KEYS_INVALID')
      expect(readFileSync(file(), 'utf8')).to.equal(text)
    }
  })
})
