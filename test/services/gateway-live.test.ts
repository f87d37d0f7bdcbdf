import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { WebSocket } from 'ws'
import { pathMessages } from '../../src/adapters/websocket/event-frames.js'
import { clientMessages, replyMessages } from '../../src/application/gateway/messages.js'
import { eventMessages } from '../../src/application/gateway/public-events.js'
import { eventually } from '../support/eventually.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look at what a server said, whatever it is.
type Message = any

/** A WebSocket client that keeps all that it hears, and checks it against the documented messages. */
class Listener {
  readonly heard: Message[] = []
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(readonly socket: WebSocket) {
    const onPath = new URL(socket.url).pathname !== '/ws'
    const schemas = { ...(onPath ? pathMessages : eventMessages), ...replyMessages }
    this.closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    )
    socket.on('error', () => {})
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString())
      schemas[message.type as keyof typeof schemas].parse(message)
      this.heard.push(message)
    })
  }

  static async open(url: string): Promise<Listener> {
    const listener = new Listener(new WebSocket(url))
    await once(listener.socket, 'open')
    return listener
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  of(...types: string[]): Message[] {
    return this.heard.filter(({ type }) => types.includes(type))
  }

  until(what: string, check: (heard: Message[]) => unknown): Promise<unknown> {
    return eventually(what, () => check(this.heard) as boolean)
  }

  next(type: string): Promise<Message> {
    return eventually(`a ${type}`, () => this.of(type).at(0))
  }

  /** Seqs of the auction's events, in the order in which they came. */
  get seqs(): number[] {
    return this.heard.filter(({ type }) => type in eventMessages || type in pathMessages).map(({ seq }) => seq)
  }

  async end(): Promise<void> {
    this.socket.terminate()
    await this.closed
  }
}

