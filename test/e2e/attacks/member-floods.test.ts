import { readFileSync, statSync } from 'node:fs'
import { Agent, request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { expect } from 'chai'
import { rpcTable } from '../../../src/adapters/grenache/rpc/rpc-table.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { signOrders, submittedOrders } from '../../../src/application/orders/order.js'
import { proofOf } from '../../../src/application/proof/equivocation.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionEvent } from '../../../src/domain/events.js'
import type { RemoteCommand } from '../../../src/domain/remote-command.js'
import type { NodeInfo } from '../../../src/ports/node/node-info.js'
import { fakeMeshService, fakeNodeApi, fakePeerService } from '../../adapters/grenache/fakes.js'
import { AttackedMesh, type Insider, infoOf, openAuction, portOf } from '../../support/attacked-mesh.js'
import { eventually } from '../../support/eventually.js'

/** How long each flood lasts at least: `VENDUE_FLOOD_MS=20000 npm test -- member-floods` for longer ones. */
const FLOOD_MS = Number(process.env.VENDUE_FLOOD_MS ?? 800)
/** What the two who trade get done during each of them. */
const LEAST_BIDS = 10
/** Requests under way at once. */
const FLOODERS = 24
/** What all floods together may leave on the node's disk. */
const MAX_GROWTH_BYTES = 96 * 1024 * 1024
const MAX_RESIDENT_BYTES = 1_200 * 1024 * 1024

/** What is sent: the params of the i-th request. */
type Flood = (i: number) => object

describe('a member that floods a real node, while two others trade', function () {
  this.timeout(60_000 + 40 * FLOOD_MS)

  let mesh: AttackedMesh
  let mallory: Insider
  let anna: NodeInfo
  let meshId: string
  let port: number
  let agent: Agent
  let ids = 0

  before(async () => {
    mesh = await AttackedMesh.start(['anna', 'ben'])
    mallory = await mesh.join('mallory')
    anna = await infoOf(mesh.node(0))
    meshId = (await mesh.node(0).api.status()).mesh.meshId
    port = await portOf(mesh.node(0))
    agent = new Agent({ keepAlive: true, maxSockets: FLOODERS, ...mallory.tls.connectOptions() })
  })
  after(async () => {
    agent.destroy()
    await mesh.stop()
  })

  const newId = (kind: string) => `${kind}_flood${String(++ids).padStart(9, '0')}`

  /** What is sent again and again is written once: the flooder's own time must not slow those down who trade beside it. */
  const bodies = new WeakMap<object, Buffer>()
  function bodyOf(rpc: string, params: object): Buffer {
    let body = bodies.get(params)
    if (body === undefined) {
      body = Buffer.from(JSON.stringify(['r', rpc, { params }]))
      bodies.set(params, body)
    }
    return body
  }

  /** The code of the answer. Never rejects: a request that is cut off has none. */
  function send(rpc: string, params: object): Promise<string> {
    const body = bodyOf(rpc, params)
    return new Promise((resolve) => {
      const headers = { 'content-length': String(body.length) }
      const request = httpsRequest({ host: '127.0.0.1', port, method: 'POST', path: '/', agent, headers })
      request.on('response', (response) => {
        let start = ''
        response.on('data', (chunk: Buffer) => {
          if (start.length < 1_000) start += chunk.toString('latin1', 0, 1_000)
        })
        response.on('close', () => resolve(/"code":"([A-Z_]+)"/.exec(start)?.[1] ?? 'ok'))
      })
      request.on('error', () => resolve('CUT'))
      request.end(body)
    })
  }

  /** Ben bids at anna's auction, one bid after the other, each with its own deadline: who is kept waiting fails. */
  async function trade(): Promise<void> {
    const auction = await openAuction(mesh.node(0), { increment: '0.01' })
    await eventually('ben knows it', () => mesh.node(1).api.show({ auction }))
    const endsAt = performance.now() + FLOOD_MS
    for (let i = 0; i < LEAST_BIDS || performance.now() < endsAt; i++) {
      const { outcome } = await mesh.node(1).api.bid({
        auction,
        commandId: newId('bid'),
        kind: 'max',
        amount: String(20 + i),
      })
      expect(outcome.status).to.equal('accepted')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await eventually('ben sees what anna has', async () => {
      const [here, there] = await Promise.all(mesh.nodes.map(({ api }) => api.show({ auction })))
      return here?.head.hash === there?.head.hash
    })
  }

  async function goesOnUnder(rpc: string, params: Flood): Promise<Map<string, number>> {
    let flooding = true
    let sent = 0
    const answers = new Map<string, number>()
    const floods = Array.from({ length: FLOODERS }, async () => {
      while (flooding) {
        const i = sent++
        const code = await send(rpc, params(i))
        answers.set(code, (answers.get(code) ?? 0) + 1)
        await new Promise(setImmediate)
      }
    })
    try {
      await trade()
    } finally {
      flooding = false
      agent.destroy()
      await Promise.all(floods)
      agent = new Agent({ keepAlive: true, maxSockets: FLOODERS, ...mallory.tls.connectOptions() })
    }
    expect(sent).to.be.above(FLOODERS / 2)
    if (process.env.VENDUE_FLOOD_LOG) console.log(rpc, [...answers])
    return answers
  }

  const self = () => ({
    ...anna,
    nodeId: mallory.nodeId,
    publicKey: mallory.signer.publicKey,
    name: 'mallory',
    address: `192.0.2.${ids % 250}:${1_000 + (ids++ % 60_000)}`,
  })
  const challenge = () => ({ meshId, nonce: 'N'.repeat(32), to: anna.address, caller: self() })
  const bid = (auctionId: string): RemoteCommand => ({
    type: 'bid',
    auctionId,
    commandId: newId('bid'),
    kind: 'plain',
    amount: 1_000,
    bidder: { id: mallory.nodeId, name: 'mallory' },
  })
  const submit = (commands: readonly RemoteCommand[]) => ({
    commands,
    orders: submittedOrders(signOrders(commands, mallory.signer, Date.now())),
  })
  const opening = (description = ''): Commit =>
    sealCommit(
      {
        auctionId: null,
        firstSeq: 1,
        prevHash: null,
        events: [
          {
            type: 'AuctionOpened',
            at: Date.now(),
            commandId: newId('cmd'),
            meshId,
            terms: {
              title: 'Bait',
              description,
              currency: { code: 'EUR', exponent: 2 },
              startPrice: 1_000,
              increments: [{ from: 0, step: 100 }],
              reserveCommitment: null,
              buyNow: null,
              opensAt: null,
              closesAt: null,
              softClose: null,
              bidderNames: 'public',
              givesTimeBack: true,
            },
            seller: { id: mallory.nodeId, name: 'mallory' },
            home: { nodeId: mallory.nodeId, publicKey: mallory.signer.publicKey },
          } as AuctionEvent,
        ],
      },
      mallory.signer,
    )
  const cancel = ({ auctionId, hash: prevHash }: Commit, reason: string): Commit => {
    const event = { type: 'AuctionCancelled', at: Date.now() + 1, commandId: newId('cmd'), reason } as const
    return sealCommit({ auctionId, firstSeq: 2, prevHash, events: [event] }, mallory.signer)
  }
  const signature = `${'S'.repeat(85)}A`

  /** Each RPC, with what costs its receiver most. */
  const floods: Record<string, () => Flood | Promise<Flood>> = {
    'vendue.hello': () => challenge,
    'vendue.ping': () => () => ({
      challenge: challenge(),
      rumors: Array.from({ length: 16 }, () => ({
        state: 'alive',
        nodeId: newId('node'),
        incarnation: Date.now(),
        signature,
        address: self().address,
      })),
    }),
    'vendue.ping-via': async () => {
      const { nodeId } = await infoOf(mesh.node(1))
      return () => ({ target: nodeId, challenge: challenge() })
    },
    'vendue.goodbye': () => (i) => {
      const { nodeId, address } = self()
      return { nodeId, address, incarnation: i, signature }
    },
    'vendue.digest': () => () => ({}),
    'vendue.heads': () => () => ({ prefix: '', afterId: null }),
    'vendue.pull-commits': async () => {
      const auctionId = await openAuction(mesh.node(0), { description: 'd'.repeat(10_000) })
      return () => ({ wants: new Array(256).fill({ auctionId, fromSeq: 1 }) })
    },
    'vendue.submit': () => {
      const unknown = submit(Array.from({ length: 1_000 }, (_, i) => bid(`auc_nobody${i}`)))
      return () => unknown
    },
    'vendue.push-commits': () => {
      const body = JSON.stringify({ events: 'x'.repeat(300_000) })
      const garbage = { ...opening(), auctionId: 'auc_garbage', body }
      return (i) =>
        i % 2 === 0
          ? { from: mallory.nodeId, commits: [garbage, garbage, garbage] }
          : { from: mallory.nodeId, commits: Array.from({ length: 5 }, () => opening('d'.repeat(5_000))) }
    },
    'vendue.pass-handover': () => {
      const parcel = {
        auctionId: 'auc_nobody',
        parcel: JSON.stringify(new Array(60_000).fill({})),
        signature,
      }
      return () => ({ from: mallory.nodeId, parcel })
    },
    'vendue.equivocation': () => () => {
      const first = opening('d'.repeat(9_000))
      const [one, other] = [cancel(first, 'one'), cancel(first, 'another')]
      return proofOf([first], one, other)
    },
    'vendue.refusal': async () => {
      const auctionId = await openAuction(mesh.node(0))
      return (i) => ({ from: mallory.nodeId, auctionId, seq: 1, reason: `reason ${i}` })
    },
    'vendue.join': () => () => ({
      secret: 'A'.repeat(43),
      publicKey: mallory.signer.publicKey,
      name: 'mallory',
      addresses: [],
      signature,
    }),
    'vendue.renew-certificate': () => () => ({ addresses: [self().address] }),
    'vendue.push-members': () => {
      const entry = { body: `{"meshId":"${'m'.repeat(15_000)}"}`, hash: 'a'.repeat(64), signature }
      const entries = new Array(64).fill(entry)
      return () => ({ entries })
    },
    'vendue.pull-members': () => () => ({ afterSeq: 0 }),
  }

  const names = [
    ...rpcTable({ peer: fakePeerService(), operator: fakeNodeApi(), mesh: fakeMeshService() }).keys(),
  ]

  it('is tried with every RPC that there is', () => {
    const others = names.filter((name) => !name.startsWith('vendue.node.'))
    expect(Object.keys(floods)).to.have.members(others)
  })

  /** What shows that a request got as far as it was meant to. */
  const REACHED: Record<string, string> = {
    'vendue.submit': 'NOT_HOME',
    'vendue.pass-handover': 'INVALID_INPUT',
    'vendue.join': 'FORBIDDEN',
    'vendue.push-members': 'INVALID_INPUT',
  }

  for (const [rpc, make] of Object.entries(floods))
    it(`keeps nobody waiting with ${rpc}`, async () => {
      const flood = await make()
      expect(await send(rpc, flood(0)), 'it is what it is meant to be').to.equal(REACHED[rpc] ?? 'ok')
      await goesOnUnder(rpc, flood)
      await eventually('it is done with it', async () => (await send('vendue.digest', {})) === 'ok')
    })

  it("keeps nobody waiting with what only the node's operator may ask for", async () => {
    const own = names.filter((name) => name.startsWith('vendue.node.'))
    await goesOnUnder(own[0] as string, () => ({ limit: 1_000 }))
  })

  it('keeps nobody waiting with bids on an auction that is over, of which nothing is kept', async () => {
    const auction = await openAuction(mesh.node(0))
    await mesh.node(0).api.close({ auction, commandId: newId('cmd') })
    const before = sizeOf()
    await goesOnUnder('vendue.submit', () => submit(Array.from({ length: 200 }, () => bid(auction))))
    expect(sizeOf() - before).to.be.below(8 * 1024 * 1024)
  })

  it('keeps nobody waiting with bids that are too low', async () => {
    const auction = await openAuction(mesh.node(0), { start: '1000' })
    await goesOnUnder('vendue.submit', () => submit(Array.from({ length: 200 }, () => bid(auction))))
  })

  it('leaves no more than its budgets allow, and the node says whose they are', async () => {
    expect(sizeOf()).to.be.below(MAX_GROWTH_BYTES)
    const { budgets, pid } = await mesh.node(0).api.status()
    const reached = new Set(budgets.filter(({ refused }) => refused > 0).map(({ name }) => name))
    for (const name of ['addresses', 'certificates', 'member-entries', 'checked-proofs'])
      expect([...reached]).to.include(name)
    for (const { name, fullest, limit } of budgets) {
      if (name === 'work' || name === 'request-bytes') continue
      expect(fullest?.used ?? 0, name).to.be.at.most(limit)
    }
    const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    expect(Number(resident) * 1_024).to.be.below(MAX_RESIDENT_BYTES)
  })

  function sizeOf(): number {
    const file = join(mesh.node(0).dataDir, 'vendue.db')
    return statSync(file).size + statSync(`${file}-wal`).size
  }
})
