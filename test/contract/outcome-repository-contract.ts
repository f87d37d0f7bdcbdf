import { expect } from 'chai'
import type { RecordedOutcome } from '../../src/ports/store/outcome-repository.js'
import type { Store } from '../../src/ports/store/store.js'
import { ALICE, BOB, CAROL, T0 } from '../support/auction-scenario.js'
import { CommitBuilder } from '../support/commit-builder.js'
import { codeOf, type StoreAdapter, withStore } from './store-harness.js'

function rejected(commandId: string, minimum: number): RecordedOutcome {
  return {
    outcome: {
      status: 'rejected',
      commandId,
      auctionId: 'auc_any',
      at: T0,
      rejection: { code: 'BID_TOO_LOW', minimum, price: null },
    },
    fingerprint: `bid ünï ${minimum}`,
  }
}

/** What every store promises of outcomes. */
export function describeOutcomeRepository(adapter: StoreAdapter): void {
  describe(`${adapter.name} outcome repository`, () => {
    let store: Store
    withStore(adapter, (fresh) => {
      store = fresh
    })

    it('finds exactly what was recorded, among many ids', async () => {
      const recorded = Array.from({ length: 50 }, (_, i) => rejected(`bid_${i}`, i))
      await store.outcomes.record(recorded)
      const asked = ['bid_none', ...recorded.slice(10, 20).map(({ outcome }) => outcome.commandId)]
      const found = await store.outcomes.find(asked)
      expect([...found.values()]).to.have.deep.members(recorded.slice(10, 20))
      expect([...found.keys()]).to.have.members(asked.slice(1))
      expect((await store.outcomes.find([])).size).to.equal(0)
      await store.outcomes.record([])
    })

    it('finds outcomes that came with a commit, those of accepted bids of every kind included', async () => {
      const auction = new CommitBuilder({ buyNow: 50_000, reserve: 30_000 })
      const entries = [
        auction.open(),
        auction.commit(
          auction.bid(BOB, 8_000),
          auction.max(ALICE, 12_000),
          auction.max(BOB, 11_000),
          auction.max(ALICE, 15_000),
          { type: 'BuyNow', commandId: 'bid_buy', now: T0 + 100, bidder: CAROL },
        ),
      ]
      const refused = rejected('bid_low', 12_100)
      const last = entries[1] as (typeof entries)[number]
      await store.eventLog.append(entries[0] as (typeof entries)[number])
      await store.eventLog.append({ ...last, outcomes: [...(last.outcomes ?? []), refused] })
      const recorded = [...entries.flatMap(({ outcomes = [] }) => outcomes), refused]
      expect(recorded).to.have.length(7)
      const found = await store.outcomes.find(recorded.map(({ outcome }) => outcome.commandId))
      for (const one of recorded) expect(found.get(one.outcome.commandId)).to.deep.equal(one)
    })

    it('keeps an outcome that does not say what the event says as it was given', async () => {
      const auction = new CommitBuilder()
      await store.eventLog.append(auction.open())
      const entry = auction.bids(2)
      const outcomes = (entry.outcomes ?? []).map(({ outcome, fingerprint }) => {
        return { outcome: { ...outcome, at: outcome.at + 5 }, fingerprint }
      })
      await store.eventLog.append({ ...entry, outcomes })
      const found = await store.outcomes.find(outcomes.map(({ outcome }) => outcome.commandId))
      expect([...found.values()]).to.have.deep.members(outcomes)
    })

    it('keeps the first outcome of a command, whichever way it came', async () => {
      const auction = new CommitBuilder()
      await store.eventLog.append(auction.open())
      const entry = auction.commit(auction.bid(BOB, 8_000, 'bid_first'))
      await store.eventLog.append(entry)
      await store.outcomes.record([rejected('bid_first', 1), rejected('bid_new', 1)])
      await store.outcomes.record([rejected('bid_new', 2)])
      const found = await store.outcomes.find(['bid_first', 'bid_new'])
      expect(found.get('bid_first')).to.deep.equal(entry.outcomes?.[0])
      expect(found.get('bid_new')).to.deep.equal(rejected('bid_new', 1))
      const late = auction.commit(auction.bid(ALICE, 9_000, 'bid_new'))
      expect(await codeOf(store.eventLog.append(late))).to.equal('DUPLICATE_COMMAND')
    })
  })
}
