import { expect } from 'chai'
import { systemRandom } from '../../../src/adapters/system/system-random.js'
import { isAt, NodeIdentity } from '../../../src/application/mesh/node-identity.js'
import { MAX_PEERS } from '../../../src/application/mesh/peer-table.js'
import { MAX_INCARNATION_AHEAD_MS } from '../../../src/domain/limits.js'
import type { Challenge } from '../../../src/ports/mesh/liveness-messages.js'
import type { PeerClient } from '../../../src/ports/mesh/peer-client.js'
import type { PeerService } from '../../../src/ports/mesh/peer-service.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryMembers, OTHER_MESH, TEST_MESH } from '../../support/memory-members.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, type MemoryNodeOptions, startMemoryNodes } from '../../support/memory-node.js'

describe('the handshake', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    nodes = await startMemoryNodes(network, time, ['one', 'two', 'three'])
    await time.advance(1_000)
  })

  afterEach(() => {
    for (const node of nodes) node.crash()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  const join = async (name: string, more: Partial<MemoryNodeOptions> = {}) => {
    const joined = new MemoryNode({ name, network, time, ...more })
    nodes.push(joined)
    await joined.start()
    await settle()
    return joined
  }
  const tableOf = (at: MemoryNode) => at.services.parts.peerTable
  const identityOf = (at: MemoryNode) => at.services.parts.identity
  const serviceOf = (at: MemoryNode) => at.services.parts.peerService

  /** A stranger's own server, of which some answers are made up. */
  const impostor = (overrides: Partial<PeerService>): string => {
    const address = network.newAddress()
    const refuse = () => Promise.reject(new Error('not here'))
    const nothing = Object.fromEntries(
      ['hello', 'ping', 'pingVia', 'goodbye', 'submit', 'pushCommits', 'pullCommits', 'digest', 'heads'].map((name) => [
        name,
        refuse,
      ]),
    ) as unknown as PeerService
    network.serve(address, { ...nothing, ...overrides })
    return address
  }
  const lure = async (at: MemoryNode, address: string) => {
    at.services.parts.membership.consider([address])
    await settle()
  }

  it('lets nobody in whose start lies days ahead, and everybody whose clock is wrong by hours', async () => {
    const ahead = await join('ahead', { startedAt: time.now() + MAX_INCARNATION_AHEAD_MS + 60_000 })
    const wrong = await join('wrong', { startedAt: time.now() + 3 * 3_600_000 })
    await lure(node(0), ahead.info.address)
    await lure(node(0), wrong.info.address)
    await time.advance(2_000)
    expect(tableOf(node(0)).get(ahead.info.nodeId)).to.equal(undefined)
    expect(tableOf(node(0)).get(wrong.info.nodeId)?.state).to.equal('alive')
  })

  it('takes an answer for what it is: one node, at one address, in one life, to one challenge', () => {
    const [asking, answering, third] = [identityOf(node(0)), identityOf(node(1)), identityOf(node(2))]
    const { publicKey } = node(1).info
    const challenge = asking.challenge(node(1).info.address)
    const proof = answering.prove(challenge)
    expect(asking.proves(challenge, proof, publicKey)).to.equal(true)
    const altered = [
      { ...proof, address: 'mem:99' },
      { ...proof, incarnation: proof.incarnation + 1 },
      { ...proof, nodeId: node(2).info.nodeId },
      { ...proof, signature: answering.goodbye().signature },
      { ...proof, signature: answering.alive().signature },
    ]
    for (const forged of altered) expect(asking.proves(challenge, forged, publicKey)).to.equal(false)
    expect(asking.proves(challenge, proof, node(2).info.publicKey)).to.equal(false)
    const again = asking.challenge(node(1).info.address)
    expect(asking.proves(again, proof, publicKey), 'replayed').to.equal(false)
    const other = { ...third.challenge(node(1).info.address), nonce: challenge.nonce }
    expect(third.proves(other, proof, publicKey), 'given to another').to.equal(false)
    const elsewhere = { ...challenge, meshId: OTHER_MESH }
    expect(asking.proves(elsewhere, proof, publicKey), 'in another mesh').to.equal(false)
  })

  it('takes a node that listens on every address where it was reached', () => {
    const info = { ...node(1).info, address: '0.0.0.0:7000' }
    const deps = {
      clock: time,
      random: systemRandom,
      signer: node(1).signer,
      verifier: node(0).services.parts.verifier,
    }
    const everywhere = new NodeIdentity(deps, { meshId: TEST_MESH, info: () => info })
    const at = (to: string) => everywhere.prove(identityOf(node(0)).challenge(to)).address
    expect(at('192.0.2.7:7000')).to.equal('192.0.2.7:7000')
    expect(at('192.0.2.7:7001'), 'somebody in between').to.equal('0.0.0.0:7000')
    expect(isAt(everywhere.goodbye().address, '192.0.2.7:7000')).to.equal(true)
  })

  it('stays with one of the addresses of a node that has several, and moves on when that one fails', async () => {
    const many = new MemoryNode({ name: 'many', network, time, address: '0.0.0.0:77' })
    nodes.push(many)
    network.fault('0.0.0.0:77', 'unreachable')
    await many.start()
    network.calls.length = 0
    for (const address of ['a:77', 'b:77']) {
      network.serve(address, serviceOf(many), many.time)
      await lure(node(0), address)
    }
    await time.advance(10_000)
    const at = () => tableOf(node(0)).get(many.info.nodeId)
    expect(at()).to.include({ state: 'alive' })
    expect(at()?.info.address).to.equal('a:77')
    const hellos = network.calls.filter(({ method, address }) => method === 'hello' && address === 'b:77')
    expect(hellos.length).to.be.within(1, 6)

    network.remove('a:77')
    await time.advance(70_000)
    expect(at()).to.include({ state: 'alive' })
    expect(at()?.info.address).to.equal('b:77')
  })

  it('lets nobody in who replays what a node once answered', async () => {
    let overheard: Awaited<ReturnType<PeerService['hello']>> | null = null
    await node(1).stop()
    const { store, signer } = node(1)
    const back = new MemoryNode({ name: 'two', network, time, store, signer })
    await back.start()
    await settle()
    overheard = await serviceOf(back).hello(identityOf(node(0)).challenge(back.info.address))
    back.crash()
    await time.advance(10_000)
    expect(tableOf(node(0)).get(back.info.nodeId)?.state).to.equal('dead')
    const answer = overheard
    network.serve(back.info.address, { ...serviceOf(node(2)), hello: () => Promise.resolve(answer) })
    await time.advance(10_000)
    expect(tableOf(node(0)).get(back.info.nodeId)?.state).to.equal('dead')
  })

  it('lets nobody in who passes our challenge on to the node that it claims to be', async () => {
    const victim = await join('victim')
    const { nodeId } = victim.info
    const client: PeerClient = network.client('mem:relay')
    const relay = impostor({
      hello: (challenge) => client.hello(victim.info.address, challenge),
      ping: (ping) => client.ping(victim.info.address, ping),
    })
    await lure(node(0), relay)
    expect(tableOf(node(0)).get(nodeId)?.info.address).to.equal(victim.info.address)
    expect(tableOf(node(0)).byAddress(relay)).to.equal(undefined)
  })

  it('lets nobody in under an id that is not of the key', async () => {
    const mallory = await join('mallory', { members: new MemoryMembers(OTHER_MESH) })
    const claimed = node(1).info.nodeId
    const address: string = impostor({
      hello: async (challenge: Challenge) => {
        const identity = identityOf(mallory)
        const proof = identity.prove({ ...challenge, meshId: OTHER_MESH })
        const forged = { ...proof, nodeId: claimed, address }
        return { node: { ...mallory.info, nodeId: claimed, address }, proof: forged, peers: [] }
      },
    })
    await lure(node(0), address)
    expect(tableOf(node(0)).get(claimed)?.info.address).to.equal(node(1).info.address)
    expect(tableOf(node(0)).byAddress(address)).to.equal(undefined)
  })

  it('believes no caller that does not prove itself where it says it is', async () => {
    const challenge = identityOf(node(0)).challenge(node(0).info.address)
    const caller = { ...node(1).info, nodeId: 'node_nobody', name: 'nobody', address: 'mem:999' }
    await serviceOf(node(0)).hello({ ...challenge, caller })
    await serviceOf(node(0)).ping({ challenge: { ...challenge, caller }, rumors: [] }, 'node_nobody')
    // Nor does a caller move a member elsewhere by its word alone.
    await serviceOf(node(0)).hello({ ...challenge, caller: { ...node(1).info, address: 'mem:998' } })
    await time.advance(3_000)
    expect(tableOf(node(0)).get('node_nobody')).to.equal(undefined)
    expect(tableOf(node(0)).get(node(1).info.nodeId)?.info.address).to.equal(node(1).info.address)
    expect(tableOf(node(0)).all()).to.have.length(2)
  })

  it('keeps nodes of another mesh out, and says why', async () => {
    const stranger = await join('stranger', { members: new MemoryMembers(OTHER_MESH) })
    await time.advance(10_000)
    for (const member of nodes.slice(0, 3)) {
      expect(tableOf(member).get(stranger.info.nodeId)).to.equal(undefined)
    }
    expect(tableOf(stranger).all()).to.deep.equal([])
    const challenge = identityOf(stranger).challenge(node(0).info.address)
    for (const call of [
      serviceOf(node(0)).hello(challenge),
      serviceOf(node(0)).ping({ challenge, rumors: [] }, stranger.info.nodeId),
    ]) {
      const error = await call.then(
        () => null,
        (reason: unknown) => reason,
      )
      expect(error).to.be.instanceOf(NodeError)
      expect(error).to.include({ code: 'FORBIDDEN' })
      expect((error as NodeError).next).to.include('join that mesh')
    }
  })

  it('passes challenges on only to peers in use here', async () => {
    const challenge = identityOf(node(0)).challenge('mem:999')
    const error = await serviceOf(node(1))
      .pingVia('node_nobody', challenge, node(0).info.nodeId)
      .then(
        () => null,
        (reason: unknown) => reason,
      )
    expect(error).to.include({ code: 'NODE_UNREACHABLE' })
  })

  describe('with two nodes that hold one key', () => {
    it('makes the newer one refuse to run, says what to do, and keeps the older one', async () => {
      const elder = node(1)
      await time.advance(5_000)
      const twin = await join('copy', { signer: elder.signer })
      await time.advance(2_000)
      expect(twin.failure).to.include({ code: 'NODE_KEY_IN_USE' })
      expect(twin.failure?.message)
        .to.include(elder.info.address)
        .and.to.match(/data directory of its own/)
      expect(elder.failure).to.equal(null)
      await twin.stop()
      await time.advance(5_000)
      for (const at of [node(0), node(2)]) {
        const known = tableOf(at).get(elder.info.nodeId)
        expect([known?.state, known?.info.address]).to.deep.equal(['alive', elder.info.address])
      }
    })

    it('notices it also where only the older one finds the newer', async () => {
      const elder = node(1)
      await time.advance(5_000)
      network.announced = []
      const twin = await join('copy', { signer: elder.signer })
      await lure(elder, twin.info.address)
      await time.advance(2_000)
      expect(twin.failure).to.include({ code: 'NODE_KEY_IN_USE' })
      expect(elder.failure).to.equal(null)
    })

    it('does not take a node for its own twin that meets itself', async () => {
      await lure(node(0), node(0).info.address)
      const challenge = identityOf(node(0)).challenge('mem:alias')
      network.serve('mem:alias', serviceOf(node(0)))
      await lure(node(0), 'mem:alias')
      await time.advance(5_000)
      expect(node(0).failure).to.equal(null)
      expect(tableOf(node(0)).byAddress('mem:alias')).to.equal(undefined)
      expect(challenge.caller.nodeId).to.equal(node(0).info.nodeId)
    })
  })

  describe('in the face of forged announcements', () => {
    const forged = Array.from({ length: 300 }, (_, i) => `mem:forged-${i}`)
    /** Forged addresses that take calls and never answer are the worst kind. */
    const blackHoles = () => {
      for (const address of forged) network.serve(address, silence)
    }
    const silence = new Proxy({} as PeerService, { get: () => () => new Promise(() => {}) })

    it('a node that knows a member reaches it at once', async () => {
      blackHoles()
      const { store, signer } = node(2)
      await node(2).stop()
      network.announced = forged
      const back = new MemoryNode({ name: 'three', network, time, store, signer })
      nodes[2] = back
      await back.start()
      await time.advance(200)
      expect(tableOf(back).reachable()).to.have.length(2)
    })

    it('also when it loses that member again while it dials them', async () => {
      blackHoles()
      network.announced = forged
      await lure(node(0), forged[0] as string)
      node(0).services.parts.membership.consider(forged)
      node(1).crash()
      await time.advance(8_000)
      node(0).services.parts.membership.consider(forged)
      const { store, signer } = node(1)
      const { address } = node(1).info
      const back = new MemoryNode({ name: 'two', network, time, store, signer, address })
      nodes[1] = back
      // It only answers; nobody tells of it.
      network.serve(address, serviceOf(back))
      await time.advance(4_000)
      expect(tableOf(node(0)).get(back.info.nodeId)?.state).to.equal('alive')
    })

    it('a node that knows nobody joins late, and dials no more than its bound at once', async () => {
      blackHoles()
      network.announced = [...forged, node(0).info.address]
      network.calls.length = 0
      const late = await join('late')
      const dialled = () => network.calls.filter(({ method, from }) => method === 'hello' && from === late.info.address)
      expect(dialled().length).to.be.at.most(16)
      await time.advance(30_000)
      expect(tableOf(late).reachable()).to.have.length(3)
      expect(tableOf(late).all().length).to.be.below(MAX_PEERS)
    })
  })
})
