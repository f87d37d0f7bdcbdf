import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect } from 'chai'
import { PeerRPCClient } from 'grenache-nodejs-http'
import { GrenachePeerClient } from '../../../src/adapters/grenache/grenache-peer-client.js'
import { RpcClient } from '../../../src/adapters/grenache/rpc-client.js'
import { PeerCallError } from '../../../src/ports/mesh/peer-call-error.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { eventually } from '../../support/eventually.js'
import {
  ping as aPing,
  authority,
  bidOf,
  caller,
  challenge,
  goodbye,
  other,
  proof,
  rejection,
  self,
  serverMember,
  startServer,
} from './fakes.js'

const commit = {
  auctionId: 'auc_1',
  firstSeq: 1,
  lastSeq: 2,
  body: '{"events":["ä€😀"]}',
  hash: 'a'.repeat(64),
  signer: self.publicKey,
  signature: 'B'.repeat(86),
}

describe('the peer client', () => {
  const cleanups: (() => unknown)[] = []
  let rpcClient: RpcClient
  let client: GrenachePeerClient

  beforeEach(() => {
    rpcClient = new RpcClient({
      tls: caller.tls,
      maxSocketsPerPeer: 2,
      maxRequestBytes: 100_000,
      maxAnswerBytes: 100_000,
    })
    client = new GrenachePeerClient({ rpcClient })
    cleanups.push(() => client.stop())
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  async function serve(options: Parameters<typeof startServer>[0] = {}) {
    const started = await startServer(options)
    cleanups.push(() => started.server.stop())
    return started
  }

  async function listen(server: Server | HttpServer): Promise<string> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => new Promise((resolve) => server.close(resolve)))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** A server that treats connections as it likes. */
  async function onSocket(handle: (socket: Socket) => void, raw = false): Promise<string> {
    const sockets = new Set<Socket>()
    const onConnection = (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      handle(socket)
    }
    const server = raw ? createServer(onConnection) : createTlsServer(serverMember.tls.serverOptions(), onConnection)
    const address = await listen(server)
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy()
    })
    return address
  }

  async function onRequest(handle: RequestListener): Promise<string> {
    const server = createHttpsServer(serverMember.tls.serverOptions(), handle)
    const address = await listen(server)
    cleanups.push(() => server.closeAllConnections())
    return address
  }

  const ping = (address: string, timeoutMs = 2_000) =>
    rejection(client.ping(address, aPing, { timeoutMs }), PeerCallError)

  it('carries every call to the service and its answer back', async () => {
    const seen: unknown[] = []
    const head = { auctionId: 'auc_1', seq: 2, hash: commit.hash }
    const page = { auctionId: 'auc_1', commits: [commit], head: { seq: 2, hash: commit.hash } }
    const part = { prefix: 'auc_1', sum: commit.hash }
    const wants = [{ auctionId: 'auc_1', fromSeq: 3 }]
    const range = { prefix: 'auc_', afterId: null }
    const { address } = await serve({
      peer: {
        hello: async (given) => {
          seen.push(given)
          return { node: other, proof, peers: [self, other] }
        },
        goodbye: async (given) => void seen.push(given),
        pingVia: async (target, given) => {
          seen.push(target, given)
          return proof
        },
        pushCommits: async (from, commits) => {
          seen.push(from, commits)
          return [{ auctionId: 'auc_1', seq: 2 }]
        },
        passHandover: async (from, parcel) => {
          seen.push(from, parcel)
          return { cluster: null, signature: commit.signature }
        },
        pullCommits: async (wants) => {
          seen.push(wants)
          return [page]
        },
        digest: async () => [part],
        heads: async (range) => {
          seen.push(range)
          return { heads: [head], next: 'auc_1' }
        },
      },
    })
    expect(await client.hello(address, challenge)).to.deep.equal({
      node: other,
      proof,
      peers: [self, other],
    })
    expect(await client.ping(address, aPing)).to.deep.equal({ proof, rumors: [] })
    expect(await client.pingVia(address, 'node_far', challenge)).to.deep.equal(proof)
    expect(await client.goodbye(address, goodbye)).to.equal(undefined)
    expect(await client.pushCommits(address, self.nodeId, [commit])).to.deep.equal([{ auctionId: 'auc_1', seq: 2 }])
    const parcel = { auctionId: 'auc_1', parcel: '{}', signature: commit.signature }
    const consent = { cluster: null, signature: commit.signature }
    expect(await client.passHandover(address, self.nodeId, parcel)).to.deep.equal(consent)
    expect(await client.pullCommits(address, wants)).to.deep.equal([page])
    expect(await client.digest(address)).to.deep.equal([part])
    expect(await client.heads(address, range)).to.deep.equal({ heads: [head], next: 'auc_1' })
    expect(seen).to.deep.equal([
      challenge,
      'node_far',
      challenge,
      goodbye,
      self.nodeId,
      [commit],
      self.nodeId,
      parcel,
      wants,
      range,
    ])
  })

  it('brings outcomes of every kind back in the order of the commands', async () => {
    const results = [
      {
        ok: true,
        outcome: {
          status: 'accepted',
          commandId: 'bid_1',
          auctionId: 'auc_1',
          seq: 3,
          at: 9,
          bid: { leads: true, price: 100, reserveMet: false },
        },
      },
      {
        ok: true,
        outcome: {
          status: 'rejected',
          commandId: 'bid_2',
          auctionId: 'auc_1',
          at: 9,
          rejection: { code: 'BID_TOO_LOW', minimum: 150, price: null },
        },
      },
      { ok: false, code: 'BUSY', message: 'later' },
    ] as const
    const answer = { results, receipt: { signedAt: 9, signature: 'signature' } }
    const { address } = await serve({ peer: { submit: async () => answer } })
    const commands = [bidOf('bid_1'), bidOf('bid_2'), bidOf('bid_3')]
    expect(await client.submit(address, commands, [])).to.deep.equal(answer)
  })

  it('serves the stock Grenache client as well, compressed or not', async () => {
    const { address } = await serve()
    const [key, cert, ca] = [caller.privateKey, caller.certificate, authority.ca.certificate].map((pem) =>
      Buffer.from(pem),
    )
    const secure = { key, cert, ca, rejectUnauthorized: false }
    const stock = new PeerRPCClient(null, { secure })
    stock.init()
    cleanups.push(() => stock.stop())
    for (const compress of [false, true]) {
      const answer = await new Promise((resolve, reject) => {
        stock
          .transport(address)
          .request('vendue.ping', { params: aPing }, { timeout: 2_000, compress }, (error, result) =>
            error ? reject(error) : resolve(result),
          )
      })
      expect(answer).to.deep.equal({ ok: true, result: { proof, rumors: [] } })
    }
  })

  it('keeps its connections: many calls, few connections', async () => {
    let connections = 0
    const { address, port } = await serve()
    const proxied = await onSocket((socket) => {
      connections += 1
      import('node:net').then(({ connect }) => {
        const onward = connect(port, '127.0.0.1')
        onward.on('error', () => socket.destroy())
        socket.pipe(onward).pipe(socket)
        socket.on('close', () => onward.destroy())
      })
    }, true)
    for (let i = 0; i < 20; i++) await client.ping(proxied, aPing)
    expect(connections).to.equal(1)
    await Promise.all(Array.from({ length: 40 }, () => client.ping(proxied, aPing)))
    expect(connections).to.be.at.most(2)
    expect(await client.ping(address, aPing)).to.have.nested.property('proof.nodeId', other.nodeId)
  })

  describe('says whether a failed call may have had an effect', () => {
    it('nobody listens: not sent', async () => {
      const { server, address } = await startServer()
      await server.stop()
      expect(await ping(address)).to.include({
        code: 'CONNECTION_REFUSED',
        sent: false,
        answered: false,
        address,
      })
    })

    it('no such host: not sent', async () => {
      // How soon the resolver says so is not ours to know.
      expect(await ping('no-such-host.invalid:4000', 2_000)).to.include({ sent: false, answered: false })
    })

    for (const address of ['', 'localhost', '127.0.0.1:0', '127.0.0.1:99999', 'a b:1', 'http://a:1', 'a:1/x']) {
      it(`${JSON.stringify(address)} is no address: not sent`, async () => {
        expect(await ping(address)).to.include({ code: 'BAD_ADDRESS', sent: false })
      })
    }

    it('the request is too large: not sent', async () => {
      const { address } = await serve()
      const push = client.pushCommits(address, self.nodeId, [{ ...commit, body: 'x'.repeat(100_000) }])
      expect(await rejection(push, PeerCallError)).to.include({ code: 'REQUEST_TOO_LARGE', sent: false })
    })

    it('no free connection in time: not sent', async () => {
      const address = await onSocket(() => {})
      const held = [ping(address, 600), ping(address, 600)]
      expect(await ping(address, 100)).to.include({ code: 'TIMEOUT', sent: false })
      for (const error of await Promise.all(held)) expect(error).to.include({ code: 'TIMEOUT', sent: true })
    })

    it('no answer in time: sent, and the time-out is kept to', async () => {
      const address = await onSocket(() => {})
      const before = performance.now()
      expect(await ping(address, 200)).to.include({ code: 'TIMEOUT', sent: true, answered: false })
      expect(performance.now() - before).to.be.within(190, 1_000)
    })

    it('an answer that comes byte by byte does not move the deadline', async () => {
      const address = await onSocket((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n')
        const drip = setInterval(() => socket.write('['), 20)
        socket.on('close', () => clearInterval(drip))
      })
      expect(await ping(address, 300)).to.include({ code: 'TIMEOUT', sent: true })
    })

    it('the connection breaks before the answer, or in it: sent', async () => {
      const before = await onSocket((socket) => socket.once('data', () => socket.destroy()))
      expect(await ping(before)).to.include({ code: 'CONNECTION_LOST', sent: true, answered: false })
      const within = await onSocket((socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n[', () => socket.destroy())
        }),
      )
      expect(await ping(within)).to.include({ code: 'CONNECTION_LOST', sent: true, answered: false })
    })

    it('the peer refused it: answered, with its code', async () => {
      const { address } = await serve({
        peer: { submit: () => Promise.reject(new NodeError('STOPPING', 'going away')) },
      })
      const error = await rejection(client.submit(address, [bidOf('bid_1')], []), PeerCallError)
      expect(error).to.include({ code: 'STOPPING', sent: true, answered: true, message: 'going away' })
    })

    it('the peer failed half-way: sent, and not a refusal', async () => {
      const { address } = await serve({ peer: { submit: () => Promise.reject(new Error('oops')) } })
      const error = await rejection(client.submit(address, [bidOf('bid_1')], []), PeerCallError)
      expect(error).to.include({ code: 'INTERNAL', sent: true, answered: false })
    })

    it('the caller gave up: before, not sent; while waiting, sent', async () => {
      const address = await onSocket(() => {})
      const given = client.ping(address, aPing, { signal: AbortSignal.abort() })
      expect(await rejection(given, PeerCallError)).to.include({ code: 'ABORTED', sent: false })
      const controller = new AbortController()
      const call = rejection(client.ping(address, aPing, { signal: controller.signal }), PeerCallError)
      setTimeout(() => controller.abort(), 100)
      expect(await call).to.include({ code: 'ABORTED', sent: true })
    })
  })

  describe('believes no answer that it should not', () => {
    const answers: [string, (rid: string) => { status?: number; body: string | Buffer; headers?: object }][] = [
      ['that is not JSON', () => ({ body: '<html>' })],
      ['that is empty', () => ({ body: '' })],
      ['that is invalid UTF-8', () => ({ body: Buffer.of(0x22, 0xff, 0x22) })],
      ['to another request', () => ({ body: '["other",null,{"ok":true,"result":null}]' })],
      ['of an HTTP error without a payload', () => ({ status: 500, body: '[null,"ERR",null]' })],
      ['that nests deeply', () => ({ body: '['.repeat(90_000) })],
      ['without ok', (rid) => ({ body: JSON.stringify([rid, null, { result: {} }]) })],
      [
        'with a field that is not in the schema',
        (rid) => ({
          body: JSON.stringify([rid, null, { ok: true, result: { nodeId: 'node_x', incarnation: 1, admin: true } }]),
        }),
      ],
      [
        'with a field of a wrong type',
        (rid) => ({
          body: JSON.stringify([rid, null, { ok: true, result: { nodeId: 'node_x', incarnation: '1' } }]),
        }),
      ],
      ['that points elsewhere', () => ({ status: 307, body: '', headers: { location: 'http://127.0.0.1:1/' } })],
    ]
    for (const [what, answer] of answers) {
      it(`${what}: BAD_ANSWER`, async () => {
        const address = await onRequest(async (request, response) => {
          const chunks: Buffer[] = []
          for await (const chunk of request) chunks.push(chunk as Buffer)
          const [rid] = JSON.parse(Buffer.concat(chunks).toString()) as [string]
          const { status = 200, body, headers = {} } = answer(rid)
          response.writeHead(status, { ...headers }).end(body)
        })
        expect(await ping(address)).to.include({ code: 'BAD_ANSWER', sent: true, answered: false })
      })
    }

    it('that is not HTTP: BAD_ANSWER', async () => {
      const address = await onSocket((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'))
      expect(await ping(address)).to.include({ code: 'BAD_ANSWER', sent: true })
    })

    it('that does not end: ANSWER_TOO_LARGE', async () => {
      const address = await onRequest((_request, response) => {
        const more = () => {
          while (response.write('x'.repeat(10_000))) if (response.destroyed) return
        }
        response.on('drain', more)
        more()
      })
      expect(await ping(address)).to.include({ code: 'ANSWER_TOO_LARGE', sent: true })
    })

    it('outcomes of other commands, or too few of them: BAD_ANSWER', async () => {
      const accepted = (commandId: string) => ({
        ok: true as const,
        outcome: { status: 'accepted' as const, commandId, auctionId: 'auc_1', seq: 1, at: 1 },
      })
      for (const results of [[], [accepted('bid_2')], [accepted('bid_1'), accepted('bid_2')]]) {
        const { address } = await serve({ peer: { submit: async () => ({ results, receipt: null }) } })
        const error = await rejection(client.submit(address, [bidOf('bid_1')], []), PeerCallError)
        expect(error).to.include({ code: 'BAD_ANSWER', sent: true, answered: false })
      }
    })

    it('takes the control characters out of an error that a peer words', async () => {
      const { address } = await serve({
        peer: { ping: () => Promise.reject(new NodeError('BUSY', 'a\u001b[2Jb\nc')) },
      })
      expect((await ping(address)).message).to.equal('a?[2Jb?c')
    })
  })

  it('ends the calls under way when it stops, and makes no more', async () => {
    const address = await onSocket(() => {})
    const call = ping(address)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await client.stop()
    await client.stop()
    expect(await call).to.include({ code: 'STOPPED', answered: false })
    expect(await ping(address)).to.include({ code: 'STOPPED', sent: false })
  })

  it('leaves no connection open when it stops', async () => {
    const { address } = await serve()
    const open = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
    const before = open()
    await Promise.all([client.ping(address, aPing), client.ping(address, aPing)])
    expect(open()).to.be.greaterThan(before)
    await client.stop()
    await eventually('the connections are closed', () => open() === before)
  })
})
