import { expect } from 'chai'
import type { AuctionQuery } from '../../../src/ports/store/auction-repository.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

describe('the list of auctions', () => {
  it('hides none for one that cannot be shown', async () => {
    const store = openMemoryStore()
    const network = new MemoryNetwork()
    const node = await new MemoryNode({ name: 'home', network, time: new ManualTime(), store }).start()
    try {
      const opened: string[] = []
      for (const id of ['1', '2', '3']) {
        const terms = { title: `Lot ${id}`, currency: 'EUR', start: '1' }
        const { outcome } = await node.api.open({ ...terms, commandId: `cmd_unshown_${id}` })
        opened.push(outcome.auctionId)
      }
      const broken = opened[1]
      const list = store.auctions.list.bind(store.auctions)
      store.auctions.list = async (query: AuctionQuery) => {
        const { auctions, next } = await list(query)
        const spoil = { terms: undefined as never }
        return {
          next,
          auctions: auctions.map((record) =>
            record.auctionId === broken ? { ...record, state: { ...record.state, ...spoil } } : record,
          ),
        }
      }
      const { auctions } = await node.api.list({})
      expect(auctions.map(({ auctionId }) => auctionId).sort()).to.deep.equal(
        opened.filter((auctionId) => auctionId !== broken).sort(),
      )
    } finally {
      await node.stop()
    }
  })

  it('calls nobody outbid where nobody has bid, or before somebody leads', async () => {
    const [store, network, time] = [openMemoryStore(), new MemoryNetwork(), new ManualTime()]
    const home = await new MemoryNode({ name: 'home', network, time }).start()
    const joined = await new MemoryNode({ name: 'joined', network, time, store }).start()
    try {
      await settle()
      const terms = { title: 'Lot', currency: 'EUR', start: '1' }
      const { outcome } = await home.api.open({ ...terms, commandId: 'cmd_nobody_bid' })
      await settle()
      const mine = async () => (await joined.api.show({ auction: outcome.auctionId })).mine
      expect(await mine()).to.equal(null)
      await store.participations.add(outcome.auctionId)
      expect(await mine()).to.equal(null)
      const other = await new MemoryNode({ name: 'other', network, time }).start()
      await settle()
      await other.api.bid({ auction: outcome.auctionId, commandId: 'bid_first', kind: 'plain', amount: '1' })
      await settle()
      expect(await mine()).to.equal('outbid')
      await other.stop()
    } finally {
      await joined.stop()
      await home.stop()
    }
  })
})
