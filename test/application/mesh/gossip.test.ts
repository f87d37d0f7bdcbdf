import { expect } from 'chai'
import { Gossip, RUMORS_PER_PING } from '../../../src/application/mesh/gossip.js'
import { LocalHealth } from '../../../src/application/mesh/local-health.js'
import type { Rumor } from '../../../src/ports/mesh/liveness-messages.js'

const suspect = (nodeId: string, incarnation = 1): Rumor => ({ state: 'suspect', nodeId, incarnation })

describe('gossip', () => {
  it('carries each piece of news a limited number of times, more in a larger mesh', () => {
    const sends = (nodes: number) => {
      const gossip = new Gossip()
      gossip.add(suspect('node_1'))
      let count = 0
      while (gossip.take(nodes).length > 0) count += 1
      return count
    }
    expect(sends(1)).to.equal(6)
    expect(sends(100)).to.equal(21)
  })

  it('puts no more than its bound on a ping, the least often sent first', () => {
    const gossip = new Gossip()
    for (let i = 0; i < 12; i++) gossip.add(suspect(`node_${i}`))
    expect(gossip.take(10)).to.have.length(RUMORS_PER_PING)
    const second = gossip.take(10).map(({ nodeId }) => nodeId)
    expect(second).to.include.members(['node_8', 'node_9', 'node_10', 'node_11'])
  })

  it('replaces older news of a node by newer, and forgets the most often sent when there is too much', () => {
    const gossip = new Gossip()
    gossip.add(suspect('node_1', 1))
    gossip.add({ state: 'dead', nodeId: 'node_1', incarnation: 2 })
    expect(gossip.take(3)).to.deep.equal([{ state: 'dead', nodeId: 'node_1', incarnation: 2 }])
    for (let i = 0; i < 64; i++) gossip.add(suspect(`other_${i}`))
    const left: Rumor[] = []
    for (let i = 0; i < 8; i++) left.push(...gossip.take(3))
    expect(left.some(({ nodeId }) => nodeId === 'node_1')).to.equal(false)
  })
})

describe('local health', () => {
  it('stretches time-outs while this node lags, up to twofold, and recovers by answers', () => {
    const health = new LocalHealth()
    health.late(200)
    expect(health.stretch).to.equal(1)
    health.late(300)
    expect(health.stretch).to.equal(1.5)
    for (let i = 0; i < 5; i++) health.late(5_000)
    expect(health.stretch).to.equal(2)
    health.probed({ answered: 3, silent: 0 })
    expect(health.stretch, 'it lagged in this round').to.equal(2)
    health.probed({ answered: 3, silent: 0 })
    health.probed({ answered: 1, silent: 2 })
    expect(health.stretch).to.equal(1)
  })

  it('doubts itself when nobody at all answers, or when others doubt it', () => {
    const health = new LocalHealth()
    health.probed({ answered: 0, silent: 0 })
    expect(health.stretch).to.equal(1)
    for (let i = 0; i < 5; i++) health.probed({ answered: 0, silent: 4 })
    expect(health.stretch).to.equal(1.5)
    health.accused()
    expect(health.stretch).to.equal(2)
  })
})
