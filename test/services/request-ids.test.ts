import { once } from 'node:events'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { createNode, type VendueNode } from '../../services/node/create-node.js'
import { createPinoLogger } from '../../src/adapters/system/pino-logger.js'
import { eventually } from '../support/eventually.js'
import { makeTempHome } from '../support/temp-home.js'
import { TestGateway } from '../support/test-gateway.js'
import { testSettings } from '../support/test-settings.js'

interface Line {
  readonly msg: string
  readonly requestId?: string
  readonly requestIds?: readonly string[]
}

describe('a request id', () => {
  const { home, remove } = makeTempHome()
  const lines: Record<'home' | 'bidder', Line[]> = { home: [], bidder: [] }
  let nodes: VendueNode[] = []
  let gateway: TestGateway
  let auction: string

  const loggerOf = (name: 'home' | 'bidder') =>
    createPinoLogger({
      level: 'trace',
      format: 'json',
      write: (text) =>
        lines[name].push(
          ...text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        ),
    })
  const messagesWith = (name: 'home' | 'bidder', id: string) =>
    lines[name].flatMap(({ msg, requestId, requestIds = [] }) =>
      requestId === id || requestIds.includes(id) ? msg : [],
    )

  before(async () => {
    const seller = createNode(testSettings({ home, name: 'home' }), { logger: loggerOf('home') })
    nodes = [seller]
    await seller.start()
    const bootstrap = [seller.info.dhtAddress ?? '']
    const logger = loggerOf('bidder')
    const bidder = createNode(testSettings({ home, name: 'bidder', bootstrap }), { logger, role: 'gateway' })
    nodes.push(bidder)
    await bidder.start()
    gateway = await TestGateway.start(bidder, {}, { logger, metrics: bidder.metrics })
    const terms = { title: 'Lot', currency: 'EUR', start: '1', increment: '1' }
    auction = (await seller.api.open({ commandId: 'cmd_request-ids', ...terms })).outcome.auctionId
    await eventually('the bidder knows it', () => bidder.api.show({ auction }))
  })

  after(async () => {
    await gateway?.stop()
    for (const node of nodes.reverse()) await node.stop()
    remove()
  })

  it('of an HTTP bid stands in the log lines of the gateway, its node and the home, and in the answer', async () => {
    const { status, headers } = await gateway.post(
      `/api/v1/auctions/${auction}/bids`,
      { user_id: 'anna', amount: 5 },
      { 'x-request-id': 'trace-me:1' },
    )
    expect(status).to.equal(201)
    expect(headers.get('x-request-id')).to.equal('trace-me:1')
    await eventually('it is logged', () => messagesWith('bidder', 'trace-me:1').includes('answered a request'))
    expect(messagesWith('bidder', 'trace-me:1')).to.include.members(['called', 'answered a request'])
    expect(messagesWith('home', 'trace-me:1')).to.have.members(['commands were decided and stored', 'served'])
  })

  it('that is malformed gives way to a new one', async () => {
    const { headers } = await gateway.get('/health', { 'x-request-id': 'a b\tc' })
    expect(headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/)
  })

  it('of a WebSocket bid is the client’s own or follows from the connection’s, and is echoed', async () => {
    const socket = new WebSocket(`${gateway.wsUrl}/ws?user_id=ben`, { headers: { 'x-request-id': 'conn-7' } })
    const replies: { type: string; request_id?: string }[] = []
    socket.on('message', (data) => replies.push(JSON.parse(data.toString())))
    await once(socket, 'open')
    const bid = { type: 'place_bid', auction_id: auction }
    socket.send(JSON.stringify({ ...bid, amount: 50 }))
    socket.send(JSON.stringify({ ...bid, amount: 2, request_id: 'mine' }))
    await eventually('both are answered', () => replies.length === 3)
    expect(replies.map(({ type, request_id }) => [type, request_id])).to.deep.equal([
      ['welcome', undefined],
      ['bid_accepted', 'conn-7.1'],
      ['bid_rejected', 'mine'],
    ])
    for (const id of ['conn-7.1', 'mine'])
      expect(messagesWith('home', id)).to.include.members(['commands were decided and stored', 'served'])
    socket.terminate()
  })

  it('costs nothing on the page of metrics, where the steps of the path are', async () => {
    const { body } = await gateway.get('/metrics')
    expect(body).to.not.contain('conn-7')
    for (const step of ['parse', 'turn', 'forward', 'answer'])
      expect(body).to.match(new RegExp(`^vendue_step_seconds_count\\{step="${step}"\\} [1-9]`, 'm'))
    const atHome = await nodes[0]?.metrics.text()
    for (const step of ['mailbox', 'decide', 'append'])
      expect(atHome).to.match(new RegExp(`^vendue_step_seconds_count\\{step="${step}"\\} [1-9]`, 'm'))
    expect(atHome).to.match(/^vendue_commands_decided_total\{outcome="rejected",code="ALREADY_LEADING"\} 1$/m)
  })
})
