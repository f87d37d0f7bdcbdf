import { expect } from 'chai'
import type { AuctionQuery } from '../../../src/ports/store/auction-repository.js'
import { ManualTime } from '../../support/manual-time.js'
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
})
