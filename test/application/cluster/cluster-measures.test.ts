import { expect } from 'chai'
import { PrometheusMetrics } from '../../../src/adapters/prometheus/prometheus-metrics.js'
import type { SubmitResult } from '../../../src/ports/mesh/home-messages.js'
import { SharedLogError } from '../../../src/ports/store/shared-log.js'
import { openInYen } from '../../support/auction-mesh.js'
import { MemoryCluster } from '../../support/memory-cluster.js'
import type { MemoryNode } from '../../support/memory-node.js'

describe('what is measured of a node in its cluster', () => {
  let cluster: MemoryCluster
  let metrics: PrometheusMetrics
  let onCall: (call: string) => void
  let home: MemoryNode
  let other: MemoryNode

  beforeEach(async () => {
    cluster = new MemoryCluster()
    metrics = new PrometheusMetrics()
    onCall = () => {}
    home = await cluster.start('home', { metrics, shared: { before: (call) => onCall(call) } })
    other = await cluster.start('other')
  })

  afterEach(() => cluster.stop())

  const measured = async (name: string) => {
    const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${name} `))
    return Number(line?.slice(name.length))
  }
  const bid = (auction: string, commandId: string, amount: string) =>
    cluster.soon(other.api.bid({ auction, commandId, kind: 'plain', amount }))

  it('are its appends with how long they took, and its beats', async () => {
    const auction = await openInYen(home)
    const [appends, seconds, beats] = [
      await measured('vendue_shared_log_append_seconds_count'),
      await measured('vendue_shared_log_append_seconds_sum'),
      await measured('vendue_cluster_beats_total'),
    ]
    await bid(auction, 'bid_00000001', '10')
    expect(await measured('vendue_shared_log_append_seconds_count')).to.equal(appends + 1)
    expect(await measured('vendue_shared_log_append_seconds_sum')).to.be.at.least(seconds)
    await cluster.time.advance(10_000)
    expect(await measured('vendue_cluster_beats_total')).to.be.within(beats + 8, beats + 12)
  })

  it('are calls that the log did not answer', async () => {
    const before = await measured('vendue_shared_log_failures_total')
    onCall = () => {
      throw new SharedLogError('LOG_UNREACHABLE', 'the log cannot be reached')
    }
    await cluster.time.advance(2_000)
    expect(await measured('vendue_shared_log_failures_total')).to.be.greaterThan(before)
  })

  it('are the auctions that it takes over, one by one', async () => {
    for (let i = 1; i <= 3; i++) await openInYen(other, { commandId: `cmd_open000${i}` })
    other.crash()
    cluster.nodes.splice(cluster.nodes.indexOf(other), 1)
    await cluster.time.advance(5_000)
    expect(await measured('vendue_takeovers_total')).to.equal(3)
    expect(await measured('vendue_shared_log_conflicts_total')).to.equal(0)
  })

  it('are the appends that another writer was before', async () => {
    const auctionId = await openInYen(home)
    await bid(auctionId, 'bid_00000001', '10')
    // It has the auction in memory, and hears nothing of the takeover but from the log.
    cluster.network.cut(other.info.address, home.info.address)
    home.time.stall()
    await cluster.time.advance(5_000)
    const bidder = { id: 'usr_zed', name: 'Zed' }
    const command = {
      type: 'PlaceBid',
      auctionId,
      commandId: 'bid_late0001',
      kind: 'plain',
      amount: 90,
      bidder,
    } as const
    const late = new Promise<SubmitResult>((settle) => {
      home.services.parts.auctionHouse.enqueue({ command, settle })
    })
    home.time.resume()
    expect(await cluster.soon(late)).to.include({ code: 'NOT_HOME' })
    expect(await measured('vendue_shared_log_conflicts_total')).to.equal(1)
  })

  it('are the commits that it puts back into a log that has lost them', async () => {
    const auction = await openInYen(home, { closesAt: cluster.time.now() + 600_000 })
    const backup = cluster.log.snapshot()
    await bid(auction, 'bid_00000001', '10')
    await cluster.soon(home.api.extend({ auction, commandId: 'cmd_extend01', addedMs: 60_000 }))
    cluster.log.restore(backup)
    await cluster.time.advance(5_000)
    expect(await measured('vendue_shared_log_healed_total')).to.equal(2)
  })
})
