import { once } from 'node:events'
import { expect } from 'chai'
import { createNode, type EmbeddedNode, type NodeEvent } from 'vendue'
import { createClient } from 'vendue/client'
import { WebSocket } from 'ws'
import { type EventMessage, eventMessages } from '../../src/application/gateway/public-events.js'
import { CliHarness } from '../adapters/cli/support/cli-harness.js'
import { eventually } from '../support/eventually.js'
import { makeTempHome } from '../support/temp-home.js'
import { TestGateway } from '../support/test-gateway.js'

describe('what happens to an auction', function () {
  this.timeout(30_000)
  const { home, remove } = makeTempHome()
  let node: EmbeddedNode
  let gateway: TestGateway
  let cli: CliHarness

  before(async () => {
    node = await createNode({ name: 'shop', mesh: 'events-test', home }).start()
    gateway = await TestGateway.start(node)
    cli = new CliHarness()
    cli.addNode('shop')
  })

  after(async () => {
    cli?.dispose()
    await gateway?.stop()
    await node?.stop()
    remove()
  })

  it('is told in one shape by WebSocket, event stream, client, command line and node', async () => {
    const heard: Record<string, EventMessage[]> = {}
    const keeper = (surface: string) => {
      const events: EventMessage[] = []
      heard[surface] = events
      return (event: EventMessage) => void events.push(event)
    }

    const inProgram = keeper('createNode')
    const took = (event: NodeEvent) => {
      const { own, ...shared } = event
      expect(own, 'sold by a guest').to.equal(false)
      inProgram(shared as EventMessage)
    }
    for (const type of Object.keys(eventMessages) as (keyof typeof eventMessages)[]) node.on(type, took)

    const socket = new WebSocket(`${gateway.wsUrl}/ws`)
    socket.on('error', () => {})
    await once(socket, 'open')
    const overSocket = keeper('WebSocket')
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString())
      if (message.type in eventMessages) overSocket(withoutCursor(message))
    })
    socket.send(JSON.stringify({ type: 'subscribe', catalogue: true }))

    const client = createClient({ gateways: [gateway.url] })
    const overClient = keeper('vendue/client')
    client.watchAll().on('event', (event) => overClient(withoutCursor(event)))

    const streamEnded = new AbortController()
    const stream = await fetch(`${gateway.url}/api/v1/events`, { signal: streamEnded.signal })
    const overStream = keeper('event stream')
    const streamed = readStream(stream, (event) => overStream(withoutCursor(event)))

    const deps = { connect: async () => ({ api: node.api, close: async () => {} }) }
    const watching = cli.line('watch --json', { deps })
    await eventually('all of them listen', async () => {
      await gateway.open({ title: 'Are you there?' })
      return Object.values(heard).every(({ length }) => length > 0) && cli.stdout !== ''
    })

    const id = await gateway.open({ closes_in_seconds: 600, increment: '1', reserve: '30' })
    await gateway.bid(id, 'max', 20, { kind: 'max' })
    await gateway.bid(id, 'anna', 15)
    await gateway.bid(id, 'anna', 40)
    await gateway.post(`/api/v1/auctions/${id}/extend`, { user_id: 'sam', by_seconds: 60 })
    await gateway.post(`/api/v1/auctions/${id}/close`, { user_id: 'sam' })
    const other = await gateway.open({ title: 'Other' })
    await gateway.post(`/api/v1/auctions/${other}/cancel`, { user_id: 'sam', reason: 'broken' })

    const last = (events: readonly EventMessage[]) => events.some(({ type }) => type === 'auction_cancelled')
    await eventually(
      'all have heard of the last',
      () => Object.values(heard).every(last) && cli.stdout.includes('auction_cancelled'),
    )
    cli.ended.abort()
    const { stdout } = await watching
    heard['vendue watch --json'] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    streamEnded.abort()
    await streamed
    client.close()
    socket.terminate()

    for (const [surface, events] of Object.entries(heard))
      heard[surface] = events.filter(({ title }) => title !== 'Are you there?')
    const expected = heard.WebSocket as EventMessage[]
    for (const event of expected) expect(eventMessages[event.type].parse(event)).to.deep.equal(event)
    expect(new Set(expected.map(({ type }) => type))).to.include.keys(
      'auction_opened',
      'bid_placed',
      'auction_extended',
      'auction_closed',
      'maxima_revealed',
      'auction_cancelled',
    )
    for (const [surface, events] of Object.entries(heard)) expect(events, surface).to.deep.equal(expected)
  })
})

/** Where one goes on in the list of all is a matter of each surface. */
function withoutCursor({ cursor: _, ...event }: EventMessage): EventMessage {
  return event as EventMessage
}

async function readStream(response: Response, take: (event: EventMessage) => void): Promise<void> {
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(bytes, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        const event = data === undefined ? null : JSON.parse(data)
        if (event && event.type in eventMessages) take(event)
      }
    }
  } catch {
    // It was ended.
  }
}
