import { expect } from 'chai'
import { BOB } from '../support/auction-scenario.js'
import { CommitBuilder } from '../support/commit-builder.js'
import { describeAuctionRepository } from './auction-repository-contract.js'
import { describeEventLog } from './event-log-contract.js'
import { describeHandoverRepository } from './handover-repository-contract.js'
import { describeOutcomeRepository } from './outcome-repository-contract.js'
import { describeSecretRepository } from './secret-repository-contract.js'
import { describeSmallRepositories } from './small-repositories-contract.js'
import { everythingOf, type StoreAdapter, type StoreHarness, withStore } from './store-harness.js'

/** Everything that every store promises, and what this one says that it can do. */
export function describeStore(adapter: StoreAdapter): void {
  describeEventLog(adapter)
  describeAuctionRepository(adapter)
  describeSecretRepository(adapter)
  describeOutcomeRepository(adapter)
  describeHandoverRepository(adapter)
  describeSmallRepositories(adapter)
  if (adapter.capabilities.durable) describeDurableStore(adapter)
}

function describeDurableStore(adapter: StoreAdapter): void {
  describe(`${adapter.name} store`, () => {
    let harness: StoreHarness
    withStore(adapter, (_, fresh) => {
      harness = fresh
    })

    it('holds what it held when it is closed and opened again, and goes on from there', async () => {
      const { store } = harness
      const auction = new CommitBuilder({ reserve: 30_000 })
      const entries = [auction.open(), auction.bids(3), auction.commit(auction.max(BOB, 90_000, 'bid_max'))]
      for (const entry of entries) await store.eventLog.append(entry)
      const before = await everythingOf(store, auction.auctionId, entries)
      const again = (await harness.reopen?.()) ?? store
      expect(again).not.to.equal(store)
      expect(await everythingOf(again, auction.auctionId, entries)).to.deep.equal(before)
      expect(await again.eventLog.append(auction.bids(1))).to.equal(entries.length + 1)
    })
  })
}
