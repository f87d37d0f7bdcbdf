import { once } from 'node:events'
import { expect } from 'chai'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import { auctionTable, auctionText } from '../../src/adapters/cli/render/auction-text.js'
import { type Look, makePaint } from '../../src/adapters/cli/render/look.js'
import { eventually } from '../support/eventually.js'
import { ManualTime } from '../support/manual-time.js'
import { MemoryNetwork } from '../support/memory-network.js'
import { type MemoryNode, startMemoryNodes } from '../support/memory-node.js'
import { TestGateway } from '../support/test-gateway.js'

const MINUTE_MS = 60_000

describe('an auction whose end has come while its home is away', () => {
  let time: ManualTime
  let home: MemoryNode
  let other: MemoryNode
  let gateway: TestGateway
  let ended: string
  let live: string

  before(async () => {
    time = new ManualTime()
    ;[home, other] = (await startMemoryNodes(new MemoryNetwork(), time, ['home', 'other'])) as [MemoryNode, MemoryNode]
    await time.advance(5_000)
    ended = await open(home, 'Ended', MINUTE_MS)
    live = await open(other, 'Live', 10 * MINUTE_MS)
    await time.advance(1_000)
    home.crash()
    await time.advance(2 * MINUTE_MS)
    gateway = await TestGateway.start(other)
  })

  after(async () => {
    await gateway?.stop()
    await other?.stop()
  })

  async function open({ api }: MemoryNode, title: string, closesInMs: number): Promise<string> {
    const terms = { title, currency: 'EUR', start: '10', increment: '1', buyNow: '90', closesInMs }
    const { outcome } = await api.open({ commandId: `cmd_open_${title}0000`, ...terms })
    return outcome.auctionId
  }

  it('is ended for the node that holds a copy, without a minimum or a price to buy at', async () => {
    const view = await other.api.show({ auction: ended })
    expect(view.state.status).to.equal('open')
    expect(view).to.include({ phase: 'ended', minimum: null, buyNowAvailable: false })
    expect(await other.api.show({ auction: live })).to.include({ phase: 'open', minimum: 1_000 })
  })

  it('stands behind those that can be bid on, and among no open ones', async () => {
    const ids = async (query: object) => (await other.api.list(query)).auctions.map(({ auctionId }) => auctionId)
    expect(await ids({ sort: 'ending' })).to.deep.equal([live, ended])
    expect(await ids({ statuses: ['open'] })).to.deep.equal([live])
    expect(await ids({ statuses: ['ended'] })).to.deep.equal([ended])
  })

  it('is shown as ended, and for whom it waits, on the command line', async () => {
    const view = await other.api.show({ auction: ended })
    const look: Look = { paint: makePaint(false), timeZone: 'UTC', columns: 200, now: () => time.now() }
    const text = auctionText(view, 'auc_short', look).join('\n')
    expect(text).to.include('ended, waits for its home').and.not.to.include('next bid')
    expect(auctionTable([view], new Map(), look).join('\n')).to.include('ended, waits for its home')
  })

  it('is shown as ended over HTTP', async () => {
    const { body } = await gateway.get(`/api/v1/auctions/${ended}`)
    expect(body).to.include({ status: 'ended', minimum: null, buy_now_available: false })
    const { body: soonest } = await gateway.get('/api/v1/auctions?sort=ending')
    expect(soonest.auctions.map(({ id }: { id: string }) => id)).to.deep.equal([live, ended])
    const { body: plain } = await gateway.get('/auctions')
    expect(plain.map(({ id }: { id: string }) => id)).to.deep.equal([live])
    const { body: waiting } = await gateway.get('/api/v1/auctions?status=ended')
    expect(waiting.auctions.map(({ id }: { id: string }) => id)).to.deep.equal([ended])
  })

  it('is shown as ended over a WebSocket', async () => {
    const socket = new WebSocket(`${gateway.wsUrl}/ws/auction/${ended}`)
    const heard: { type: string; auction?: object }[] = []
    socket.on('message', (data) => heard.push(JSON.parse(data.toString())))
    await once(socket, 'open')
    const { auction } = await eventually('the auction', () => heard.find(({ type }) => type === 'subscribed'))
    expect(auction).to.include({ status: 'ended', minimum: null })
    socket.close()
    await once(socket, 'close')
  })

  it('is shown as ended over Socket.IO', async () => {
    const socket = io(`${gateway.url}/auction`, { auth: {}, forceNew: true, reconnection: false })
    try {
      const told = new Promise((resolve) => socket.once('auctionState', resolve))
      socket.once('connect', () => socket.emit('joinAuction', { auctionId: ended }))
      expect(await told).to.include({ status: 'ended', minimum: null })
    } finally {
      socket.disconnect()
    }
  })
}).timeout(20_000)
