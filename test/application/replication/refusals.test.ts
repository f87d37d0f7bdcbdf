import { expect } from 'chai'
import { NOTIFY_INTERVAL_MS } from '../../../src/application/replication/refused-commits.js'
import type { AuctionRecord } from '../../../src/ports/store/auction-repository.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, startMemoryNodes } from '../../support/memory-node.js'
import { silentLogger } from '../../support/silent-logger.js'
import { unreadableCancel } from '../../support/unreadable-commit.js'

describe('peers that do not take what a home has written', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]
  let opened = 0

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    nodes = await startMemoryNodes(network, time, ['home', 'one', 'two'])
    await time.advance(4_000)
  })

  afterEach(async () => {
    for (const node of nodes) await node.stop()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  const syncOf = async (i: number) => (await node(i).api.status()).sync

  async function openAuction(): Promise<string> {
    const commandId = `cmd_refusals${String(++opened).padStart(4, '0')}`
    const { outcome } = await node(0).api.open({ commandId, title: 'Lot', currency: 'EUR', start: '1' })
    await settle()
    return outcome.auctionId
  }

  /** What a home of another version writes. */
  async function written(auctionId: string): Promise<Append> {
    const record = (await node(0).services.parts.auctions.find(auctionId)) as AuctionRecord
    return unreadableCancel(record, node(0).signer, time.now())
  }

  async function write(auctionId: string): Promise<void> {
    await node(0).services.parts.eventLog.append(await written(auctionId))
    await settle()
    await time.advance(1_000)
  }

  it('do not call themselves synced, and say whose fault it is and why', async () => {
    const [auctionId, other] = [await openAuction(), await openAuction()]
    expect((await syncOf(1)).state).to.equal('synced')
    await write(auctionId)
    const { state, refusedAuctions } = await syncOf(1)
    expect(state).to.equal('incomplete')
    expect(refusedAuctions).to.have.length(1)
    expect(refusedAuctions[0]).to.include({ auctionId, seq: 2, home: node(0).info.nodeId, homeName: 'home' })
    expect(refusedAuctions[0]?.reason).to.contain('at most 500')
    const { status } = (await node(1).api.show({ auction: other })).state
    expect(status).to.equal('open')
  })

  it('let the home know, which names them', async () => {
    const auctionId = await openAuction()
    expect((await syncOf(0)).doubtedAuctions).to.deep.equal([])
    await write(auctionId)
    const [doubted, ...more] = (await syncOf(0)).doubtedAuctions
    expect(more).to.deep.equal([])
    expect(doubted).to.include({ auctionId, seq: 2 })
    expect([...(doubted?.peers ?? [])].sort()).to.deep.equal(['one', 'two'])
    expect(doubted?.reason).to.contain('at most 500')
  })

  it('find it by comparing too, and say so again to a home that was started anew', async () => {
    const auctionId = await openAuction()
    await node(0).store.eventLog.append(await written(auctionId))
    node(0).services.parts.headsDigest.stop()
    node(0).services.parts.headsDigest.start()
    await time.advance(10_000)
    expect((await syncOf(1)).refusedAuctions).to.have.length(1)
    await time.advance(NOTIFY_INTERVAL_MS)
    const { doubtedAuctions } = await syncOf(0)
    expect(doubtedAuctions.map((doubted) => doubted.auctionId)).to.deep.equal([auctionId])
  })

  it('are synced once nobody offers it any more', async () => {
    await write(await openAuction())
    await node(0).stop()
    await time.advance(5_000)
    expect(await syncOf(1)).to.deep.include({ state: 'synced', refusedAuctions: [] })
    nodes.shift()
  })

  it('hold nothing against a home that it has not signed', async () => {
    const auctionId = await openAuction()
    const { commit } = await written(auctionId)
    const forged = { ...commit, signature: 'A'.repeat(86) }
    await node(1).services.parts.peerService.pushCommits(node(2).info.nodeId, [forged])
    await settle()
    expect(await syncOf(1)).to.deep.include({ state: 'synced', refused: 1, refusedAuctions: [] })
    expect((await syncOf(0)).doubtedAuctions).to.deep.equal([])
  })

  it('name in their log whoever brought it, beside its reason', async () => {
    const told: object[] = []
    const logger = { ...silentLogger, warn: (fields: object) => told.push(fields) }
    const watcher = await new MemoryNode({ name: 'watcher', network, time, logger }).start()
    nodes.push(watcher)
    const auctionId = await openAuction()
    await time.advance(4_000)
    const { commit } = await written(auctionId)
    const from = node(2).info.nodeId
    await watcher.services.parts.peerService.pushCommits(from, [commit])
    expect(told.filter((fields) => 'reason' in fields)).to.deep.include({
      auctionId,
      seq: 2,
      from,
      reason: "the body's events.0.reason: must be at most 500 characters",
    })
  })

  it('cannot put a home into doubt about what is not its own, or what it has not written', async () => {
    const auctionId = await openAuction()
    const home = node(0).services.parts.peerService
    const from = node(1).info.nodeId
    await home.reportRefusal({ from, auctionId, seq: 2, reason: 'no' })
    await home.reportRefusal({ from, auctionId: `auc_${'0'.repeat(26)}`, seq: 1, reason: 'no' })
    await node(2).services.parts.peerService.reportRefusal({ from, auctionId, seq: 1, reason: 'no' })
    expect((await syncOf(0)).doubtedAuctions).to.deep.equal([])
    expect((await syncOf(2)).doubtedAuctions).to.deep.equal([])
  })
})
