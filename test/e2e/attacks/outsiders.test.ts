import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { GrenachePeerClient } from '../../../src/adapters/grenache/grenache-peer-client.js'
import { rpcTable } from '../../../src/adapters/grenache/rpc/rpc-table.js'
import { RpcClient } from '../../../src/adapters/grenache/rpc-client.js'
import { RpcServer } from '../../../src/adapters/grenache/rpc-server.js'
import type { MeshTls } from '../../../src/adapters/grenache/transport/mesh-tls.js'
import { NO_AUDIT } from '../../../src/ports/audit/audit.js'
import type { HelloAnswer } from '../../../src/ports/mesh/liveness-messages.js'
import { fakeMeshService, fakeNodeApi, fakePeerService, fakeServices } from '../../adapters/grenache/fakes.js'
import { AttackedMesh, type Insider, infoOf, portOf, say, showing } from '../../support/attacked-mesh.js'
import { eventually } from '../../support/eventually.js'
import { silentLogger } from '../../support/silent-logger.js'
import { TestAuthority, type TestMember } from '../../support/test-authority.js'
import { testBudgets } from '../../support/test-budgets.js'

const HOUR_MS = 3_600_000
const NONCE = 'N'.repeat(32)

describe('outsiders at the port of a real node', () => {
  let mesh: AttackedMesh
  let mallory: Insider
  before(async () => {
    mesh = await AttackedMesh.start(['anna', 'ben'])
    mallory = await mesh.join('mallory')
  })
  after(() => mesh.stop())

  const read = { prefix: '', afterId: null }
  const heads = (as: Pick<MeshTls, 'connectOptions'> | null) => say(mesh.node(0), 'vendue.heads', read, as)

  it('get no answer to anything but a join without a certificate, nor with a wrong token', async () => {
    const { peerService, nodeApi, meshService } = fakeServices()
    const names = [...rpcTable({ peer: peerService, operator: nodeApi, mesh: meshService }).keys()]
    expect(names).to.have.length.above(30)
    for (const name of names) {
      const expected = name === 'vendue.join' ? 'INVALID_INPUT' : 'FORBIDDEN'
      expect(await say(mesh.node(0), name, null, null), name).to.equal(expected)
      expect(await say(mesh.node(0), name, null, null, 'a guess'), name).to.equal(expected)
    }
  })

  it('are not let in with any certificate that is not of the mesh, for their own key, and good now', async () => {
    const real = mesh.stolenAuthority()
    const other = await TestAuthority.create()
    const victim = (await infoOf(mesh.node(1))).nodeId
    const now = Date.now()
    const cases: [string, TestAuthority, TestMember, string][] = [
      ['of another mesh', other, await other.member(), 'NOT_A_MEMBER'],
      ['self-made, that says our mesh', other, await other.member({ meshId: real.meshId }), 'NOT_A_MEMBER'],
      ['expired', real, await real.member({ notAfter: now - 1_000 }), 'CERTIFICATE_EXPIRED'],
      ['not yet good', real, await real.member({ notBefore: now + HOUR_MS / 2 }), 'NOT_A_MEMBER'],
      ["with another node's id", real, await real.member({ nodeId: victim }), 'NOT_A_MEMBER'],
    ]
    for (const [what, authority, member, code] of cases) {
      expect(await heads(showing(member, authority)), what).to.equal(code)
      // The authority's real certificate beside it, which anybody can copy, makes it no better.
      expect(await heads(showing(member, real)), `${what}, with our authority`).to.equal(code)
    }
    expect(await heads(showing(await real.member(), real)), 'the attack does reach the check').to.equal('ok')
    const { handshakes } = await mesh.node(0).api.status()
    expect(handshakes?.refused).to.be.at.least(2 * cases.length)
  })

  it('are out once revoked, on the connection that is open too', async () => {
    const member = await mesh.join('eve')
    const rpcClient = new RpcClient({ tls: member.tls })
    mesh.later(() => rpcClient.stop())
    const client = new GrenachePeerClient({ rpcClient })
    const { address } = await infoOf(mesh.node(0))
    await client.heads(address, read)
    await mesh.admin.revoke('test', 'eve')
    await eventually('the open connection is of no use', async () => {
      const error = await client.heads(address, read).catch((reason: unknown) => reason)
      return (error as { code?: string } | null)?.code === 'MEMBER_REVOKED'
    })
    for (const node of mesh.nodes)
      await eventually('out everywhere', async () => {
        return (await say(node, 'vendue.heads', read, member.tls)) === 'MEMBER_REVOKED'
      })
    await mesh.node(0).end()
    await mesh.node(0).start()
    expect(await heads(member.tls), 'after a restart').to.equal('MEMBER_REVOKED')
  })

  it('gain nothing by sending again what a member sent: neither its connection nor its proof', async () => {
    const port = await portOf(mesh.node(0))
    const recorded: Buffer[] = []
    const relay = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      for (const socket of [near, far]) socket.on('error', () => {})
      near.on('data', (bytes: Buffer) => recorded.push(bytes))
      near.pipe(far).pipe(near)
    }).listen(0, '127.0.0.1')
    await once(relay, 'listening')
    mesh.later(() => relay.close())
    const rpcClient = new RpcClient({ tls: mallory.tls })
    await new GrenachePeerClient({ rpcClient }).heads(`127.0.0.1:${(relay.address() as AddressInfo).port}`, read)
    rpcClient.stop()
    expect(recorded).to.have.length.above(1)
    const handshakes = async () => (await mesh.node(0).api.status()).handshakes ?? { accepted: 0, refused: 0 }
    // The nodes' own handshakes count too: one quiet round is enough, and were it let in there would be none.
    await eventually('the handshake does not finish', async () => {
      const before = await handshakes()
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      const answered: Buffer[] = []
      socket.on('data', (bytes: Buffer) => answered.push(bytes))
      socket.end(Buffer.concat(recorded))
      await once(socket, 'close')
      expect(Buffer.concat(answered).toString('latin1')).to.not.include('"heads"')
      const after = await handshakes()
      return after.refused > before.refused && after.accepted === before.accepted
    })
  })

  it("are taken for no other node by a proof of that node's, gotten a moment ago", async () => {
    const [anna, ben] = [await infoOf(mesh.node(0)), await infoOf(mesh.node(1))]
    const self = { ...ben, nodeId: mallory.nodeId, publicKey: mallory.signer.publicKey, name: 'mallory' }
    const rpcClient = new RpcClient({ tls: mallory.tls })
    mesh.later(() => rpcClient.stop())
    const client = new GrenachePeerClient({ rpcClient })
    let dialled = 0
    const server = new RpcServer(
      {
        peerService: fakePeerService({
          // What ben says of itself, freshly asked for with the caller's own nonce, as a relay would.
          hello: async (challenge): Promise<HelloAnswer> => {
            dialled += 1
            return client.hello(ben.address, { ...challenge, caller: { ...self, address: ben.address } })
          },
        }),
        nodeApi: fakeNodeApi(),
        meshService: fakeMeshService(),
        tls: mallory.tls,
        logger: silentLogger,
        audit: NO_AUDIT,
        budgets: testBudgets(),
      },
      { host: '127.0.0.1', port: 0, operatorToken: NONCE },
    )
    const { port } = await server.start()
    mesh.later(() => server.stop())
    const address = `127.0.0.1:${port}`
    await client.hello(anna.address, {
      meshId: (await mesh.node(0).api.status()).mesh.meshId,
      nonce: NONCE,
      to: anna.address,
      caller: { ...self, address },
    })
    await eventually('anna has dialled the attacker', () => dialled > 0)
    // Whom it has believed it would not dial again so soon; whom it has not, it tries once more.
    await eventually('anna has tried once more, and so had judged the first answer', () => dialled > 1)
    const peers = await mesh.node(0).api.peers()
    expect(peers.find(({ nodeId }) => nodeId === ben.nodeId)).to.include({
      address: ben.address,
      state: 'alive',
    })
    expect(peers.map((peer) => peer.address)).to.not.include(address)
  })

  for (const [what, bytes] of [
    ['plain HTTP', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n[]'],
    ['garbage', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37) % 256))],
    ['TLS 1.2', Buffer.from('16030100050100000103030000', 'hex')],
  ] as const) {
    it(`are closed on within a second when they bring ${what}`, async () => {
      const startedAt = performance.now()
      const socket: Socket = connect(await portOf(mesh.node(0)), '127.0.0.1')
      const received: Buffer[] = []
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => received.push(chunk))
      socket.end(bytes)
      await once(socket, 'close')
      expect(performance.now() - startedAt).to.be.below(1_000)
      expect(Buffer.concat(received).toString('latin1')).to.not.include('HTTP/1.1 200')
    })
  }
})
