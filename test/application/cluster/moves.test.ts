import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import type { NodeError } from '../../../src/ports/node/node-error.js'
import { openInYen } from '../../support/auction-mesh.js'
import { settle } from '../../support/manual-time.js'
import { MemoryCluster } from '../../support/memory-cluster.js'
import { MemoryNode } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

describe('a handover', () => {
  let cluster: MemoryCluster
  let one: MemoryNode
  let two: MemoryNode
  let stranger: MemoryNode

  beforeEach(async () => {
    cluster = new MemoryCluster()
    const { network, time } = cluster
    one = await cluster.start('one')
    two = await cluster.start('two')
    stranger = await new MemoryNode({ name: 'stranger', network, time }).start()
    cluster.nodes.push(stranger)
    // Until each has seen the beats of the other.
    await cluster.time.advance(1_000)
  })

  afterEach(() => cluster.stop())

  const bid = (at: MemoryNode, auction: string, commandId: string, amount: string, kind: 'plain' | 'max' = 'plain') =>
    cluster.soon(at.api.bid({ auction, commandId, kind, amount }))
  const move = async (auction: string, from: MemoryNode, to: MemoryNode) => {
    await cluster.soon(from.api.handover({ auction, peer: to.info.name }))
    await settle()
  }
  const kill = (node: MemoryNode) => {
    node.crash()
    cluster.nodes.splice(cluster.nodes.indexOf(node), 1)
  }
  const verified = async (at: MemoryNode, auction: string) => {
    const result = await verifyLog(unplaced(readLog(at.api, auction)), { verifier })
    if (!result.valid) throw new Error(result.finding.rule)
    return result.summary.homes.map(({ nodeId }) => nodeId)
  }
  const homeOf = async ({ store }: MemoryNode, auction: string) =>
    (await store.auctions.find(auction))?.state.home.nodeId

  it('lets the new home vouch for sellers who are accounts, as long as it stays in the cluster of the opening', async () => {
    const as = { id: 'usr_ada000001', name: 'Ada' }
    const auction = await openInYen(one, { as, closesAt: cluster.time.now() + 600_000 })
    let ids = 0
    const extend = async (at: MemoryNode) => {
      const request = { auction, commandId: `cmd_extend000${++ids}`, addedMs: 60_000, as }
      return (await cluster.soon(at.api.extend(request))).outcome.status
    }
    await move(auction, one, two)
    expect(await extend(two)).to.equal('accepted')
    await move(auction, two, stranger)
    expect(await extend(stranger)).to.equal('rejected')
    expect(await extend(two)).to.equal('rejected')
    expect(await extend(one), 'where it was opened').to.equal('accepted')
    await move(auction, stranger, two)
    expect(await extend(two), 'back, by a home that was outside').to.equal('rejected')
    await verified(stranger, auction)
  })

  it('goes to no node that says it is of the cluster, and whose beats the cluster has never had', async () => {
    const { network, signer, time } = cluster
    const { firstKey, publicKey } = signer
    const claimed = { firstKey, publicKey, sign: () => '', rotationsSince: () => [] }
    const liar = await new MemoryNode({ name: 'liar', network, time, clusterSigner: claimed }).start()
    cluster.nodes.push(liar)
    await settle()
    const auction = await openInYen(one)
    const moved = await cluster.soon(one.api.handover({ auction, peer: 'liar' }).catch((error: NodeError) => error))
    expect(moved).to.include({ code: 'NOT_MOVED' })
    expect((moved as NodeError).message).to.contain('liar says it is of this cluster, whose log does not know it')
    expect(cluster.log.find(auction)?.state.home.nodeId).to.equal(one.info.nodeId)
  })

  it('moves an auction from node to node of a cluster, which still takes it over from there', async () => {
    const auction = await openInYen(one, { reserve: '40' })
    await bid(stranger, auction, 'bid_00000001', '50', 'max')
    await move(auction, one, two)
    expect(cluster.log.find(auction)?.state.home.nodeId).to.equal(two.info.nodeId)
    expect((await bid(stranger, auction, 'bid_00000001', '50', 'max')).outcome).to.deep.include({ seq: 2 })
    kill(two)
    await cluster.time.advance(5_000)
    expect(cluster.log.find(auction)?.state.home.nodeId).to.equal(one.info.nodeId)
    const as = { id: 'usr_ann', name: 'Ann' }
    const request = { auction, commandId: 'bid_00000002', kind: 'plain', amount: '45', as } as const
    const { outcome } = await cluster.soon(stranger.api.bid(request))
    expect(outcome).to.deep.include({ bid: { leads: false, price: 46, reserveMet: true } })
    await settle()
    expect(await verified(stranger, auction)).to.deep.equal([one, two, one].map(({ info }) => info.nodeId))
  })

  it('takes along what the homes before have answered, right after a takeover and with no command between', async () => {
    const auction = await openInYen(one, { reserve: '40' })
    await bid(stranger, auction, 'bid_00000001', '50', 'max')
    const refused = await bid(stranger, auction, 'bid_00000002', '5')
    kill(one)
    while ((await homeOf(two, auction)) !== two.info.nodeId) await cluster.time.advance(100)
    const three = await cluster.start('three')
    await cluster.time.advance(1_000)
    await move(auction, two, three)
    expect(await homeOf(three, auction)).to.equal(three.info.nodeId)
    expect((await bid(stranger, auction, 'bid_00000002', '5')).outcome).to.deep.equal(refused.outcome)
    expect((await bid(stranger, auction, 'bid_00000001', '50', 'max')).outcome).to.deep.include({ seq: 2 })
    const as = { id: 'usr_ann', name: 'Ann' }
    const request = { auction, commandId: 'bid_00000003', kind: 'plain', amount: '45', as } as const
    const { outcome } = await cluster.soon(three.api.bid(request))
    expect(outcome).to.deep.include({ bid: { leads: false, price: 46, reserveMet: true } })
  })

  it('moves an auction into a cluster, whose log has all of it at once and whose nodes take it over', async () => {
    const auction = await openInYen(stranger, { reserve: '40' })
    await bid(one, auction, 'bid_00000001', '50', 'max')
    const refused = await bid(two, auction, 'bid_00000002', '5')
    await move(auction, stranger, one)
    await cluster.time.advance(1_000)
    expect(cluster.log.find(auction)?.head).to.deep.equal((await one.store.auctions.find(auction))?.head)
    kill(one)
    await cluster.time.advance(5_000)
    expect(await homeOf(two, auction)).to.equal(two.info.nodeId)
    expect((await bid(two, auction, 'bid_00000002', '5')).outcome).to.deep.equal(refused.outcome)
    const as = { id: 'usr_ann', name: 'Ann' }
    const request = { auction, commandId: 'bid_00000003', kind: 'plain', amount: '45', as } as const
    const { outcome } = await cluster.soon(two.api.bid(request))
    expect(outcome).to.deep.include({ bid: { leads: false, price: 46, reserveMet: true } })
  })

  it('moves an auction out of a cluster, which has no say in it from then on', async () => {
    const auction = await openInYen(one)
    await bid(two, auction, 'bid_00000001', '10')
    await move(auction, one, stranger)
    expect(await homeOf(two, auction)).to.equal(stranger.info.nodeId)
    expect((await bid(two, auction, 'bid_00000002', '12').catch(() => null))?.outcome.status).to.not.equal('accepted')
    const as = { id: 'usr_ann', name: 'Ann' }
    const request = { auction, commandId: 'bid_00000003', kind: 'plain', amount: '20', as } as const
    expect((await cluster.soon(two.api.bid(request))).outcome.status).to.equal('accepted')
    kill(stranger)
    await cluster.time.advance(15_000)
    let looks = 0
    for (const { store } of [one, two]) {
      const { find } = store.auctions
      store.auctions.find = (id) => {
        if (id === auction) looks += 1
        return find.call(store.auctions, id)
      }
    }
    await cluster.time.advance(10_000)
    expect(looks).to.equal(0)
    for (const node of [one, two]) expect(await homeOf(node, auction)).to.equal(stranger.info.nodeId)
  })

  it('of an auction that its node opened before it joined the cluster leaves it in its own log until then', async () => {
    const { network, time } = cluster
    const before = await new MemoryNode({ name: 'later', network, time }).start()
    const auction = await openInYen(before)
    await settle()
    before.crash()
    const { store, signer } = before
    const later = await cluster.start('later', { store, signer, startedAt: time.now() + 1, peerWaitMs: 0 })
    await cluster.time.advance(4_000)
    expect((await bid(one, auction, 'bid_00000001', '10')).outcome.status).to.equal('accepted')
    expect(cluster.log.find(auction)).to.equal(undefined)
    await move(auction, later, two)
    await cluster.time.advance(1_000)
    expect(cluster.log.find(auction)?.state.home.nodeId).to.equal(two.info.nodeId)
    expect((await bid(stranger, auction, 'bid_00000002', '15')).outcome.status).to.equal('accepted')
  })
})
