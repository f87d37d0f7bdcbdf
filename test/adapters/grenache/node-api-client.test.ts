import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { expect } from 'chai'
import { grenacheNodeApiClient } from '../../../src/adapters/grenache/grenache-node-api-client.js'
import { RpcClient } from '../../../src/adapters/grenache/rpc-client.js'
import { tlsToNode } from '../../../src/adapters/grenache/transport/pinned-tls.js'
import type { AuctionView, CommandResult } from '../../../src/ports/node/node-answers.js'
import type { NodeApi } from '../../../src/ports/node/node-api.js'
import { NODE_ERROR_CODES, NodeError } from '../../../src/ports/node/node-error.js'
import type { NodeStatus } from '../../../src/ports/node/node-status.js'
import { callRaw, errorOf, rejection, self, serverMember, startServer, type TestServer, TOKEN } from './fakes.js'

const view = {
  auctionId: 'auc_1',
  head: { seq: 1, hash: 'x' },
  state: {},
  minimum: 5,
} as unknown as AuctionView
const result: CommandResult = {
  outcome: { status: 'accepted', commandId: 'cmd_1', auctionId: 'auc_1', seq: 1, at: 1 },
  auction: view,
}
const command = { auction: 'auc_1', commandId: 'cmd_1' }
const opening = { commandId: 'cmd_1', title: 'Pic#1', currency: 'USDT', start: '75' }

/** Every method with a request and an answer. */
const CALLS: { [M in keyof NodeApi]: [Parameters<NodeApi[M]>, Awaited<ReturnType<NodeApi[M]>>] } = {
  status: [[], { node: self, grape: 'connected', peers: {}, auctions: {} } as unknown as NodeStatus],
  peers: [[], [{ ...self, state: 'alive', lastSeenAt: 1, roundTripMs: null }]],
  addPicture: [[{ hash: 'a'.repeat(64), bytes: 3, offset: 0, piece: 'AAAA' }], { picture: null, next: 3 }],
  audit: [[{ who: 'usr_' }], { lines: [], next: null, seq: 3 }],
  tlogProof: [[{ auction: 'auc', seq: 3 }], { proof: 'c2sp.org/tlog-proof@v1', verifierKey: 'k', index: 0, size: 1 }],
  picture: [[{ hash: 'a'.repeat(64), offset: 0 }], { bytes: 3, type: 'image/png', piece: 'AAAA', next: null }],
  open: [
    [
      {
        ...opening,
        pictures: [{ hash: 'a'.repeat(64), alt: 'A chair' }],
        reserve: '100',
        softClose: { windowMs: 1, extensionMs: 2 },
      },
    ],
    result,
  ],
  bid: [[{ ...command, kind: 'max', amount: '80.50' }], result],
  buyNow: [[command], result],
  close: [[{ ...command, replicas: 2 }], result],
  cancel: [[{ ...command, reason: 'broken' }], { ...result, auction: null }],
  extend: [[{ ...command, closesAt: 2_000_000_000_000 }], result],
  handover: [[{ auction: 'auc', peer: 'bob' }], view],
  takeBack: [
    [{ auction: 'auc', withoutPeers: true }],
    {
      auctionId: 'auc_1',
      fromSeq: 2,
      untilSeq: 3,
      peers: ['bob'],
      absent: [],
      lost: { reserve: false, maxima: 0, maximaOf: [], leading: false },
      isHeld: false,
    },
  ],
  maxima: [[{ of: [{ auction: 'auc', party: 'id' }] }], [7_500, null]],
  moving: [[{ after: null, waitMs: 0 }], { version: 1, auctions: [{ auctionId: 'auc_1', since: 1 }] }],
  giveUp: [[{ auction: 'auc', reason: 'lost' }], view],
  autoBid: [
    [{ auction: 'auc', limit: '90' }],
    {
      autoBid: { auctionId: 'auc_1', limit: 90, state: 'active', refusal: null, pending: null, updatedAt: 1 },
      auction: view,
    },
  ],
  stopAutoBid: [
    [{ auction: 'auc' }],
    {
      autoBid: {
        auctionId: 'auc_1',
        limit: 90,
        state: 'stopped',
        refusal: null,
        pending: null,
        updatedAt: 1,
      },
      auction: view,
    },
  ],
  autoBids: [[], []],
  list: [[{ statuses: ['open', 'closed'], limit: 10 }], { auctions: [view], next: null }],
  show: [[{ auction: 'auc' }], view],
  history: [[{ auction: 'auc', beforeSeq: 9 }], { auction: view, bids: [], next: null }],
  events: [[{ cursor: 'c1', waitMs: 0 }], { items: [], cursor: 'c2' }],
  log: [[{ auction: 'auc', fromSeq: 1 }], { auctionId: 'auc_1', commits: [], head: { seq: 1, hash: 'x' } }],
  receipts: [[{ auction: 'auc', after: 3 }], { signed: [], next: null }],
  proof: [[{ auction: 'auc' }], null],
  stop: [[], undefined],
}
const METHODS = Object.keys(CALLS) as (keyof NodeApi)[]
const COMMANDS: readonly string[] = ['open', 'bid', 'buyNow', 'close', 'cancel', 'extend', 'autoBid']

