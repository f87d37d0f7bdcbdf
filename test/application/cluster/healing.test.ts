import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import type { NodeError } from '../../../src/ports/node/node-error.js'
import { openInYen } from '../../support/auction-mesh.js'
import { settle } from '../../support/manual-time.js'
import { MemoryCluster } from '../../support/memory-cluster.js'
import type { MemoryNode } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

describe('a log of a cluster that has lost its end', () => {
  let cluster: MemoryCluster
  let home: MemoryNode
  let left: MemoryNode
  let right: MemoryNode
  let auction: string

  beforeEach(async () => {
    cluster = new MemoryCluster()
    home = await cluster.start('home')
    left = await cluster.start('left')
    right = await cluster.start('right')
    auction = await openInYen(home)
  })

  afterEach(() => cluster.stop())

  const bid = (at: MemoryNode, commandId: string, amount: string, kind: 'plain' | 'max' = 'plain', lot = auction) =>
    cluster.soon(at.api.bid({ auction: lot, commandId, kind, amount }))
  const commits = (lot = auction) => cluster.log.find(lot)?.commits ?? []
  const kill = (node: MemoryNode) => {
    node.crash()
    cluster.nodes.splice(cluster.nodes.indexOf(node), 1)
  }
  const verified = async (at: MemoryNode, lot = auction) => {
    const result = await verifyLog(unplaced(readLog(at.api, lot)), { verifier })
    if (!result.valid) throw new Error(result.finding.rule)
    return result.summary
  }

  it('gets it back byte for byte from a survivor, before the survivor takes the auction over', async () => {
    const backup = cluster.log.snapshot()
    await bid(left, 'bid_00000001', '10')
    await bid(right, 'bid_00000002', '11')
    await settle()
    const before = commits()
    kill(home)
    cluster.log.restore(backup)
    await cluster.time.advance(8_000)
    expect(commits().slice(0, 3)).to.deep.equal(before)
    expect(commits()[3]?.signer).to.be.oneOf([left, right].map(({ signer }) => signer.publicKey))
    const again = await bid(left, 'bid_00000001', '10')
    expect(again.outcome).to.deep.include({ status: 'accepted', seq: 2 })
    expect((await bid(left, 'bid_00000003', '12')).outcome.status).to.equal('accepted')
    await verified(right)
    const healed = [left, right].map(({ services }) => services.parts.sharedAuctions.healed)
    expect(healed.reduce((sum, one) => sum + one)).to.be.greaterThan(0)
  })

  it('gets each bid back that was acknowledged with a replica, though its home dies at that moment', async () => {
    const backup = cluster.log.snapshot()
    const place = (node: MemoryNode, commandId: string, amount: string) =>
      cluster.soon(node.api.bid({ auction, commandId, kind: 'plain', amount, replicas: 1 }))
    const { outcome } = await place(left, 'bid_00000001', '10')
    const { outcome: second } = await place(right, 'bid_00000002', '11')
    kill(home)
    cluster.log.restore(backup)
    await cluster.time.advance(8_000)
    expect((await bid(left, 'bid_00000001', '10')).outcome).to.deep.equal(outcome)
    expect((await bid(right, 'bid_00000002', '11')).outcome).to.deep.equal(second)
    expect(outcome).to.deep.include({ status: 'accepted', seq: 2 })
    expect(second).to.deep.include({ status: 'accepted', seq: 3 })
    await verified(right)
  })

  it('has acknowledged no bid with a replica that no other member holds', async () => {
    for (const { info } of [left, right]) cluster.network.cut(home.info.address, info.address)
    const as = { id: 'usr_anna', name: 'Anna' }
    const asked = { auction, commandId: 'bid_00000001', kind: 'plain' as const, amount: '10', as, replicas: 1 }
    const code = await cluster.soon(
      home.api.bid(asked).then(
        () => 'acknowledged',
        (error: NodeError) => error.code,
      ),
    )
    expect(code).to.equal('NOT_REPLICATED')
  })

  it('gets it back from the only member that holds it, before another one takes the auction over', async () => {
    const backup = cluster.log.snapshot()
    const alone = await cluster.start('alone')
    for (const { info } of [left, right])
      for (const other of [home, alone]) {
        cluster.network.cut(other.info.address, info.address)
        cluster.network.cut(info.address, other.info.address)
      }
    await bid(alone, 'bid_00000001', '10')
    await settle()
    expect((await alone.store.auctions.find(auction))?.head.seq).to.equal(2)
    expect((await left.store.auctions.find(auction))?.head.seq).to.equal(1)
    const before = commits()
    // It holds the copy, and takes no auction over.
    alone.services.parts.cluster?.pause()
    kill(home)
    cluster.log.restore(backup)
    cluster.network.heal()
    await cluster.time.advance(10_000)
    expect(commits().slice(0, 2)).to.deep.equal(before)
    await verified(right)
  })

  it('gets refusals back, which stand in no commit, from the home that decided them', async () => {
    const backup = cluster.log.snapshot()
    await bid(left, 'bid_00000001', '5')
    cluster.log.restore(backup)
    await cluster.time.advance(3_000)
    expect([...(cluster.log.find(auction)?.outcomes.keys() ?? [])]).to.include('bid_00000001')
  })

  it('gets refusals back from the receipts of those who were refused, if their home has died', async () => {
    const backup = cluster.log.snapshot()
    const refused = await bid(left, 'bid_00000001', '5')
    const reused = { auction, commandId: 'bid_00000001', kind: 'plain', amount: '6' } as const
    await cluster.soon(left.api.bid(reused))
    await cluster.time.advance(1_000)
    kill(home)
    cluster.log.restore(backup)
    await cluster.time.advance(8_000)
    expect((await bid(left, 'bid_00000001', '5')).outcome).to.deep.equal(refused.outcome)
  })

  it('gets back auctions that it has lost entirely, even those that nobody bids on', async () => {
    const backup = cluster.log.snapshot()
    const lot = await openInYen(home, { commandId: 'cmd_open0002', reserve: '20' })
    cluster.log.restore(backup)
    await cluster.time.advance(5_000)
    expect(commits(lot)).to.have.length(1)
    kill(home)
    await cluster.time.advance(5_000)
    expect((await bid(left, 'bid_00000001', '30', 'plain', lot)).outcome).to.deep.include({
      bid: { leads: true, price: 30, reserveMet: true },
    })
  })

  it('says so if a maximum was lost with the home that kept it, and goes on without it', async () => {
    const backup = cluster.log.snapshot()
    await bid(left, 'bid_00000001', '50', 'max')
    await settle()
    kill(home)
    cluster.log.restore(backup)
    await cluster.time.advance(8_000)
    expect((await bid(right, 'bid_00000002', '20')).outcome).to.deep.include({
      bid: { leads: true, price: 20, reserveMet: true },
    })
    await settle()
    const summary = await verified(left)
    expect(summary.state.maximaLostSince).to.equal(2)
  })

  it('keeps the maxima if their home lives, and has them in its own store', async () => {
    const backup = cluster.log.snapshot()
    await bid(left, 'bid_00000001', '50', 'max')
    await settle()
    cluster.log.restore(backup)
    await cluster.time.advance(5_000)
    kill(home)
    await cluster.time.advance(5_000)
    expect((await bid(right, 'bid_00000002', '20')).outcome).to.deep.include({
      bid: { leads: false, price: 21, reserveMet: true },
    })
  })

  it('stops an auction if its log and its copies hold different commits, says so, and signs nothing more', async () => {
    const backup = cluster.log.snapshot()
    for (const { info } of [left, right]) cluster.network.cut(home.info.address, info.address)
    await bid(left, 'bid_00000001', '10').catch(() => null)
    home.time.stall()
    cluster.log.restore(backup)
    await cluster.time.advance(10_000)
    // Nobody could know of the lost bid: another node went on without it.
    expect(commits()).to.have.length(2)
    cluster.network.heal()
    home.time.resume()
    await cluster.time.advance(10_000)
    const states = await Promise.all(
      [home, left, right].map(async ({ api }) => ({
        held: (await api.status()).held.map(({ because }) => because),
        disputed: (await api.show({ auction })).disputed,
      })),
    )
    const length = commits().length
    expect(states.some(({ held }) => held.includes('forked'))).to.equal(true)
    expect(states.some(({ disputed }) => disputed)).to.equal(true)
    await bid(right, 'bid_00000005', '15').catch(() => null)
    await cluster.time.advance(1_000)
    expect(commits().length, JSON.stringify(states)).to.equal(length)
  })
})
