import { expect } from 'chai'
import { MAX_WAITING_EVENTS } from '../../src/client/event-queue.js'
import type { ConnectionState, EventMessage } from '../../src/client/exports.js'
import { settle } from '../support/manual-time.js'
import { AUCTION, anAuction, anEvent, FakeGateways } from './support/fake-gateways.js'

describe('a watch', () => {
  async function watching(fake: FakeGateways, seq = 3) {
    fake.handler = () => ({ body: anAuction(seq) })
    const watch = await fake.client.watch(AUCTION)
    await fake.welcome()
    fake.socket.tell({ type: 'subscribed', auction_id: AUCTION, seq })
    const seqs: number[] = []
    return { watch, seqs, listen: () => watch.on('event', (event: EventMessage) => seqs.push(event.seq)) }
  }

  it('starts where the auction stood, and goes on behind the last event after each loss', async () => {
    const fake = new FakeGateways()
    const { watch, seqs, listen } = await watching(fake)
    listen()
    await settle()
    expect(fake.socket.all('subscribe')).to.deep.equal([
      { type: 'subscribe', auction_id: AUCTION, from_seq: 4, mode: 'all' },
    ])
    for (const seq of [4, 5]) fake.socket.tell(anEvent(seq))
    const first = fake.socket
    first.break()
    await fake.advance(0)
    await fake.welcome()
    expect(fake.socket).to.not.equal(first)
    expect(new URL(fake.socket.url).host).to.equal('b')
    expect(fake.socket.all('subscribe').map(({ from_seq }) => from_seq)).to.deep.equal([6])
    for (const seq of [5, 6, 7]) fake.socket.tell(anEvent(seq))
    // A word of the old connection that comes late.
    first.tell(anEvent(8))
    expect(seqs).to.deep.equal([4, 5, 6, 7])
    expect(watch.seq).to.equal(7)
    fake.client.close()
  })

  it('hears who watches where it asks for that, after each loss too, and otherwise not', async () => {
    const fake = new FakeGateways()
    const { watch } = await watching(fake)
    const heard: unknown[] = []
    watch.onPresence((presence) => heard.push(presence))
    const message = {
      type: 'presence',
      auction_id: AUCTION,
      watchers: 2,
      names: ['Kim'],
      joined: [],
      left: [],
    }
    fake.socket.tell(message)
    const curious = await fake.client.watch(AUCTION, { presence: true })
    curious.onPresence((presence) => heard.push(presence))
    expect(fake.socket.all('subscribe').at(-1)).to.include({ presence: true })
    fake.socket.tell(message)
    fake.socket.tell({ ...message, auction_id: 'auc_other' })
    expect(heard).to.deep.equal([{ watchers: 2, names: ['Kim'] }])
    fake.socket.break()
    await fake.advance(0)
    await fake.welcome()
    expect(fake.socket.all('subscribe').at(-1)).to.include({ presence: true })
    fake.client.close()
  })

  it('asks again for what is missing, and hands nothing on out of order', async () => {
    const fake = new FakeGateways()
    const { seqs, listen } = await watching(fake)
    listen()
    await settle()
    fake.socket.tell(anEvent(4))
    fake.socket.tell(anEvent(6))
    fake.socket.tell(anEvent(7))
    expect(fake.socket.all('subscribe').map(({ from_seq }) => from_seq)).to.deep.equal([4, 5])
    for (const seq of [5, 6, 7, 7]) fake.socket.tell(anEvent(seq))
    expect(seqs).to.deep.equal([4, 5, 6, 7])
    fake.client.close()
  })

  it('asks again where the gateway does not know of the auction yet', async () => {
    const fake = new FakeGateways()
    fake.handler = () => ({ body: anAuction(3) })
    await fake.client.watch(AUCTION)
    await fake.welcome()
    fake.socket.tell({ type: 'error', code: 'AUCTION_NOT_FOUND', message: 'none', field: null, next: null })
    await fake.advance(2_100)
    expect(fake.socket.all('subscribe').length).to.be.at.least(2)
    fake.socket.tell({ type: 'subscribed', auction_id: AUCTION, seq: 3 })
    const asked = fake.socket.all('subscribe').length
    await fake.advance(5_000)
    expect(fake.socket.all('subscribe').length).to.equal(asked)
    fake.client.close()
  })

  it('leaves out what a slow reader has no room for, and reads it again later', async () => {
    const fake = new FakeGateways()
    const { watch } = await watching(fake, 0)
    for (let seq = 1; seq <= MAX_WAITING_EVENTS + 50; seq++) fake.socket.tell(anEvent(seq))
    expect(watch.seq).to.equal(MAX_WAITING_EVENTS)
    const seqs: number[] = []
    for await (const { seq } of watch) {
      seqs.push(seq)
      const asked = fake.socket.all('subscribe').at(-1)
      if (asked.from_seq === MAX_WAITING_EVENTS + 1 && watch.seq === MAX_WAITING_EVENTS) {
        for (let next = asked.from_seq; next <= MAX_WAITING_EVENTS + 50; next++) fake.socket.tell(anEvent(next))
      }
      if (seq === MAX_WAITING_EVENTS + 50) break
    }
    expect(seqs).to.deep.equal(Array.from({ length: MAX_WAITING_EVENTS + 50 }, (_, i) => i + 1))
    expect(fake.socket.all('unsubscribe')).to.have.lengthOf(1)
    fake.client.close()
  })

  it('of all auctions goes on by the cursor at the same gateway, and by what is known at another', async () => {
    const fake = new FakeGateways({ gateways: ['http://a', 'http://b'] })
    const heard: string[] = []
    const watch = fake.client.watchAll()
    watch.on('event', ({ auction_id, seq }) => heard.push(`${auction_id}#${seq}`))
    await fake.welcome()
    expect(fake.socket.all('subscribe')).to.deep.equal([{ type: 'subscribe', catalogue: true }])
    fake.socket.tell(anEvent(4, { auction_id: 'x', cursor: 'p9.0' }))
    await settle()
    fake.socket.break()
    await fake.advance(0)
    await fake.welcome()
    // b is another node, with a list of its own.
    const started = new Date(Date.UTC(2026, 0, 1) - 60_000).toISOString()
    expect(fake.socket.all('subscribe')[0]).to.deep.include({ cursor: 'p0.0', since: started })
    const old = new Date(fake.time.now() - 3_600_000).toISOString()
    fake.socket.tell(anEvent(1, { auction_id: 'old', cursor: 'p1.0', timestamp: old }))
    fake.socket.tell(anEvent(3, { auction_id: 'x', cursor: 'p2.0', timestamp: old }))
    fake.socket.tell(anEvent(4, { auction_id: 'x', cursor: 'p2.1' }))
    fake.socket.tell(anEvent(5, { auction_id: 'x', cursor: 'p3.0' }))
    fake.socket.tell(anEvent(1, { auction_id: 'new', cursor: 'p4.0' }))
    expect(heard).to.deep.equal(['x#4', 'x#5', 'new#1'])
    fake.client.close()
  })

  it('reports the state of the connection; other gateways are tried at once, then with growing delays', async () => {
    const fake = new FakeGateways()
    const states: ConnectionState[] = []
    fake.client.on('connection', (state) => states.push(state))
    fake.serves = false
    fake.client.connect()
    await fake.advance(20_000)
    const delays = states.filter(({ state }) => state === 'offline').map(({ retryInMs }) => retryInMs)
    expect(delays.slice(0, 6)).to.deep.equal([0, 187.5, 375, 750, 1_500, 3_000])
    expect(Math.max(...delays.map(Number))).to.be.at.most(10_000)
    expect(new Set(states.map(({ gateway }) => gateway))).to.deep.equal(new Set(['http://a', 'http://b']))
    fake.serves = true
    await fake.advance(10_000)
    await fake.welcome()
    expect(states.at(-1)?.state).to.equal('online')
    fake.client.close()
    expect(states.at(-1)?.state).to.equal('stopped')
    const opened = fake.sockets.length
    await fake.advance(60_000)
    expect(fake.sockets.length).to.equal(opened)
  })

  it('gives a connection up on which nothing is heard', async () => {
    const fake = new FakeGateways()
    fake.client.connect()
    await fake.welcome()
    const silent = fake.socket
    await fake.advance(35_000)
    expect(silent.closed).to.equal(true)
    expect(fake.sockets.length).to.be.greaterThan(1)
    fake.client.close()
  })

  it('sets the clock by several round trips after the greeting', async () => {
    const fake = new FakeGateways()
    fake.client.connect()
    await settle()
    await fake.advance(300)
    const ahead = 60_000
    const time = () => new Date(fake.time.now() + ahead).toISOString()
    fake.socket.tell({ type: 'welcome', server_time: time(), user: null, auth: 'open', ping_interval_ms: 1 })
    expect(fake.client.clock.uncertaintyMs).to.equal(150)
    for (const delay of [40, 4, 20]) {
      const { id } = fake.socket.all('ping').at(-1)
      await fake.advance(delay / 2)
      const server_time = time()
      await fake.advance(delay / 2)
      fake.socket.tell({ type: 'pong', id, server_time, timestamp: server_time })
    }
    expect(fake.client.clock.uncertaintyMs).to.equal(2)
    expect(fake.client.clock.now()).to.equal(fake.time.now() + ahead)
    fake.client.close()
  })
})
