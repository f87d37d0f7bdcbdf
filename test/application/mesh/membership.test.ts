import { expect } from 'chai'
import type { PeerState } from '../../../src/ports/node/node-info.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { TEST_MESH } from '../../support/memory-members.js'
import { MemoryDiscovery, MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, type MemoryNodeOptions, startMemoryNodes } from '../../support/memory-node.js'

const NAMES = ['one', 'two', 'three', 'four', 'five']

describe('membership', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    nodes = await startMemoryNodes(network, time, NAMES)
    await time.advance(2_000)
  })

  afterEach(() => {
    for (const node of nodes) node.crash()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  const stateOf = (of: MemoryNode, at: MemoryNode): PeerState | undefined =>
    at.services.parts.peerTable.get(of.info.nodeId)?.state
  const statesOf = (of: MemoryNode) => nodes.filter((at) => at !== of).map((at) => stateOf(of, at))
  const ALL = (state: PeerState) => NAMES.slice(1).map(() => state)

  /** Goes on in small steps until it holds; how long that took. */
  async function until(what: string, holds: () => boolean, limitMs: number): Promise<number> {
    for (let tookMs = 0; tookMs <= limitMs; tookMs += 100) {
      if (holds()) return tookMs
      await time.advance(100)
    }
    throw new Error(`not within ${limitMs} ms: ${what}`)
  }

  /** The same node in a new process. */
  async function restart(i: number, more: Partial<MemoryNodeOptions> = {}): Promise<MemoryNode> {
    const { store, signer } = node(i)
    const back = new MemoryNode({ name: NAMES[i] as string, network, time, store, signer, ...more })
    nodes[i] = back
    return back.start()
  }

  const isBack = (back: MemoryNode) =>
    nodes.every((at) => {
      const peer = at.services.parts.peerTable.get(back.info.nodeId)
      const { address, incarnation } = back.info
      const isThisLife = peer?.info.address === address && peer.info.incarnation === incarnation
      return at === back || (peer?.state === 'alive' && isThisLife)
    })

  describe('a peer that dies', () => {
    it('is out of use everywhere within 5 s when it is killed, and not handed to others', async () => {
      const killed = node(4)
      killed.crash()
      const tookMs = await until('it is dead', () => statesOf(killed).every((s) => s === 'dead'), 5_000)
      expect(tookMs).to.be.at.least(1_000)
      const challenge = node(1).services.parts.identity.challenge(node(0).info.address)
      const { peers } = await node(0).services.parts.peerService.hello(challenge)
      expect(peers.map(({ name }) => name)).to.have.members(['two', 'three', 'four'])
    })

    it('is taken out of discovery, and put back when it returns to its address', async () => {
      const { address } = node(4).info
      const evicted = () => {
        const discovery = node(0).services.parts.discovery
        if (!(discovery instanceof MemoryDiscovery)) throw new Error('not the discovery of these tests')
        return [...discovery.evicted]
      }
      node(4).crash()
      await until('it is dead', () => stateOf(node(4), node(0)) === 'dead', 5_000)
      expect(evicted()).to.deep.equal([address])
      const back = await restart(4, { address })
      await until('it is back', () => isBack(back), 5_000)
      expect(evicted()).to.deep.equal([])
    })

    it('is out of use within 5 s also in a mesh of two', async () => {
      for (const i of [2, 3, 4]) await node(i).stop()
      node(1).crash()
      await until('it is dead', () => stateOf(node(1), node(0)) === 'dead', 5_000)
    })

    it('is out of use within 10 s when it stands still, and comes back when it goes on', async () => {
      const stopped = node(4)
      stopped.time.stall()
      await until('it is dead', () => statesOf(stopped).every((s) => s === 'dead'), 10_000)
      await time.advance(5_000)
      expect(statesOf(stopped)).to.deep.equal(ALL('dead'))
      stopped.time.resume()
      await until('it is back', () => statesOf(stopped).every((s) => s === 'alive'), 5_000)
      for (const peer of nodes.slice(0, 4)) expect(stateOf(peer, stopped)).to.equal('alive')
    })

    it('stays out while somebody else sits on its port', async () => {
      const killed = node(4)
      killed.crash()
      const squatter = await new MemoryNode({
        name: 'squatter',
        network,
        time,
        address: killed.info.address,
      }).start()
      try {
        await until('it is dead', () => statesOf(killed).every((s) => s === 'dead'), 5_000)
        await until('the other one is met', () => stateOf(squatter, node(0)) === 'alive', 5_000)
        expect(stateOf(killed, node(0))).to.equal('dead')
      } finally {
        await squatter.stop()
      }
    })
  })

  describe('a node that stands still for 2 s', () => {
    it('is not put out by anybody, and puts out nobody', async () => {
      const seen = new Set<string>()
      const watch = (at: MemoryNode) => at.services.parts.peerTable.onChange(({ peer }) => seen.add(peer.state))
      for (const at of nodes) watch(at)
      for (let round = 0; round < 5; round++) {
        node(2).time.stall()
        await time.advance(2_000 + 130 * round)
        node(2).time.resume()
        await time.advance(2_000)
      }
      expect([...seen]).to.not.include('dead')
      expect(statesOf(node(2))).to.deep.equal(ALL('alive'))
    })

    /** Two are left, so that nobody else can vouch; one probe of the first is under way when both stand still. */
    async function twoWithAProbeUnderWay(): Promise<{
      judge: MemoryNode
      peer: MemoryNode
      states: string[]
    }> {
      for (const i of [2, 3, 4]) await node(i).stop()
      const [judge, peer] = [node(0), node(1)]
      await until('both see the others gone', () => stateOf(node(4), judge) === 'left', 1_000)
      peer.time.stall()
      network.calls.length = 0
      const isProbed = () => network.calls.some(({ from, method }) => from === judge.info.address && method === 'ping')
      await until('a probe is under way', isProbed, 2_000)
      const states: string[] = []
      judge.services.parts.peerTable.onChange((change) => states.push(change.peer.state))
      return { judge, peer, states }
    }

    it('judges nobody by a probe that timed out meanwhile', async () => {
      const { judge, peer, states } = await twoWithAProbeUnderWay()
      judge.time.stall()
      peer.time.resume()
      await time.advance(15_000)
      judge.time.resume()
      await time.advance(3_000)
      expect(states).to.deep.equal([])
    })

    it('judges nobody by a suspicion that ran out meanwhile', async () => {
      const { judge, peer, states } = await twoWithAProbeUnderWay()
      await until('it is suspected', () => states.length > 0, 3_000)
      judge.time.stall()
      peer.time.resume()
      await time.advance(15_000)
      judge.time.resume()
      await time.advance(3_000)
      expect(states).to.deep.equal(['suspect', 'alive'])
    })
  })

  describe('a way that is blocked', () => {
    it('puts nobody out while others reach the peer', async () => {
      const states: string[] = []
      node(0).services.parts.peerTable.onChange(({ peer }) => states.push(peer.state))
      network.cut(node(0).info.address, node(1).info.address)
      await time.advance(20_000)
      expect(states, 'not even suspected').to.deep.equal([])
      expect(statesOf(node(1))).to.deep.equal(ALL('alive'))
    })

    it('in one direction to everybody puts the mute node out, until the way is open again', async () => {
      const mute = node(3)
      for (const other of nodes) if (other !== mute) network.cut(mute.info.address, other.info.address)
      await until('it is dead', () => statesOf(mute).every((s) => s === 'dead'), 12_000)
      network.heal()
      await until('it is back', () => statesOf(mute).every((s) => s === 'alive'), 5_000)
    })

    it('between two halves is healed by either side within 5 s, without the DHT', async () => {
      network.announced = []
      for (const a of nodes.slice(0, 2)) {
        for (const b of nodes.slice(2)) {
          network.cut(a.info.address, b.info.address)
          network.cut(b.info.address, a.info.address)
        }
      }
      await until('the halves part', () => stateOf(node(4), node(0)) === 'dead', 15_000)
      await time.advance(60_000)
      network.heal()
      await until('they are one again', () => nodes.every((one) => statesOf(one).every((s) => s === 'alive')), 5_000)
    })
  })

  it('passes on as many challenges of one member at once as its budget allows, and those of others', async () => {
    const { budgets, peerService } = node(0).services.parts
    const { limit } = budgets.of('passed-pings').terms
    const { nodeId, address } = node(4).info
    network.cut(node(0).info.address, address)
    const challenge = {
      meshId: TEST_MESH,
      nonce: 'N'.repeat(32),
      to: address,
      caller: node(1).info,
    }
    const ask = (from: string) => peerService.pingVia(nodeId, challenge, from).catch((error: { code: string }) => error)
    const asked = Array.from({ length: limit }, () => ask('mallory'))
    const tooMany = await Promise.race([ask('mallory'), settle().then(() => 'passed on too')])
    expect(tooMany).to.include({ code: 'BUSY' })
    const other = ask('another')
    for (const answer of [...asked, other]) {
      while (budgets.of('passed-pings').used('mallory') + budgets.of('passed-pings').used('another') > 0)
        await time.advance(500)
      expect(await answer, 'was passed on').to.include({ code: 'NODE_UNREACHABLE' })
    }
  })

  describe('a peer that leaves', () => {
    it('is known to have left at once', async () => {
      await node(4).stop()
      await settle()
      expect(statesOf(node(4))).to.deep.equal(ALL('left'))
    })

    it('is known to have left also where its goodbye did not arrive, by its own words passed on', async () => {
      network.cut(node(4).info.address, node(0).info.address)
      let hasLeft = false
      void node(4)
        .stop()
        .then(() => {
          hasLeft = true
        })
      await until('it has left', () => hasLeft, 1_000)
      await until('it is heard of', () => stateOf(node(4), node(0)) === 'left', 1_500)
    })

    it('does so in its own words only: nobody says goodbye for another, nor with an old one', async () => {
      const { nodeId, incarnation } = node(4).info
      const service = node(0).services.parts.peerService
      const ofAnother = node(3).services.parts.identity.goodbye()
      await service.goodbye({ ...ofAnother, nodeId, address: node(4).info.address, incarnation })
      const old = node(4).services.parts.identity.goodbye()
      await service.goodbye({ ...old, incarnation: incarnation + 1 })
      expect(stateOf(node(4), node(0))).to.equal('alive')

      await time.advance(10)
      await node(4).stop()
      const back = await restart(4)
      await until('it is back', () => isBack(back), 5_000)
      await service.goodbye(old)
      expect(stateOf(back, node(0))).to.equal('alive')
    })
  })

  describe('a peer that returns', () => {
    for (const [what, address] of [
      ['at the same address', true],
      ['on another port', false],
    ] as const) {
      it(`${what} is in use everywhere within 5 s, after a kill`, async () => {
        const before = node(4)
        before.crash()
        await time.advance(20_000)
        network.announced = []
        const back = await restart(4, address ? { address: before.info.address } : {})
        await until('it is back', () => isBack(back), 5_000)
      })

      it(`${what} is in use everywhere within 5 s, though nobody noticed its end`, async () => {
        const before = node(4)
        before.crash()
        await time.advance(300)
        const comings: (string | null)[] = []
        node(0).services.parts.peerTable.onChange((change) => comings.push(change.before))
        const back = await restart(4, address ? { address: before.info.address } : {})
        await until('it is back', () => isBack(back), 5_000)
        expect(comings).to.include('dead')
      })
    }

    it('is let in with a clock that was set back', async () => {
      await node(4).stop()
      const { store, signer } = node(4)
      const back = new MemoryNode({ name: 'five', network, time, store, signer, startedAt: time.now() - 1e6 })
      nodes[4] = back
      await back.start()
      await until('it is back', () => isBack(back), 5_000)
    })
  })

  describe('words of others about a peer', () => {
    const accuse = (at: MemoryNode, of: MemoryNode, state: 'suspect' | 'dead', incarnation?: number) => {
      const challenge = node(1).services.parts.identity.challenge(at.info.address)
      const rumor = { state, nodeId: of.info.nodeId, incarnation: incarnation ?? of.info.incarnation }
      return at.services.parts.peerService.ping({ challenge, rumors: [rumor] }, challenge.caller.nodeId)
    }

    it('put nobody out, and make the accused show a higher incarnation', async () => {
      for (const at of [node(0), node(2), node(3)]) await accuse(at, node(4), 'dead')
      await time.advance(5_000)
      expect(statesOf(node(4))).to.deep.equal(ALL('alive'))
      const known = node(0).services.parts.peerTable.get(node(4).info.nodeId)
      expect(known?.info.incarnation).to.be.above(node(4).info.incarnation)
    })

    it('cannot drive an incarnation up', async () => {
      const identity = node(4).services.parts.identity
      await accuse(node(4), node(4), 'dead', node(4).info.incarnation + 1_000_000)
      expect(identity.info.incarnation).to.equal(node(4).info.incarnation)
      for (let i = 0; i < 50; i++) await accuse(node(4), node(4), 'dead', identity.info.incarnation)
      expect(identity.info.incarnation).to.equal(node(4).info.incarnation + 1)
    })

    it('cannot claim in its name that it lives', async () => {
      const { nodeId, address } = node(4).info
      const forged = node(3).services.parts.identity.alive()
      const challenge = node(1).services.parts.identity.challenge(node(0).info.address)
      const incarnation = node(4).info.incarnation + 5
      await node(0).services.parts.peerService.ping(
        { challenge, rumors: [{ ...forged, nodeId, address, incarnation }] },
        node(1).info.nodeId,
      )
      const known = node(0).services.parts.peerTable.get(nodeId)
      expect(known?.info.incarnation).to.equal(node(4).info.incarnation)
    })
  })

  describe('addresses that a member names', () => {
    it('are dialled up to its budget, and those that others name as before', async () => {
      const { limit } = node(0).services.parts.budgets.of('addresses').terms
      const ping = (by: MemoryNode, address: string) => {
        const challenge = by.services.parts.identity.challenge(node(0).info.address)
        const rumor = { ...by.services.parts.identity.alive(), nodeId: `node_${address}`, address }
        const { nodeId } = by.info
        return node(0).services.parts.peerService.ping({ challenge, rumors: [rumor] }, nodeId)
      }
      for (let i = 0; i < 3 * limit; i++) await ping(node(1), `victim-${i}:80`)
      await ping(node(2), 'another:80')
      for (let i = 0; i < 60; i++) await time.advance(1_000)
      const dialled = new Set(
        network.calls
          .filter(({ method, from }) => method === 'hello' && from === node(0).info.address)
          .map(({ address }) => address),
      )
      const victims = [...dialled].filter((address) => address.startsWith('victim'))
      expect(victims.length).to.be.within(limit / 2, limit)
      expect([...dialled]).to.include('another:80')
      const told = (await node(0).api.status()).budgets.find(({ name }) => name === 'addresses')
      expect(told?.refused).to.be.at.least(2 * limit)
      expect(told?.fullest?.sender).to.equal(node(1).info.nodeId)
      expect(statesOf(node(0))).to.deep.equal(ALL('alive'))
    })
  })

  describe('a mesh too large to probe all at once', () => {
    it('keeps each node’s probes within bounds, and still notices a kill within 5 s everywhere', async () => {
      const more = Array.from({ length: 20 }, (_, i) => `more-${i}`)
      nodes.push(...(await startMemoryNodes(network, time, more)))
      await until('all are met', () => nodes.every((one) => statesOf(one).every((s) => s === 'alive')), 10_000)
      await time.advance(5_000)
      network.calls.length = 0
      await time.advance(10_000)
      const pings = network.calls.filter(({ method, from }) => method === 'ping' && from === node(0).info.address)
      expect(pings.length).to.be.within(150, 170)
      expect(new Set(pings.map(({ address }) => address)).size).to.equal(nodes.length - 1)

      const killed = nodes.pop() as MemoryNode
      killed.crash()
      await until('it is dead', () => statesOf(killed).every((s) => s === 'dead'), 5_000)
    }).timeout(60_000)
  })
})