type AnyMethod = (...args: unknown[]) => Promise<unknown>
const invoke = (api: NodeApi, method: keyof NodeApi, args: readonly unknown[] = CALLS[method][0]) =>
  (api[method] as AnyMethod)(...args)

describe('the node API over RPC', () => {
  let running: TestServer
  let rpcClient: RpcClient
  const connect = (address: string, token = TOKEN) =>
    grenacheNodeApiClient({ rpcClient }, { address, token, readTimeoutMs: 1_000, commandTimeoutMs: 1_000 })

  async function serve(node: Partial<NodeApi>): Promise<NodeApi> {
    running = await startServer({ node })
    return connect(running.address)
  }

  beforeEach(() => {
    rpcClient = new RpcClient({ tls: tlsToNode(serverMember.nodeId) })
  })
  afterEach(async () => {
    rpcClient.stop()
    await running?.server.stop()
  })

  for (const method of METHODS) {
    it(`carries ${method} to the node and its answer back`, async () => {
      const [args, answer] = CALLS[method]
      const seen: unknown[] = []
      const api = await serve({
        [method]: async (...given: unknown[]) => {
          seen.push(...given)
          return answer
        },
      })
      expect(await invoke(api, method)).to.deep.equal(answer)
      expect(seen).to.deep.equal(args)
    })
  }

  it('lets nobody in without the token, whatever the method, and never shows it', async () => {
    let called = 0
    const count = async () => {
      called += 1
    }
    const counting = Object.fromEntries(METHODS.map((method) => [method, count]))
    const api = await serve(counting as Partial<NodeApi>)
    for (const token of ['', 'wrong', TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase()]) {
      for (const method of METHODS) {
        const error = await rejection(invoke(connect(running.address, token), method), NodeError)
        expect(error.code).to.equal('FORBIDDEN')
        expect(error.next).to.include('operator.token')
      }
    }
    const answer = await callRaw(running.port, 'vendue.node.status', { params: {} })
    expect(errorOf(answer).code).to.equal('FORBIDDEN')
    expect(JSON.stringify(answer)).to.not.include(TOKEN)
    expect(called).to.equal(0)
    await api.stop()
    expect(called).to.equal(1)
  })

  it('says FORBIDDEN before it says what is wrong with a request', async () => {
    await serve({})
    const answer = await callRaw(running.port, 'vendue.node.bid', { token: 'no', params: { nonsense: 1 } })
    expect(errorOf(answer).code).to.equal('FORBIDDEN')
  })

  it('brings every node error back with its code, field and advice', async () => {
    for (const code of NODE_ERROR_CODES) {
      const api = await serve({
        show: () => Promise.reject(new NodeError(code, `because of ${code}`, { field: 'auction', next: 'look' })),
      })
      const error = await rejection(api.show({ auction: 'auc' }), NodeError)
      expect(error).to.include({ code, message: `because of ${code}`, field: 'auction', next: 'look' })
      await running.server.stop()
    }
  })

  const bad: [keyof NodeApi, object, string, RegExp][] = [
    ['open', { ...opening, title: 7 }, 'title', /must be a text/],
    ['open', { ...opening, title: 'x'.repeat(500_000) }, 'title', /at most 10,000/],
    ['open', { ...opening, currency: 'US DOLLAR' }, 'currency', /currency code/],
    ['open', { ...opening, start: true }, 'start', /must be an amount/],
    ['open', { ...opening, start: '' }, 'start', /must be an amount/],
    ['open', { ...opening, closesAt: 1.5 }, 'closesAt', /whole number/],
    ['open', { ...opening, closesAt: '2026-01-01' }, 'closesAt', /must be a number/],
    ['open', { ...opening, closesInMs: -1 }, 'closesInMs', /more than 0/],
    ['open', { ...opening, softClose: { windowMs: 1 } }, 'softClose.extensionMs', /must be/],
    ['open', { ...opening, sneaky: true }, 'sneaky', /not a field/],
    ['bid', { ...command, kind: 'huge', amount: '5' }, 'kind', /plain or max/],
    ['bid', { ...command, kind: 'plain', amount: '9'.repeat(65) }, 'amount', /at most 64/],
    ['bid', { ...command, auction: '../../etc', kind: 'plain', amount: '5' }, 'auction', /auction's id/],
    ['bid', { ...command, commandId: '', kind: 'plain', amount: '5' }, 'commandId', /an id/],
    ['list', { limit: 1_001 }, 'limit', /at most 1,000/],
    ['list', { statuses: ['gone'] }, 'statuses[0]', /scheduled or open/],
    ['events', { waitMs: 30_001 }, 'waitMs', /at most 30,000/],
  ]
  for (const [method, request, field, rule] of bad) {
    it(`refuses ${method} with a bad ${field}: INVALID_INPUT that names it`, async () => {
      const api = await serve({})
      const error = await rejection(invoke(api, method, [request]), NodeError)
      expect(error).to.include({ code: 'INVALID_INPUT', field })
      expect(error.message).to.match(rule)
      expect(error.next).to.be.a('string')
    })
  }

  it('says NODE_UNREACHABLE where nobody listens, for commands too: nothing was done', async () => {
    const api = await serve({})
    await running.server.stop()
    for (const method of METHODS) {
      expect((await rejection(invoke(api, method), NodeError)).code, method).to.equal('NODE_UNREACHABLE')
    }
  })

  it('says OUTCOME_UNKNOWN where the answer to a command is lost, NODE_UNREACHABLE for a read', async () => {
    await serve({})
    const server = createServer(serverMember.tls.serverOptions(), (socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const api = connect(`127.0.0.1:${(server.address() as AddressInfo).port}`)
    for (const method of METHODS) {
      const error = await rejection(invoke(api, method), NodeError)
      if (COMMANDS.includes(method)) {
        expect(error.code, method).to.equal('OUTCOME_UNKNOWN')
        expect(error.next).to.include('ask again')
      } else if (!['stop', 'stopAutoBid', 'handover', 'takeBack', 'giveUp', 'addPicture'].includes(method)) {
        expect(error.code, method).to.equal('NODE_UNREACHABLE')
      }
    }
    server.close()
  })

  it('says the same where the answer takes too long', async () => {
    const never = () => new Promise<never>(() => {})
    const api = await serve({ bid: never, list: never })
    const bid = rejection(invoke(api, 'bid'), NodeError)
    const list = rejection(invoke(api, 'list'), NodeError)
    expect((await bid).code).to.equal('OUTCOME_UNKNOWN')
    expect((await list).code).to.equal('NODE_UNREACHABLE')
  })

  it('waits for events longer than for other reads', async () => {
    const api = await serve({
      events: async ({ waitMs }) => {
        await new Promise((resolve) => setTimeout(resolve, waitMs))
        return { items: [], cursor: 'later' }
      },
    })
    expect(await api.events({ waitMs: 1_500 })).to.deep.equal({ items: [], cursor: 'later' })
  })
})
