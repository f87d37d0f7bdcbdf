import { expect } from 'chai'
import type { Commit } from '../../../src/domain/commit.js'
import { MAX_CLOCK_DIFFERENCE_MS } from '../../../src/domain/limits.js'
import { T0 } from '../../support/auction-scenario.js'
import { LongAuction } from '../../support/long-auction.js'
import { ManualTime } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

describe('events that are dated ahead of the clock', () => {
  let opening: Commit
  let time: ManualTime
  let node: MemoryNode

  before(() => {
    opening = [...new LongAuction({ bids: 1, bidsPerCommit: 1 }).commits()][0] as Commit
  })

  afterEach(() => node.stop())

  async function offeredAt(now: number): Promise<{ stored: number; why: string | undefined }> {
    time = new ManualTime(now)
    const network = new MemoryNetwork()
    network.members.addHomeOf(opening)
    node = await new MemoryNode({ name: 'replica', network, time }).start()
    return offer()
  }

  async function offer(): Promise<{ stored: number; why: string | undefined }> {
    const { stored, refused } = await node.services.parts.replicator.ingest([opening])
    return { stored, why: refused[0]?.reason }
  }

  it('are taken as far as clocks may differ', async () => {
    expect(await offeredAt(T0 - MAX_CLOCK_DIFFERENCE_MS)).to.deep.equal({ stored: 1, why: undefined })
  })

  it('are refused beyond that, with both numbers, and taken once their time has come', async () => {
    const { stored, why } = await offeredAt(T0 - MAX_CLOCK_DIFFERENCE_MS - 1)
    expect(stored).to.equal(0)
    expect(why).to.contain("11 minutes ahead of this node's clock, 10 are allowed")
    expect((await node.api.list({})).auctions).to.have.length(0)
    await time.advance(1)
    expect(await offer()).to.deep.equal({ stored: 1, why: undefined })
    expect((await node.api.list({})).auctions).to.have.length(1)
  })

  it('hide nothing else of what the same peer brings', async () => {
    const { stored } = await offeredAt(T0 - 3_600_000)
    expect(stored).to.equal(0)
    const own = await node.api.open({ commandId: 'cmd_own_00001', title: 'Own', currency: 'EUR', start: '1' })
    expect((await node.api.list({})).auctions.map(({ auctionId }) => auctionId)).to.deep.equal([own.outcome.auctionId])
  })
})
