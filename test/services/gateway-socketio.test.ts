import { expect } from 'chai'
import { io, type Socket } from 'socket.io-client'
import type { WebSocket } from 'ws'
import { createPinoLogger } from '../../src/adapters/system/pino-logger.js'
import { CallerError } from '../../src/ports/accounts/caller.js'
import { eventually } from '../support/eventually.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look at what a server said, whatever it is.
type Message = any

class Client {
  readonly heard: { event: string; data: Message }[] = []

  constructor(readonly socket: Socket) {
    socket.onAny((event: string, data: Message) => this.heard.push({ event, data }))
  }

  of(event: string): Message[] {
    return this.heard.filter((one) => one.event === event).map(({ data }) => data)
  }

  next(event: string): Promise<Message> {
    return eventually(`a ${event}`, () => this.of(event).at(0))
  }
}

describe("a gateway's Socket.IO namespace", () => {
  let mesh: TestMesh
  let gateway: TestGateway
  const clients: Client[] = []
  const logged: Message[] = []

  before(async () => {
    mesh = await createTestMesh(1)
    const logger = createPinoLogger({
      level: 'info',
      format: 'json',
      write: (lines) =>
        logged.push(
          ...lines
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        ),
    })
    gateway = await TestGateway.start(mesh.nodes[0]!, {}, { logger })
  })

  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.disconnect()
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  const connect = (auth: object, options: object = {}, to = gateway) => {
    const client = new Client(io(`${to.url}/auction`, { auth, forceNew: true, reconnection: false, ...options }))
    clients.push(client)
    return client
  }

  it("speaks a Socket.IO auction server's events word for word", async () => {
    const auctionId = await gateway.open({ start_price: '100', increment: '5' })
    const [anna, ben, sam] = ['anna', 'ben', 'sam'].map((user_id) => connect({ user_id })) as [Client, Client, Client]
    for (const client of [anna, ben, sam]) {
      client.socket.emit('joinAuction', { auctionId })
      expect(await client.next('auctionState')).to.include({
        auctionId,
        status: 'open',
        starting_bid: '100.00',
      })
    }
    const delta = await anna.next('presenceDelta')
    expect(delta).to.include({ auctionId })
    expect(delta.joined).to.include('anna')
    anna.socket.emit('placeBid', { auctionId, amount: 105 })
    for (const client of [anna, ben])
      expect(await client.next('newBid')).to.include({
        auctionId,
        currentBid: '105.00',
        currentWinner: 'anna',
      })
    ben.socket.emit('placeBid', { auctionId, amount: 106 })
    const rejected = await ben.next('bidRejected')
    expect(rejected).to.include({ code: 'BID_TOO_LOW', minimum: '110.00' })
    expect(rejected.reason).to.be.a('string')
    ben.socket.emit('endAuction', { auctionId })
    expect(await ben.next('requestRejected')).to.include({ event: 'endAuction', code: 'NOT_SELLER' })
    sam.socket.emit('endAuction', { auctionId })
    for (const client of [anna, ben, sam])
      expect(await client.next('auctionEnd')).to.include({
        auctionId,
        winner: 'anna',
        finalPrice: '105.00',
        sold: true,
      })
    expect(anna.of('bidRejected'), 'told to its sender alone').to.deep.equal([])
  })

  it('answers acknowledgements, over long polling as well, and bids once for one bidId', async () => {
    const auctionId = await gateway.open()
    const { socket } = connect({ user_id: 'anna' }, { transports: ['polling'] })
    const ask = (event: string, request: unknown): Promise<Message> => socket.timeout(5_000).emitWithAck(event, request)
    expect(await ask('joinAuction', { auctionId })).to.include({ ok: true, seq: 1 })
    const first = await ask('placeBid', { auctionId, amount: '12', bidId: 'mine' })
    expect(first).to.include({ ok: true, seq: 2, leads: true })
    expect(await ask('placeBid', { auctionId, amount: '12', bidId: 'mine' })).to.deep.equal(first)
    expect(await ask('placeBid', { auctionId, amount: 'x' })).to.include({ ok: false, code: 'INVALID_INPUT' })
    expect(await ask('joinAuction', 'nonsense')).to.include({ ok: false, code: 'INVALID_INPUT' })
    expect(await ask('joinAuction', { auctionId: 'auc_nosuch' })).to.include({ code: 'AUCTION_NOT_FOUND' })
    const nobody = connect({})
    expect(await nobody.socket.timeout(5_000).emitWithAck('placeBid', { auctionId, amount: 20 })).to.include({
      code: 'UNAUTHENTICATED',
    })
  })

  it('answers BUSY if too many requests of one connection wait, and counts them', async () => {
    const auctionId = await gateway.open()
    const { socket } = connect({ user_id: 'anna' }, { transports: ['websocket'] })
    await eventually('it is connected', () => socket.connected)
    const counted = async () => {
      const { body } = await gateway.get('/metrics')
      return Number(/vendue_overfull_connections_total\{path="socketio"\} (\d+)/.exec(body)?.[1])
    }
    const before = await counted()
    const asked = Array.from({ length: 1_000 }, (_, i) => {
      return socket.emitWithAck('placeBid', { auctionId, amount: i + 1 }) as Promise<Message>
    })
    const busy = (await Promise.all(asked)).filter(({ code }) => code === 'BUSY').length
    expect(busy).to.be.above(0)
    expect((await counted()) - before).to.equal(busy)
  })

  it('rejects connections whose token is not good, and those of other pages', async () => {
    const strict = await TestGateway.start(
      mesh.nodes[0]!,
      {},
      {
        authenticator: {
          authenticate: () => Promise.reject(new CallerError('TOKEN_EXPIRED', 'the token has expired')),
        },
      },
    )
    try {
      const refused = connect({ token: 'old' }, {}, strict)
      expect(await refused.next('connectionRejected')).to.include({ code: 'TOKEN_EXPIRED' })
      await eventually('it is let go', () => !refused.socket.connected)
    } finally {
      await strict.stop()
    }
    const elsewhere = connect({}, { transports: ['websocket'], extraHeaders: { origin: 'http://elsewhere.example' } })
    await new Promise((resolve) => elsewhere.socket.once('connect_error', resolve))
  })

  describe('to a reader who does not read', () => {
    const slowReaders = async () =>
      Number(/vendue_slow_readers_total\{path="socketio"\} (\d+)/.exec((await gateway.get('/metrics')).body)?.[1])
    const webSocketOf = ({ socket }: Client) =>
      (socket.io.engine as unknown as { transport: { ws: WebSocket } }).transport.ws
    /** Asks and asks, until what it does not read is too much: each answer holds the whole auction. */
    const overwhelm = async (client: Client, auctionId: string, meanwhile: () => Promise<unknown>) => {
      const before = await slowReaders()
      webSocketOf(client).pause()
      await eventually(
        'the slow reader is let go',
        async () => {
          for (let i = 0; i < 50; i++) client.socket.emit('joinAuction', { auctionId })
          await meanwhile()
          return (await slowReaders()) > before
        },
        20_000,
      )
    }
    const terms = { start_price: '1', increment: '1', description: 'x'.repeat(9_000) }

    it('says why, and sends it all that it has missed when it comes back by itself', async () => {
      const auctionId = await gateway.open(terms)
      let amount = 0
      const bid = () => {
        amount += 1
        return gateway.bid(auctionId, amount % 2 ? 'anna' : 'ben', amount)
      }
      const slow = connect({ user_id: 'slow' }, { transports: ['websocket'], reconnection: true })
      const seqs: number[] = []
      slow.socket.on('newBid', ({ seq }: Message) => seqs.push(seq))
      slow.socket.on('connect', () => slow.socket.emit('joinAuction', { auctionId, fromSeq: (seqs.at(-1) ?? 0) + 1 }))
      const disconnected = new Promise((resolve) => slow.socket.once('disconnect', resolve))
      await bid()
      await eventually('the first bid', () => seqs.length === 1)
      const first = webSocketOf(slow)
      await overwhelm(slow, auctionId, bid)
      first.resume()
      expect(await slow.next('connectionRejected')).to.include({ code: 'SLOW_READER', retryAfterMs: 0 })
      expect(await disconnected, 'its client connects again by itself').to.equal('transport close')
      await bid()
      const all = Array.from({ length: amount }, (_, i) => i + 2)
      await eventually('all bids, once', () => seqs.length >= all.length)
      await bid()
      await eventually('the next bid', () => seqs.at(-1) === amount + 1)
      expect(seqs).to.deep.equal([...all, amount + 1])
      expect(logged.filter(({ code }) => code === 'SLOW_READER')).to.have.length(1)
    })

    it('closes its connection even where it never reads again', async () => {
      const auctionId = await gateway.open(terms)
      const stuck = connect({ user_id: 'stuck' }, { transports: ['websocket'] })
      await eventually('it is connected', () => stuck.socket.connected)
      await overwhelm(stuck, auctionId, () => gateway.bid(auctionId, 'anna', 1))
      await eventually('it is closed', async () => {
        const { body } = await gateway.get('/metrics')
        return /vendue_socketio_connections 0/.test(body)
      })
      webSocketOf(stuck).resume()
      await eventually('it hears of it', () => !stuck.socket.connected)
    })
  })

  it('goes on from a seq through bids that come all the while, without a gap or a duplicate', async () => {
    const auctionId = await gateway.open({ start_price: '1', increment: '1' })
    const others = ['u1', 'u2', 'u3'].map((user_id) => connect({ user_id }))
    const seqs = others.map(() => [] as number[])
    let amount = 0
    const bid = async () => {
      amount += 1
      expect((await gateway.bid(auctionId, amount % 2 ? 'anna' : 'ben', amount)).status).to.equal(201)
    }
    for (let i = 0; i < 300; i++) await bid()
    let bidding = true
    const more = (async () => {
      while (bidding) await bid()
    })()
    for (const [i, { socket }] of others.entries()) {
      socket.on('newBid', ({ seq }: Message) => seqs[i]!.push(seq))
      const joined = await socket.timeout(5_000).emitWithAck('joinAuction', { auctionId, fromSeq: 1 + 100 * i })
      expect(joined).to.include({ ok: true })
      expect((await others[i]!.next('auctionState')).seq, 'as of now').to.be.greaterThan(300)
    }
    await eventually('they hear on', () => seqs.every((heard) => heard.length > 320))
    bidding = false
    await more
    for (const [i, heard] of seqs.entries()) {
      const from = Math.max(2, 1 + 100 * i)
      const all = Array.from({ length: amount + 2 - from }, (_, nth) => from + nth)
      await eventually('the last bid', () => heard.at(-1) === amount + 1)
      expect(heard, `from seq ${from}`).to.deep.equal(all)
    }
    const bad = await others[0]!.socket.timeout(5_000).emitWithAck('joinAuction', { auctionId, fromSeq: -1 })
    expect(bad).to.include({ ok: false, code: 'INVALID_INPUT' })
  })

  it('says goodbye when the gateway stops', async () => {
    const stopping = await TestGateway.start(mesh.nodes[0]!)
    const client = connect({ user_id: 'anna' }, {}, stopping)
    await eventually('it is connected', () => client.socket.connected)
    await stopping.stop()
    expect(await client.next('connectionRejected')).to.include({ code: 'STOPPING' })
    await eventually('it is let go', () => !client.socket.connected)
  })

  it('says goodbye to who fetches messages by polls when they poll next', async () => {
    const stopping = await TestGateway.start(mesh.nodes[0]!)
    const url = `${stopping.url}/socket.io/?EIO=4&transport=polling`
    const session = JSON.parse((await (await fetch(url)).text()).slice(1)).sid
    const own = `${url}&sid=${session}`
    await fetch(own, { method: 'POST', body: '40/auction,{"user_id":"anna"}' })
    expect(await (await fetch(own)).text(), 'it has joined').to.match(/^40\/auction,/)
    const stopped = stopping.stop()
    await eventually('new sessions are refused', () =>
      fetch(url).then(
        ({ ok }) => !ok,
        () => true,
      ),
    )
    const goodbye = await fetch(own).then((response) => response.text(), String)
    expect(goodbye).to.contain('"connectionRejected"').and.to.contain('"STOPPING"')
    await stopped
  })
})
