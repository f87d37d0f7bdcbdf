import { readFileSync } from 'node:fs'
import { Agent, request as httpsRequest } from 'node:https'
import { connect, createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect } from 'chai'
import { rpcTable } from '../../../src/adapters/grenache/rpc/rpc-table.js'
import { PROTOCOL_CODES } from '../../../src/adapters/grenache/rpc/wire.js'
import { NODE_ERROR_CODES } from '../../../src/ports/node/node-error.js'
import { fakeServices, goodbye, ping } from '../../adapters/grenache/fakes.js'
import { SeededRandom } from '../../sim/seeded-random.js'
import { AttackedMesh, type Insider, infoOf, openAuction, portOf } from '../../support/attacked-mesh.js'
import { eventually } from '../../support/eventually.js'
import { fuzzBody, mangled } from '../../support/fuzz.js'

const SEED = process.env.VENDUE_FUZZ_SEED ?? 'vendue'
const INPUTS = { raw: 3_500, records: 2_000, strangers: 1_000, members: 4_000 }
const AT_ONCE = 12
const MAX_ANSWER_MS = 1_000
const MAX_GROWTH_MB = 64
/**
 * With room to spare, rubbish may lie about for minutes. With little, it is cleared away, so that what has grown is
 * what is kept; a leak ends the process.
 */
const TIDY = { NODE_OPTIONS: '--max-old-space-size=112', MALLOC_ARENA_MAX: '2' }
const CODES: readonly string[] = [...NODE_ERROR_CODES, ...PROTOCOL_CODES]

/** Resolves with an answer, or when the connection has been closed. */
type Send = () => Promise<unknown>

