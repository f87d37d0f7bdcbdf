import { expect } from 'chai'
import { io, type Socket } from 'socket.io-client'
import { CallerError } from '../../src/ports/caller.js'
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

describe("a gateway's Socket.IO namespace", function () {
  this.timeout(30_000)
  let mesh: TestMesh
  let gateway: TestGateway
  const clients: Client[] = []

  before(async () => {
    mesh = await createTestMesh(1)
    gateway = await TestGateway.start(mesh.nodes[0]!)
  })

  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.disconnect()
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  const connect = (auth: object, options: object = {}, to = gateway) => {
    const client = new Client(
      io(`${to.url}/auction`, { auth, forceNew: true, reconnection: false, ...options }),
    )
    clients.push(client)
    return client
  }

  it("speaks a Socket.IO auction server's events word for word", async () => {
    const auctionId = await gateway.open({ start_price: '100', increment: '5' })
    const [anna, ben, sam] = ['anna', 'ben', 'sam'].map((user_id) => connect({ user_id })) as [
      Client,
      Client,
      Client,
    ]
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
    const ask = (event: string, request: unknown): Promise<Message> =>
      socket.timeout(5_000).emitWithAck(event, request)
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
    const elsewhere = connect(
      {},
      { transports: ['websocket'], extraHeaders: { origin: 'http://elsewhere.example' } },
    )
    await new Promise((resolve) => elsewhere.socket.once('connect_error', resolve))
  })

  it('says goodbye when the gateway stops', async () => {
    const stopping = await TestGateway.start(mesh.nodes[0]!)
    const client = connect({ user_id: 'anna' }, {}, stopping)
    await eventually('it is connected', () => client.socket.connected)
    await stopping.stop()
    expect(await client.next('connectionRejected')).to.include({ code: 'STOPPING' })
    await eventually('it is let go', () => !client.socket.connected)
  })
})
