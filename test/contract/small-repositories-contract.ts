import { expect } from 'chai'
import type { AutoBid } from '../../src/ports/auto-bid-repository.js'
import type { KnownPeer } from '../../src/ports/peer-repository.js'
import type { Store } from '../../src/ports/store.js'
import type { MakeStore, StoreHarness } from './store-harness.js'

/** What every store promises of auto-bids, participations and peers. */
export function describeSmallRepositories(name: string, make: MakeStore): void {
  describe(`${name} repositories of a node's own`, () => {
    let harness: StoreHarness
    let store: Store

    beforeEach(async () => {
      harness = await make()
      store = harness.store
    })

    afterEach(() => harness.dispose())

    it('keep one auto-bid an auction, the last one saved', async () => {
      const autoBid: AutoBid = {
        ...{ auctionId: 'auc_b', limit: 10_000, state: 'active', updatedAt: 1 },
        pending: { bidId: 'bid_1', amount: 8_000 },
      }
      const other: AutoBid = { ...autoBid, auctionId: 'auc_a', pending: null }
      await store.autoBids.save(autoBid)
      await store.autoBids.save(other)
      expect(await store.autoBids.find('auc_b')).to.deep.equal(autoBid)
      expect(await store.autoBids.find('auc_c')).to.equal(null)
      const changed: AutoBid = { ...autoBid, state: 'outbid', pending: null, updatedAt: 2 }
      await store.autoBids.save(changed)
      expect(await store.autoBids.find('auc_b')).to.deep.equal(changed)
      expect(await store.autoBids.list()).to.deep.equal([other, changed])
    })

    it('remember the auctions that the user took part in', async () => {
      await store.participations.add('auc_a')
      await Promise.all([store.participations.add('auc_a'), store.participations.add('auc_b')])
      const among = await store.participations.among(['auc_b', 'auc_c', 'auc_a'])
      expect([...among].sort()).to.deep.equal(['auc_a', 'auc_b'])
      expect((await store.participations.among([])).size).to.equal(0)
    })

    it('remember peers, those seen last first', async () => {
      const peer = (id: string, lastSeenAt: number): KnownPeer => ({
        ...{ nodeId: id, name: `${id} 🏺`, publicKey: 'key', address: '127.0.0.1:1', lastSeenAt },
        dhtAddress: null,
      })
      for (const one of [peer('a', 1), peer('b', 3), peer('c', 2)]) await store.peers.save(one)
      expect(await store.peers.list(2)).to.deep.equal([peer('b', 3), peer('c', 2)])
      const moved = { ...peer('a', 9), address: '127.0.0.1:2', dhtAddress: '127.0.0.1:3' }
      await store.peers.save(moved)
      expect(await store.peers.list(9)).to.deep.equal([moved, peer('b', 3), peer('c', 2)])
    })
  })
}
