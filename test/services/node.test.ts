import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { VendueNode } from '../../services/node/create-node.js'
import type { Commit } from '../../src/domain/commit.js'
import type { MandateFault } from '../../src/ports/mesh/mandate-checker.js'
import { sellerOf } from '../support/bidding-nodes.js'
import { eventually } from '../support/eventually.js'
import { LongAuction } from '../support/long-auction.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

describe('whole nodes in one process', () => {
  let mesh: TestMesh

  before(async () => {
    mesh = await createTestMesh(3)
  })

  after(() => mesh.stop())

  const [seller, bidder, watcher] = [0, 1, 2].map((i) => () => mesh.nodes[i] as VendueNode) as [
    () => VendueNode,
    () => VendueNode,
    () => VendueNode,
  ]

  async function known(node: VendueNode, auction: string, bids: number): Promise<void> {
    await eventually(`${node.info.name} knows of ${bids} bids`, async () => {
      return (await node.api.show({ auction })).state.bidCount === bids
    })
  }

  it('share nothing but the mesh: each has its own key, token and database', async () => {
    expect(new Set(mesh.nodes.map(({ info }) => info.nodeId)).size).to.equal(3)
    const dirs = await Promise.all(mesh.nodes.map(async ({ api }) => (await api.status()).dataDir))
    expect(new Set(dirs).size).to.equal(3)
    for (const dir of dirs) {
      for (const file of ['node.key', 'operator.token', 'vendue.db']) {
        expect(statSync(join(dir, file)).mode & 0o777, file).to.equal(0o600)
      }
    }
  })

  it('report what happens to every node, in the same order', async () => {
    const { cursor } = await watcher().api.events({ waitMs: 0 })
    const { outcome } = await seller().api.open({
      commandId: 'cmd_nodes0001',
      title: 'Lot',
      currency: 'EUR',
      start: '5',
    })
    const auction = outcome.auctionId
    await known(bidder(), auction, 0)
    await bidder().api.bid({ auction, commandId: 'bid_nodes0001', kind: 'plain', amount: '5' })
    await seller().api.close({ auction, commandId: 'cmd_nodes0002' })
    const seen: string[] = []
    let at = cursor
    await eventually('the watcher heard of all', async () => {
      const page = await watcher().api.events({ waitMs: 100, cursor: at })
      at = page.cursor
      seen.push(...page.items.filter((item) => item.auctionId === auction).map(({ event }) => event.type))
      return seen.length >= 3
    })
    expect(seen).to.deep.equal(['AuctionOpened', 'BidPlaced', 'AuctionClosed'])
  })

  it('wake whoever waits for events as soon as there is one', async () => {
    const { cursor } = await watcher().api.events({ waitMs: 0 })
    const waiting = watcher().api.events({ waitMs: 20_000, cursor })
    await seller().api.open({ commandId: 'cmd_nodes0003', title: 'Awaited', currency: 'EUR', start: '5' })
    expect((await waiting).items.map(({ event }) => event)).to.have.nested.property('[0].terms.title', 'Awaited')
  })

  it('check mandates of commits that bring many beside the thread that serves', async () => {
    const auction = new LongAuction({ bids: 5, bidsPerCommit: 5 })
    const [, commit] = [...auction.commits()]
    let answer: MandateFault | null | undefined
    const checked = watcher()
      .services.parts.mandateChecker.check({ ...(commit as Commit), ...sellerOf(auction.signer) })
      .then((fault) => {
        answer = fault
      })
    // Answers of another thread come in a later turn of the event loop.
    for (let i = 0; i < 100; i++) await Promise.resolve()
    expect(answer).to.equal(undefined)
    await checked
    expect(answer).to.equal(null)
  })

  it('keep their auctions and their identity over a restart', async () => {
    const { outcome } = await seller().api.open({
      commandId: 'cmd_nodes0004',
      title: 'Kept',
      currency: 'EUR',
      start: '5',
    })
    const auction = outcome.auctionId
    await known(bidder(), auction, 0)
    await bidder().api.bid({ auction, commandId: 'bid_nodes0004', kind: 'max', amount: '50' })
    const before = seller().info
    await seller().stop()
    const again = await mesh.join(before.name)
    expect(again.info.nodeId).to.equal(before.nodeId)
    expect(again.info.incarnation).to.be.greaterThan(before.incarnation)
    await eventually('the others see it again', async () => {
      const peers = await watcher().api.peers()
      return peers.find(({ nodeId }) => nodeId === before.nodeId)?.state === 'alive'
    })
    // The maximum was kept: it answers.
    const { outcome: answered } = await watcher().api.bid({
      auction,
      commandId: 'bid_nodes0005',
      kind: 'plain',
      amount: '20',
    })
    expect(answered.status === 'accepted' && answered.bid?.leads).to.equal(false)
  })
})
