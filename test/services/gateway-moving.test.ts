import { expect } from 'chai'
import { io } from 'socket.io-client'
import { createClient } from 'vendue/client'
import { eventually } from '../support/eventually.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const WORDS = 'moving to another node; your bid is not placed yet'

describe('a gateway, while an auction moves to another node', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  const closing: (() => void)[] = []

  before(async () => {
    mesh = await createTestMesh(1)
    gateway = await TestGateway.start(mesh.nodes[0]!)
  })

  afterEach(() => {
    for (const close of closing.splice(0)) close()
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  const moving = () => mesh.nodes[0]!.services.parts.movingAuctions

  /** What each kind of client hears of it, in order. */
  const clients: Record<string, (auction: string) => Promise<() => unknown[]>> = {
    async 'vendue/client'(auction) {
      const client = createClient({ gateways: [gateway.url], user: 'anna' })
      closing.push(() => client.close())
      const watch = await client.watch(auction)
      const heard: unknown[] = []
      watch.onMoving((news) => heard.push(news.moving))
      return () => heard
    },
    async 'an event stream'(auction) {
      const abort = new AbortController()
      closing.push(() => abort.abort())
      const url = `${gateway.url}/api/v1/events?auction=${auction}`
      const { body } = await fetch(url, { signal: abort.signal })
      let text = ''
      const read = async () => {
        const decoder = new TextDecoder()
        for await (const chunk of body!) text += decoder.decode(chunk, { stream: true })
      }
      read().catch(() => undefined)
      await eventually('the stream is open', () => text.includes('welcome'))
      return () =>
        [...text.matchAll(/event: auction_moving\ndata: (.*)\n/g)].map((match) => JSON.parse(match[1]!).moving)
    },
    async 'Socket.IO'(auction) {
      const socket = io(`${gateway.url}/auction`, { auth: { user_id: 'ben' }, forceNew: true, reconnection: false })
      closing.push(() => socket.disconnect())
      const heard: unknown[] = []
      let joined = false
      socket.on('auctionState', () => {
        joined = true
      })
      socket.on('auctionMoving', (news) => heard.push(news.auctionId === auction && news.moving))
      socket.emit('joinAuction', { auctionId: auction })
      await eventually('it has joined', () => joined)
      return () => heard
    },
  }

  for (const [who, watch] of Object.entries(clients)) {
    it(`lets ${who} hear of it, and when it is over, whether they were there before or come meanwhile`, async () => {
      const [auction, other] = [await gateway.open(), await gateway.open()]
      const early = await watch(auction)
      const elsewhere = await watch(other)
      moving().begin(auction)
      await eventually('it is heard', () => early().length === 1)
      const late = await watch(auction)
      await eventually('who comes later hears it at once', () => late().length === 1)
      moving().end(auction)
      await eventually('it is heard that it is over', () => early().length === 2 && late().length === 2)
      expect(early()).to.deep.equal([true, false])
      expect(late()).to.deep.equal([true, false])
      expect(elsewhere()).to.deep.equal([])
    })
  }

  it('says in plain words what that means, over a WebSocket', async () => {
    const auction = await gateway.open()
    const socket = new WebSocket(`${gateway.wsUrl}/ws/auction/${auction}?user_id=kim`)
    closing.push(() => socket.close())
    const heard: Record<string, unknown>[] = []
    socket.addEventListener('message', ({ data }) => heard.push(JSON.parse(String(data))))
    await eventually('it watches', () => heard.some(({ type }) => type === 'subscribed'))
    moving().begin(auction)
    const message = await eventually('it is heard', () => heard.find(({ type }) => type === 'auction_moving'))
    expect(message).to.include({ auction_id: auction, moving: true, message: WORDS })
    expect(message.since).to.match(/^\d{4}-.*Z$/)
  })
})