describe('a real node, given anything at its RPC port', () => {
  let mesh: AttackedMesh
  let mallory: Insider
  let port: number
  let startRss: number
  let pid: number
  const random = new SeededRandom(SEED)
  /** Inputs that took too long among all the others. */
  const slow: { readonly i: number; readonly send: Send }[] = []

  before(async () => {
    mesh = await AttackedMesh.start(['anna'], { env: TIDY })
    mallory = await mesh.join('mallory')
    port = await portOf(mesh.node(0))
    pid = mesh.node(0).pid
    // What a node takes that has been at work for a while: the growth asked about comes after.
    await works(1_500)
    startRss = rssMb(pid)
  })
  after(() => mesh.stop())

  /** Inputs are made in order, whatever becomes of those before: the seed decides them. */
  async function inParallel(count: number, make: (i: number) => Send): Promise<void> {
    let next = 0
    const worker = async () => {
      while (next < count) {
        const i = next++
        const send = make(i)
        if ((await msOf(send)) > MAX_ANSWER_MS) slow.push({ i, send })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }

  /** What members ask for on any day. */
  async function works(requestCount: number): Promise<void> {
    const requests = await validRequests()
    const agent = agentOf(mallory)
    await inParallel(requestCount, (i) => {
      const [rpc, params] = requests[i % requests.length] as [string, unknown]
      return () => post(agent, { body: Buffer.from(JSON.stringify(['r', rpc, { params }])), headers: {} })
    })
    agent.destroy()
  }

  async function survives(): Promise<void> {
    // By itself, since the machine may have been busy with something else.
    for (const { i, send } of slow.splice(0))
      expect(await msOf(send), `ms for input ${i} of seed ${SEED}`).to.be.below(MAX_ANSWER_MS)
    expect(mesh.node(0).pid, 'the same process').to.equal(pid)
    const status = await mesh.node(0).api.status()
    expect(status.pid).to.equal(pid)
    // What is no more than rubbish goes as the node works on.
    await eventually(`it has grown by less than ${MAX_GROWTH_MB} MB, seed ${SEED}`, async () => {
      const grown = rssMb(pid) - startRss
      if (grown < MAX_GROWTH_MB) return true
      await works(200)
      throw new Error(`${Math.round(grown)} MB`)
    })
  }

  /** Resolves when the other side has closed. */
  const sent = (bytes: Uint8Array, dial = () => connect(port, '127.0.0.1')) =>
    new Promise<void>((resolve) => {
      const socket = dial()
      socket.on('error', () => {})
      socket.on('data', () => {})
      socket.on('close', () => resolve())
      socket.end(bytes)
    })

  it('closes on any bytes in place of TLS', async () => {
    const starts = [
      '',
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01',
      '\x16\x03\x03\x00\x05',
      '\x15\x03\x03\x00\x02\x02\x28',
      '\x17\x03\x03',
    ]
    await inParallel(INPUTS.raw, () => {
      const start = Buffer.from(random.pick(starts) ?? '', 'latin1')
      const bytes = Buffer.concat([start, random.bytes(random.int(1, 3_000))])
      return () => sent(bytes)
    })
    await survives()
  })

  it('closes on broken records of TLS', async () => {
    const hello = await recordedHello()
    await inParallel(INPUTS.records, () => {
      const bytes = mangled(hello, random)
      return () => sent(bytes)
    })
    await survives()
  })

  it('answers strangers whatever they send through TLS, or closes', async () => {
    const requests = await validRequests()
    await inParallel(INPUTS.strangers, () => {
      const [rpc, params] = random.pick(requests) as [string, unknown]
      const { body } = fuzzBody(random.chance(0.5) ? 'vendue.join' : rpc, params, random)
      const head = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n`
      const whole = Buffer.concat([Buffer.from(head), body.subarray(0, 4_000)])
      const bytes = random.chance(0.5) ? mangled(whole, random) : Buffer.from(random.bytes(random.int(1, 2_000)))
      return () => sent(bytes, () => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }))
    })
    await survives()
  })

  it('answers a member on every RPC, with a result or a known code, whatever is wrong with the request', async () => {
    const requests = await validRequests()
    const { peerService, nodeApi, meshService } = fakeServices()
    const names = [...rpcTable({ peer: peerService, operator: nodeApi, mesh: meshService }).keys()]
    const seeded = new Set(requests.map(([name]) => name))
    for (const name of names.filter((name) => !name.startsWith('vendue.node.')))
      expect(seeded, `has no request to begin with: ${name}`).to.include(name)
    const agent = agentOf(mallory)
    await inParallel(INPUTS.members, () => {
      const [rpc, params] = random.pick(requests) as [string, unknown]
      const input = fuzzBody(random.chance(0.1) ? (random.pick(names) ?? '') : rpc, params, random)
      return async () => {
        const answer = await post(agent, input)
        if (answer === null) return
        expect(answer).to.be.an('array').with.lengthOf(3)
        const payload = (answer as [unknown, unknown, { ok: boolean; error?: { code: string } }])[2]
        if (payload.ok) return
        expect(CODES).to.include(payload.error?.code)
        expect(payload.error?.code, JSON.stringify(payload)).to.not.equal('INTERNAL')
      }
    })
    agent.destroy()
    await survives()
    expect(mesh.node(0).output).to.not.include('an RPC failed')
  })

  it('has been given more than 10,000 inputs, and goes on trading', async () => {
    expect(Object.values(INPUTS).reduce((sum, count) => sum + count, 0)).to.be.above(10_000)
    const auction = await openAuction(mesh.node(0))
    expect((await mesh.node(0).api.show({ auction })).state.status).to.equal('open')
  })

  /** Null where the connection was closed in place of an answer. */
  function post(agent: Agent, { body, headers }: ReturnType<typeof fuzzBody>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        agent,
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/',
        headers: { ...headers, 'content-length': body.length },
      })
      request.on('error', () => resolve(null))
      request.on('response', (response) => {
        const received: Buffer[] = []
        response.on('data', (chunk: Buffer) => received.push(chunk))
        response.on('error', () => resolve(null))
        response.on('end', () => {
          if (headers['grc-compress']) return resolve(null)
          try {
            resolve(JSON.parse(Buffer.concat(received).toString()))
          } catch (error) {
            reject(error)
          }
        })
      })
      request.end(body)
    })
  }

  function agentOf({ tls }: Insider): Agent {
    return new Agent({ keepAlive: true, maxSockets: AT_ONCE, ...tls.connectOptions() })
  }

  /** What a TLS client says first. */
  function recordedHello(): Promise<Buffer> {
    return new Promise((resolve) => {
      const server = createServer((socket) => {
        socket.once('data', (bytes: Buffer) => {
          socket.destroy()
          server.close()
          resolve(bytes)
        })
      }).listen(0, '127.0.0.1', () => {
        const { port: own } = server.address() as { port: number }
        connectTls({ port: own, host: '127.0.0.1', ...mallory.tls.connectOptions() }).on('error', () => {})
      })
    })
  }

  let requests: [string, unknown][] | null = null
  /** A request for each RPC that a peer may call, as right as can be. */
  async function validRequests(): Promise<[string, unknown][]> {
    if (requests) return requests
    const auction = await openAuction(mesh.node(0))
    const { commits } = await mesh.node(0).api.log({ auction, fromSeq: 1 })
    const anna = await infoOf(mesh.node(0))
    const { nodeId } = mallory
    const caller = {
      ...anna,
      nodeId,
      publicKey: mallory.signer.publicKey,
      name: 'mallory',
      address: '127.0.0.1:9',
    }
    const challenge = { mesh: 'test', nonce: 'N'.repeat(32), to: anna.address, caller }
    const signature = 'S'.repeat(86)
    const bidder = { id: nodeId, name: 'mallory' }
    const command = {
      type: 'PlaceBid',
      auctionId: auction,
      commandId: 'bid_fuzz000001',
      bidder,
      kind: 'plain',
      amount: 1_100,
    }
    const mandate = { auctionId: auction, signer: mallory.signer.publicKey, signedAt: 1, signature }
    const entry = { body: '{"meshId":"mesh_x","seq":1}', hash: '0'.repeat(64), signature }
    const [opening] = commits
    const parcel = JSON.stringify({ to: anna.nodeId, outcomes: [], sealed: [], secrets: null, head: null })
    requests = [
      ['vendue.hello', challenge],
      ['vendue.ping', { ...ping, challenge }],
      ['vendue.ping', { challenge, rumors: [{ ...goodbye, nodeId: anna.nodeId, state: 'left' }] }],
      ['vendue.ping-via', { target: anna.nodeId, challenge }],
      ['vendue.goodbye', { ...goodbye, nodeId }],
      ['vendue.submit', { commands: [command], mandates: [mandate] }],
      ['vendue.submit', { commands: [{ ...command, kind: 'max', salt: '0'.repeat(32) }], mandates: [mandate] }],
      ['vendue.push-commits', { from: nodeId, commits }],
      ['vendue.pass-handover', { from: nodeId, parcel: { auctionId: auction, parcel, signature } }],
      ['vendue.pull-commits', { wants: [{ auctionId: auction, fromSeq: 1 }] }],
      ['vendue.digest', {}],
      ['vendue.heads', { prefix: '', afterId: null }],
      ['vendue.equivocation', { auctionId: auction, authority: [opening], opening, first: opening, second: opening }],
      ['vendue.refusal', { from: nodeId, auctionId: auction, seq: 1, reason: 'no' }],
      ['vendue.join', { secret: 'A'.repeat(43), publicKey: 'A'.repeat(43), name: 'x', addresses: [], signature }],
      ['vendue.renew-certificate', { addresses: [] }],
      ['vendue.push-members', { entries: [entry] }],
      ['vendue.pull-members', { afterSeq: 0 }],
      ['vendue.pull-picture', { hash: 'ab'.repeat(32), offset: 0 }],
    ]
    return requests
  }
})

async function msOf(send: Send): Promise<number> {
  const startedAt = performance.now()
  await send()
  return performance.now() - startedAt
}

/** What the process takes of memory, as the system counts it. */
function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}
