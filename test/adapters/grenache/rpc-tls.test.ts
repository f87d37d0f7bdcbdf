import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'chai'
import { GrenachePeerClient } from '../../../src/adapters/grenache/grenache-peer-client.js'
import { rpcTable } from '../../../src/adapters/grenache/rpc/rpc-table.js'
import { RpcClient } from '../../../src/adapters/grenache/rpc-client.js'
import { MeshTls } from '../../../src/adapters/grenache/transport/mesh-tls.js'
import { systemClock } from '../../../src/adapters/system/system-clock.js'
import { PeerGate } from '../../../src/application/members/peer-gate.js'
import { PeerCallError } from '../../../src/ports/mesh/peer-call-error.js'
import { type MakeMemberOptions, TestAuthority, type TestMember } from '../../support/test-authority.js'
import {
  authority,
  bidOf,
  caller,
  callRaw,
  challenge,
  errorOf,
  fakeServices,
  goodbye,
  ping,
  rejection,
  serverMember,
  startServer,
  type TestServer,
  TOKEN,
} from './fakes.js'

const HOUR_MS = 3_600_000

describe('the RPC server and client, over mutual TLS', () => {
  let running: TestServer
  const clients: RpcClient[] = []
  beforeEach(async () => {
    running = await startServer({ limits: { headersTimeoutMs: 500 } })
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.stop()
    await running.server.stop()
  })

  const pingAs = async (member: Pick<TestMember, 'tls'> | null) =>
    errorOf(await callRaw(running.port, 'vendue.ping', { params: ping }, member?.tls ?? null)).code

  /** Shows a certificate to servers without being choosy itself. */
  const showing = ({ certificate, privateKey }: { certificate: string; privateKey: string }) => {
    const gate = new PeerGate({
      clock: systemClock,
      memberList: {
        meshId: authority.meshId,
        cas: [authority.ca],
        isRevoked: () => false,
        member: () => null,
      },
    })
    return {
      tls: new MeshTls({ gate }, { certificate, privateKey, caCertificate: authority.ca.certificate }),
    }
  }

  describe('lets nobody call', () => {
    it('without a certificate', async () => {
      expect(await pingAs(null)).to.equal('FORBIDDEN')
    })

    const certificates: [string, () => Promise<TestMember>, string][] = [
      ['of another mesh', async () => (await TestAuthority.create()).member(), 'NOT_A_MEMBER'],
      [
        'that says our mesh, signed by itself or another authority',
        async () => (await TestAuthority.create()).member({ meshId: authority.meshId }),
        'NOT_A_MEMBER',
      ],
      ['that has expired', () => made({ notAfter: Date.now() - 1_000 }), 'CERTIFICATE_EXPIRED'],
      ['that is not yet good', () => made({ notBefore: Date.now() + HOUR_MS / 2 }), 'NOT_A_MEMBER'],
      ["with another node's id", () => made({ nodeId: serverMember.nodeId }), 'NOT_A_MEMBER'],
    ]
    const made = (options: MakeMemberOptions) => authority.member(options)
    for (const [what, make, code] of certificates) {
      it(`with a certificate ${what}: ${code}`, async () => {
        expect(await pingAs(showing(await make()))).to.equal(code)
      })
    }

    it('who is revoked, also on a connection that is open', async () => {
      const member = await authority.member()
      const rpcClient = new RpcClient({ tls: member.tls })
      clients.push(rpcClient)
      const client = new GrenachePeerClient({ rpcClient })
      await client.heads(running.address, { prefix: '', afterId: null })
      authority.revoked.add(member.nodeId)
      const error = await rejection(client.heads(running.address, { prefix: '', afterId: null }), PeerCallError)
      expect(error.code).to.equal('MEMBER_REVOKED')
      expect(await pingAs(showing(member))).to.equal('MEMBER_REVOKED')
    })
  })

  it('holds every RPC to the roles that may call it', async () => {
    const roles = ['node', 'replica', 'gateway', 'operator'] as const
    const services = fakeServices()
    const names = rpcTable({
      peer: services.peerService,
      operator: services.nodeApi,
      mesh: services.meshService,
    })
    for (const role of roles) {
      const member = await authority.member({ role })
      for (const [name, { roles: allowed }] of names) {
        expect(allowed, `${name} says who may call it`).to.not.have.lengthOf(0)
        const answer = (await callRaw(running.port, name, { params: null }, member.tls)) as { ok: boolean }
        const isForbidden = !answer.ok && errorOf(answer).code === 'FORBIDDEN'
        expect(isForbidden, `${role} calls ${name}`).to.equal(allowed !== 'anybody' && !allowed.includes(role))
      }
    }
    for (const name of names.keys()) {
      const answer = await callRaw(running.port, name, { params: null }, null)
      expect(errorOf(answer).code === 'FORBIDDEN', `a stranger calls ${name}`).to.equal(name !== 'vendue.join')
      const byToken = await callRaw(running.port, name, { token: TOKEN, params: null }, null)
      expect(errorOf(byToken).code === 'FORBIDDEN', `the token opens ${name}`).to.equal(
        !name.startsWith('vendue.node.') && name !== 'vendue.join',
      )
    }
  })

  it('lets no member speak for another', async () => {
    const mallory = await authority.member()
    const gateway = await authority.member({ role: 'gateway' })
    const commands = [bidOf('bid_1')]
    const account = [{ ...bidOf('bid_2'), bidder: { id: 'acc_1', name: 'Ann' } }]
    const cases: [string, object, TestMember, boolean][] = [
      ['vendue.hello', challenge, mallory, false],
      ['vendue.goodbye', goodbye, mallory, false],
      ['vendue.push-commits', { from: caller.nodeId, commits: [] }, mallory, false],
      ['vendue.submit', { commands, mandates: [] }, mallory, false],
      ['vendue.submit', { commands: account, mandates: [] }, mallory, true],
      ['vendue.submit', { commands, mandates: [] }, gateway, false],
      ['vendue.submit', { commands: account, mandates: [] }, gateway, true],
      ['vendue.submit', { commands, mandates: [] }, caller, true],
    ]
    for (const [rpc, params, as, isAllowed] of cases) {
      const answer = (await callRaw(running.port, rpc, { params }, as.tls)) as { ok: boolean }
      expect(answer.ok, rpc).to.equal(isAllowed)
      if (rpc !== 'vendue.push-commits' && !isAllowed) expect(errorOf(answer).code).to.equal('FORBIDDEN')
    }
  })

  it('sends nothing to a node that is not the one expected, or not of the mesh', async () => {
    let called = 0
    const submit = async () => {
      called += 1
      return { results: [], receipt: null }
    }
    const impostor = await authority.member()
    const stranger = await (await TestAuthority.create()).member({ meshId: authority.meshId })
    for (const [tls, code] of [
      [impostor.tls, 'NOT_THE_PEER'],
      [stranger.tls, 'NOT_A_MEMBER'],
    ] as const) {
      const there = await startServer({ tls, peer: { submit } })
      const rpcClient = new RpcClient({ tls: caller.tls })
      clients.push(rpcClient)
      const client = new GrenachePeerClient({ rpcClient, whoIsAt: () => serverMember.nodeId })
      const error = await rejection(client.submit(there.address, [bidOf('bid_1')], []), PeerCallError)
      expect(error).to.include({ code, sent: false })
      await there.server.stop()
    }
    expect(called).to.equal(0)
  })

  for (const [what, bytes] of [
    ['plain HTTP', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
    ['garbage', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37) % 256))],
    ['nothing', ''],
  ] as const) {
    it(`closes a connection that brings ${what} in place of a handshake, within a second or so`, async () => {
      const startedAt = performance.now()
      const socket = connect(running.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.on('data', () => {})
      if (bytes.length > 0) socket.write(bytes)
      await once(socket, 'close')
      expect(performance.now() - startedAt).to.be.below(2_000)
    })
  }

  it('counts handshakes, of which kept connections need few', async () => {
    const member = await authority.member()
    const rpcClient = new RpcClient({ tls: member.tls })
    clients.push(rpcClient)
    const client = new GrenachePeerClient({ rpcClient })
    for (let i = 0; i < 50; i++) await client.heads(running.address, { prefix: '', afterId: null })
    expect(member.tls.handshakes).to.deep.equal({ accepted: 0, dialled: 1, refused: 0, dropped: 0 })
    const before = serverMember.tls.handshakes.refused
    await pingAs(showing(await (await TestAuthority.create()).member()))
    expect(serverMember.tls.handshakes.refused).to.equal(before + 1)
  })
})
