import { expect } from 'chai'
import { rendezvous } from '../../../src/application/cluster/rendezvous.js'

describe('the order in which nodes take an auction over', () => {
  const nodes = ['node_a', 'node_b', 'node_c', 'node_d']
  const auctions = Array.from({ length: 2_000 }, (_, i) => `auc_${i}`)

  it('is the same for everybody, however they list the nodes', () => {
    for (const auction of auctions.slice(0, 50))
      expect(rendezvous(auction, [...nodes].reverse())).to.deep.equal(rendezvous(auction, nodes))
  })

  it('names each node once', () => {
    expect(rendezvous('auc_1', ['node_a', 'node_b', 'node_a'])).to.have.members(['node_a', 'node_b'])
    expect(rendezvous('auc_1', [])).to.deep.equal([])
  })

  it('gives every node its share', () => {
    const shares = new Map(nodes.map((node) => [node, 0]))
    for (const auction of auctions) {
      const [first] = rendezvous(auction, nodes) as [string]
      shares.set(first, (shares.get(first) ?? 0) + 1)
    }
    for (const share of shares.values()) expect(share).to.be.within(400, 600)
  })

  it('moves no other node’s auctions if a node is gone, and spreads its own over all others', () => {
    const takers = new Set<string>()
    for (const auction of auctions) {
      const order = rendezvous(auction, nodes)
      expect(rendezvous(auction, nodes.slice(0, 3))).to.deep.equal(order.filter((node) => node !== 'node_d'))
      if (order[0] === 'node_d') takers.add(order[1] as string)
    }
    expect([...takers]).to.have.members(['node_a', 'node_b', 'node_c'])
  })
})