describe("a gateway's live API", () => {
  let mesh: TestMesh
  let gateway: TestGateway

  before(async () => {
    mesh = await createTestMesh(2)
    gateway = await TestGateway.start(mesh.nodes[0]!)
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  const join = (id: string, query: string) => Listener.open(`${gateway.wsUrl}/ws/auction/${id}?${query}`)

  it("speaks a Go auction server's WebSocket protocol word for word", async () => {
    const id = await gateway.open({ start_price: '100', increment: '5', closes_in_seconds: 600 })
    const bidder = await join(id, 'user_id=user_456')
    const other = await join(id, 'user_id=user_789')
    await Promise.all([bidder.next('subscribed'), other.next('subscribed')])
    bidder.say({ type: 'place_bid', amount: '105.00' })
    for (const listener of [bidder, other]) {
      const update = await listener.next('bid_update')
      expect(update).to.include({ current_bid: '105.00', current_winner: 'user_456' })
      expect(Date.parse(update.timestamp)).to.be.a('number').and.not.NaN
    }
    other.say({ type: 'place_bid', amount: '106.00' })
    const rejected = await other.next('bid_rejected')
    expect(rejected.reason).to.be.a('string').and.contain('110.00')
    expect(rejected).to.include({ code: 'BID_TOO_LOW', minimum: '110.00' })
    bidder.say({ type: 'ping' })
    await bidder.next('pong')
    await gateway.post(`/api/v1/auctions/${id}/extend`, { user_id: 'sam' })
    await other.next('auction_extended')
    await gateway.post(`/api/v1/auctions/${id}/close`, { user_id: 'sam' })
    expect(await other.next('auction_ended')).to.include({ winner: 'user_456', final_price: '105.00' })
    bidder.say({ type: 'nonsense' })
    await bidder.next('error')
    expect(bidder.of('bid_rejected'), 'told to its sender alone').to.deep.equal([])
    await Promise.all([bidder.end(), other.end()])
  })

  it('greets with its clock, who one is, and the auction as it stands', async () => {
    const id = await gateway.open()
    const before = Date.now()
    const listener = await join(id, 'user_id=anna')
    const welcome = await listener.next('welcome')
    expect(Date.parse(welcome.server_time)).to.be.within(before - 1_000, Date.now() + 1_000)
    expect(welcome).to.deep.include({ user: { id: 'guest:anna', name: 'anna' }, auth: 'open' })
    const subscribed = await listener.next('subscribed')
    expect(subscribed.seq).to.equal(1)
    expect(subscribed.auction).to.include({ id, minimum: '10.00', you: null })
    await listener.end()
  })

  it('names the leader also where a maximum answered at once', async () => {
    const id = await gateway.open()
    await gateway.bid(id, 'max', '50', { kind: 'max' })
    const listener = await join(id, 'user_id=anna')
    await listener.next('subscribed')
    await gateway.bid(id, 'anna', '20')
    const update = await listener.next('bid_update')
    expect(update).to.include({ leads: false, current_winner: 'max', current_bid: '21.00', minimum: '22.00' })
    expect(JSON.stringify(listener.heard)).not.to.contain('50.00')
    await listener.end()
  })

  it('never bids twice for one bid_id, also over another connection', async () => {
    const id = await gateway.open()
    const answers: Message[] = []
    for (let i = 0; i < 3; i++) {
      const listener = await join(id, 'user_id=anna')
      listener.say({ type: 'place_bid', amount: 12, bid_id: 'mine-1' })
      listener.say({ type: 'place_bid', amount: 12, bid_id: 'mine-1' })
      await listener.until('two answers', () => listener.of('bid_accepted').length === 2)
      answers.push(...listener.of('bid_accepted'))
      await listener.end()
    }
    expect(new Set(answers.map(({ seq, bid_id, client_id }) => `${seq} ${bid_id} ${client_id}`)).size).to.equal(1)
    expect((await gateway.get(`/api/v1/auctions/${id}/bids`)).body.bids).to.have.length(1)
  })

  it('resumes from a seq with no gap and no duplicate while bids go on', async () => {
    const id = await gateway.open({ start_price: '1', increment: '1' })
    let amount = 0
    let bidding = true
    const bids = (async () => {
      while (bidding) {
        amount += 1
        expect((await gateway.bid(id, amount % 2 ? 'anna' : 'ben', amount)).status).to.equal(201)
      }
    })()
    const seqs: number[] = []
    for (let i = 0; i < 6; i++) {
      const from = (seqs.at(-1) ?? 0) + 1
      const listener = await join(id, `user_id=watcher&from_seq=${from}`)
      await listener.until('some more events', () => listener.seqs.length >= 15)
      await listener.end()
      seqs.push(...listener.seqs)
    }
    bidding = false
    await bids
    const last = await join(id, `from_seq=${(seqs.at(-1) ?? 0) + 1}`)
    await last.until('the end', () => [...seqs, ...last.seqs].length >= amount + 1)
    seqs.push(...last.seqs)
    await last.end()
    expect(seqs).to.deep.equal(Array.from({ length: amount + 1 }, (_, i) => i + 1))
  })

  it('hears several auctions, and the whole catalogue, over one connection, and resumes it by cursor', async () => {
    const [first, second] = [await gateway.open({ title: 'One' }), await gateway.open({ title: 'Two' })]
    const listener = await Listener.open(`${gateway.wsUrl}/ws?user_id=anna`)
    listener.say({ type: 'subscribe', auction_ids: [first, second] })
    await listener.until('both', () => listener.of('subscribed').length === 2)
    const all = await Listener.open(`${gateway.wsUrl}/ws`)
    all.say({ type: 'subscribe', catalogue: true })
    await all.next('subscribed')
    listener.say({ type: 'place_bid', auction_id: first, amount: 10 })
    await gateway.bid(second, 'ben', 11)
    await listener.until('both bids', () => listener.of('bid_placed').length === 2)
    const third = await gateway.open({ title: 'Three' })
    await all.next('auction_opened')
    const heard = all.of('bid_placed', 'auction_opened').map(({ auction_id, seq }) => `${auction_id} ${seq}`)
    expect(heard).to.have.members([`${first} 2`, `${second} 2`, `${third} 1`])
    const cursor = all.of('bid_placed')[0].cursor
    await all.end()
    await gateway.bid(third, 'ben', 11)
    const again = await Listener.open(`${gateway.wsUrl}/ws`)
    again.say({ type: 'subscribe', catalogue: true, cursor })
    await again.until('the rest', () => again.seqs.length === 3)
    await gateway.bid(third, 'anna', 12)
    await again.until('what is new', () => again.seqs.length === 4)
    expect(again.heard.slice(2).map(({ auction_id, seq }) => `${auction_id} ${seq}`)).to.deep.equal([
      heard[1],
      heard[2],
      `${third} 2`,
      `${third} 3`,
    ])
    const opened = await Listener.open(`${gateway.wsUrl}/ws`)
    const since = all.of('auction_opened')[0].timestamp
    opened.say({ type: 'subscribe', catalogue: true, cursor: 'p0.0', since })
    await opened.until('all of the third', () => opened.seqs.length >= 3)
    expect(opened.of('auction_opened').map(({ auction_id }) => auction_id)).to.deep.equal([third])
    opened.say({ type: 'subscribe', catalogue: true, cursor: 'p0.0', since: 'yesterday' })
    expect(await opened.next('error')).to.include({ code: 'INVALID_INPUT', field: 'since' })
    await opened.end()
    listener.say({ type: 'unsubscribe', auction_id: first })
    await listener.next('unsubscribed')
    const before = listener.of('bid_placed').length
    await gateway.bid(first, 'ben', 20)
    await gateway.bid(second, 'anna', 20)
    await listener.until('the other one', () => listener.of('bid_placed').length > before)
    expect(listener.of('bid_placed').at(-1).auction_id).to.equal(second)
    await Promise.all([listener.end(), again.end()])
  })

  it('takes as many auctions in one message as it documents', async () => {
    const id = await gateway.open()
    const listener = await Listener.open(`${gateway.wsUrl}/ws`)
    listener.say({ type: 'subscribe', auction_ids: Array(1_000).fill(id) })
    await listener.until('all are answered', () => listener.of('subscribed').length === 1_000)
    await listener.end()
  })

  it('leaves overtaken prices out for those who want the newest only, and ends on the newest', async () => {
    const id = await gateway.open({ start_price: '1', increment: '1' })
    const listener = await join(id, 'mode=newest')
    await listener.next('subscribed')
    for (let amount = 1; amount <= 40; amount++) await gateway.bid(id, amount % 2 ? 'anna' : 'ben', amount)
    await gateway.post(`/api/v1/auctions/${id}/close`, { user_id: 'sam' })
    await listener.next('auction_ended')
    const updates = listener.of('bid_update')
    expect(updates.length).to.be.within(1, 39)
    expect(updates.at(-1).current_bid).to.equal('40.00')
    expect(listener.seqs).to.deep.equal([...listener.seqs].sort((a, b) => a - b))
    await listener.end()
  })

  it('reports who is there, who came and who left', async () => {
    const id = await gateway.open()
    const anna = await join(id, 'user_id=anna')
    await anna.next('subscribed')
    const ben = await join(id, 'user_id=ben')
    await anna.until('ben came', (heard) => heard.some((m) => m.type === 'presence' && m.joined.includes('ben')))
    expect(anna.of('presence').at(-1).watchers).to.equal(2)
    await ben.end()
    await anna.until('ben left', (heard) => heard.some((m) => m.type === 'presence' && m.left.includes('ben')))
    expect(anna.of('presence').at(-1).watchers).to.equal(1)
    await anna.end()
  })

  it('answers bids for which nobody stands, and those that make no sense, to their sender', async () => {
    const id = await gateway.open()
    const listener = await join(id, '')
    listener.say({ type: 'place_bid', amount: '10' })
    expect((await listener.next('bid_rejected')).code).to.equal('UNAUTHENTICATED')
    const many = await Listener.open(`${gateway.wsUrl}/ws?user_id=anna`)
    many.say({ type: 'place_bid', amount: '10' })
    expect((await many.next('bid_rejected')).code).to.equal('INVALID_INPUT')
    many.say({ type: 'subscribe' })
    many.say({ type: 'subscribe', auction_id: 'auc_nosuch' })
    await many.until('two errors', () => many.of('error').length === 2)
    expect(many.of('error').map(({ code }) => code)).to.deep.equal(['INVALID_INPUT', 'AUCTION_NOT_FOUND'])
    await Promise.all([listener.end(), many.end()])
  })

  it('closes with a code where the auction is not known, or a frame is too large', async () => {
    const unknown = await join('auc_nosuch', '')
    expect((await unknown.closed).code).to.equal(4404)
    expect(unknown.of('error')[0].code).to.equal('AUCTION_NOT_FOUND')
    const large = await Listener.open(`${gateway.wsUrl}/ws`)
    large.socket.send('x'.repeat(140_000))
    expect((await large.closed).code).to.equal(1009)
    const clumsy = await Listener.open(`${gateway.wsUrl}/ws`)
    for (let i = 0; i < 120; i++) clumsy.socket.send('?')
    expect((await clumsy.closed).code).to.equal(1008)
  })

  it('refuses upgrades of other pages, to other places and with bad queries', async () => {
    const status = async (path: string, headers: Record<string, string> = {}) => {
      const socket = new WebSocket(gateway.wsUrl + path, { headers })
      socket.on('error', () => {})
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
      socket.terminate()
      return response.statusCode
    }
    expect(await status('/ws', { origin: 'http://elsewhere.example' })).to.equal(403)
    expect(await status('/ws', { host: 'rebound.example' })).to.equal(403)
    expect(await status('/elsewhere')).to.equal(404)
    expect(await status('/ws/auction/x?from_seq=-1')).to.equal(400)
    expect(await status(`/ws?user_id=${'x'.repeat(65)}`)).to.equal(401)
    const own = new WebSocket(`${gateway.wsUrl}/ws`, { headers: { origin: gateway.url } })
    await once(own, 'open')
    own.terminate()
  })

  it('limits connections', async () => {
    const small = await TestGateway.start(mesh.nodes[0]!, { maxConnectionsPerAddress: 2 })
    try {
      const two = [await Listener.open(`${small.wsUrl}/ws`), await Listener.open(`${small.wsUrl}/ws`)]
      const third = new WebSocket(`${small.wsUrl}/ws`)
      third.on('error', () => {})
      const [, response] = (await once(third, 'unexpected-response')) as [unknown, { statusCode: number }]
      expect(response.statusCode).to.equal(429)
      third.terminate()
      await two[0]!.end()
      await eventually('a place is free', async () => {
        const next = new Listener(new WebSocket(`${small.wsUrl}/ws`))
        const open = await Promise.race([once(next.socket, 'open').then(() => true), next.closed.then(() => false)])
        next.socket.terminate()
        return open
      })
      await two[1]!.end()
    } finally {
      await small.stop()
    }
  })

  it('drops a reader who does not read, and goes on for everybody else', async () => {
    const id = await gateway.open({ start_price: '1', increment: '1', description: 'x'.repeat(9_000) })
    const { hostname, port } = new URL(gateway.url)
    const slow: Socket = connect(Number(port), hostname)
    slow.write(
      `GET /ws HTTP/1.1\r\nhost: ${hostname}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    await once(slow, 'readable')
    slow.pause()
    let closed = false
    slow.once('close', () => {
      closed = true
    })
    slow.on('error', () => {})
    const quick = await join(id, 'user_id=quick')
    await quick.next('subscribed')
    // Each answer to a subscription holds the whole auction: 10 kB for some 60 bytes asked.
    const frame = maskedFrame(JSON.stringify({ type: 'subscribe', auction_id: id, from_seq: 1 }))
    for (let i = 0; i < 2_000 && !closed; i++) {
      slow.write(frame)
      if (i % 100 === 0) await sleep(5)
    }
    let amount = 0
    await eventually('the slow reader is let go', async () => {
      amount += 1
      await gateway.bid(id, amount % 2 ? 'anna' : 'ben', amount)
      const { body } = await gateway.get('/metrics')
      return /vendue_slow_readers_total\{path="ws"\} [1-9]/.test(body)
    })
    slow.destroy()
    await quick.until('all bids', () => quick.of('bid_update').length === amount)
    await quick.end()
  })

  it('answers BUSY if too many bids of one connection wait, and counts them', async () => {
    const id = await gateway.open()
    const bidder = await join(id, 'user_id=anna')
    await bidder.next('subscribed')
    const counted = async () =>
      Number(/vendue_overfull_connections_total\{path="ws"\} (\d+)/.exec((await gateway.get('/metrics')).body)?.[1])
    const before = await counted()
    const bids = 2_000
    // In one turn of the one process, so that they arrive before any is answered.
    for (let i = 1; i <= bids; i++) bidder.say({ type: 'place_bid', amount: i, bid_id: `many-${i}` })
    const answers = () => bidder.of('bid_accepted', 'bid_rejected')
    await eventually('all are answered', () => answers().length === bids)
    const busy = answers().filter(({ code }) => code === 'BUSY').length
    expect(busy).to.be.above(0)
    expect((await counted()) - before).to.equal(busy)
    await bidder.end()
  })

  it('streams events to those who only listen, and goes on after Last-Event-ID', async () => {
    const id = await gateway.open()
    await gateway.bid(id, 'anna', 10)
    const read = async (path: string, count: number, headers: Record<string, string> = {}) => {
      const ended = new AbortController()
      const response = await fetch(gateway.url + path, { headers, signal: ended.signal })
      expect(response.headers.get('content-type')).to.match(/^text\/event-stream/)
      let text = ''
      const ids = () => [...text.matchAll(/^id: (.+)$/gm)].map((match) => match[1] as string)
      const reader = response.body!.getReader()
      while (ids().length < count) text += Buffer.from((await reader.read()).value ?? []).toString()
      ended.abort()
      return ids()
    }
    expect(await read(`/api/v1/events?auction=${id}&from_seq=1`, 2)).to.deep.equal(['1', '2'])
    await gateway.bid(id, 'ben', 11)
    expect(await read(`/api/v1/events?auction=${id}`, 1, { 'last-event-id': '2' })).to.deep.equal(['3'])
    const all = await read('/api/v1/events?cursor=p0.0', 5)
    const rest = await read('/api/v1/events', 1, { 'last-event-id': all[3]! })
    expect(rest[0]).to.equal(all[4])
  })

  it('survives any frame', async () => {
    const id = await gateway.open()
    const types = Object.keys(clientMessages)
    const message = fc.record(
      {
        type: fc.oneof(fc.constantFrom(...types), fc.jsonValue()),
        amount: fc.jsonValue(),
        auction_id: fc.oneof(fc.constant(id), fc.jsonValue()),
        bid_id: fc.jsonValue(),
        from_seq: fc.jsonValue(),
        mode: fc.jsonValue(),
      },
      { requiredKeys: ['type'] },
    )
    const frame = fc.oneof(
      message.map((m) => JSON.stringify(m)),
      fc.string(),
      fc.uint8Array(),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 20 }), async (frames) => {
        const listener = await Listener.open(`${gateway.wsUrl}/ws?user_id=fuzz`)
        for (const one of frames) listener.socket.send(one)
        listener.say({ type: 'ping', id: 'last' })
        await listener.until('the last answer', (heard) => heard.some((m) => m.type === 'pong' && m.id === 'last'))
        expect(listener.heard.filter(({ code }) => code === 'INTERNAL')).to.deep.equal([])
        await listener.end()
      }),
      { numRuns: 60 },
    )
  })
})

describe('a gateway that stops', () => {
  it('answers what is under way, refuses what is new, and says why to its listeners', async () => {
    const mesh = await createTestMesh(1)
    const node = mesh.nodes[0]!
    let letGo: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let bidding = false
    const api = Object.create(node.api) as typeof node.api
    api.bid = async (request) => {
      bidding = true
      await held
      return node.api.bid(request)
    }
    for (const name of ['open', 'show', 'events', 'history', 'status', 'list'] as const)
      api[name] = node.api[name].bind(node.api) as never
    const gateway = await TestGateway.start({ api })
    try {
      const [id, other] = [await gateway.open(), await gateway.open()]
      const listener = await Listener.open(`${gateway.wsUrl}/ws/auction/${id}?user_id=anna`)
      await listener.next('subscribed')
      const idle = connect(Number(new URL(gateway.url).port), '127.0.0.1')
      await once(idle, 'connect')
      idle.write('GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
      await once(idle, 'data')
      const http = gateway.bid(other, 'ben', 10)
      listener.say({ type: 'place_bid', amount: 11 })
      await eventually('bids are under way', () => bidding)
      const stopping = gateway.stop()
      idle.write('GET /auctions HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
      const [refused] = (await once(idle, 'data')) as [Buffer]
      expect(refused.toString())
        .to.match(/^HTTP\/1.1 503 /)
        .and.match(/retry-after: 2/i)
      letGo()
      expect((await http).status).to.equal(201)
      await listener.next('bid_accepted')
      const { code, reason } = await listener.closed
      expect({ code, reason }).to.deep.equal({ code: 1012, reason: 'STOPPING' })
      expect(listener.of('goodbye')).to.have.length(1)
      await stopping
      await fetch(gateway.url).then(
        () => expect.fail('the port is still open'),
        () => {},
      )
    } finally {
      await gateway.stop()
      await mesh.stop()
    }
  })

  it('takes another port where the usual one is taken, and says what to do where a named one is', async () => {
    const mesh = await createTestMesh(1)
    const first = await TestGateway.start(mesh.nodes[0]!)
    try {
      const port = Number(new URL(first.url).port)
      const second = await TestGateway.start(mesh.nodes[0]!, { port, portTaken: 'another' })
      expect(second.gateway.fellBack).to.equal(true)
      expect((await second.get('/health')).status).to.equal(200)
      await second.stop()
      const failed = await TestGateway.start(mesh.nodes[0]!, { port }).then(
        () => null,
        (error: Error & { code?: string }) => error,
      )
      expect(failed?.code).to.equal('PORT_IN_USE')
      expect(failed?.message).to.contain('--http-port')
      const open = await TestGateway.start(mesh.nodes[0]!, { host: '0.0.0.0' }).then(
        () => null,
        (error: Error & { next?: string }) => error,
      )
      expect(open?.next).to.contain('--auth-open-anywhere')
    } finally {
      await first.stop()
      await mesh.stop()
    }
  })
})

/** A text frame as clients send it, masked with zeros. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const head = Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0])
  if (payload.length > 125) throw new Error('too long for a short frame')
  return Buffer.concat([head, payload])
}
