import { expect } from 'chai'
import type { HandoverPage } from '../../src/ports/store/handover-repository.js'
import type { RecordedOutcome } from '../../src/ports/store/outcome-repository.js'
import type { Store } from '../../src/ports/store/store.js'
import { ALICE, BOB, CAROL, T0 } from '../support/auction-scenario.js'
import { asReplica, CommitBuilder } from '../support/commit-builder.js'
import { type StoreAdapter, withStore } from './store-harness.js'

/** What every store promises of what goes along with an auction to its next home. */
export function describeHandoverRepository(adapter: StoreAdapter): void {
  describe(`${adapter.name} handover repository`, () => {
    let from: Store
    let to: Store
    withStore(adapter, (fresh) => {
      from = fresh
    })
    withStore(adapter, (fresh) => {
      to = fresh
    })

    const refused = (auctionId: string, commandId: string): RecordedOutcome => ({
      outcome: { status: 'rejected', commandId, auctionId, at: T0, rejection: { code: 'OWN_AUCTION' } },
      fingerprint: `refused ${commandId}`,
    })
    const pages = async ({ handovers }: Store, auctionId: string, limit: number): Promise<HandoverPage[]> => {
      const all: HandoverPage[] = []
      let after: string | null = null
      do {
        const page: HandoverPage = await handovers.page(auctionId, after, limit)
        expect(page.outcomes.length + page.sealed.length).to.be.at.most(limit)
        all.push(page)
        after = page.next
      } while (after !== null)
      return all
    }
    /** An auction with bids of each kind and outcomes of each kind, at its home and at a replica. */
    const bidding = async () => {
      const auction = new CommitBuilder({ reserve: 30_000 })
      const other = new CommitBuilder()
      const entries = [
        auction.open(),
        auction.commit(auction.bid(BOB, 8_000, 'bid_1'), auction.max(ALICE, 12_000, 'bid_2')),
        auction.commit(auction.max(CAROL, 20_000, 'bid_3'), auction.bid(BOB, 12_500, 'bid_4')),
      ]
      for (const entry of entries) await from.eventLog.append(entry)
      const lost = Array.from({ length: 5 }, (_, i) => refused(auction.auctionId, `bid_lost${i}`))
      await from.outcomes.record(lost)
      await from.eventLog.append(other.open())
      await from.eventLog.append(other.commit(other.max(BOB, 9_000, 'bid_other')))
      for (const entry of entries) await to.eventLog.append(asReplica(entry))
      const outcomes = [...entries.flatMap((entry) => entry.outcomes ?? []), ...lost]
      const sealed = entries.flatMap(({ secret }) => secret?.sealed ?? [])
      return { auction, outcomes, sealed, secrets: await from.secrets.secrets(auction.auctionId) }
    }

    for (const limit of [1, 2, 3, 100]) {
      it(`hands out each outcome and each maximum of one auction once, in pages of ${limit}`, async () => {
        const { auction, outcomes, sealed } = await bidding()
        const all = await pages(from, auction.auctionId, limit)
        expect(all.flatMap((page) => page.outcomes)).to.have.deep.members(outcomes)
        expect(all.flatMap((page) => page.sealed)).to.have.deep.members(sealed)
      })
    }

    it('has nothing of an auction that is not known, or that is a replica', async () => {
      const { auction } = await bidding()
      expect(await pages(to, auction.auctionId, 10)).to.satisfy((all: HandoverPage[]) =>
        all.every(({ outcomes, sealed }) => outcomes.length + sealed.length === 0),
      )
      expect((await pages(from, 'auc_unknown', 10)).flatMap(({ outcomes }) => outcomes)).to.deep.equal([])
    })

    it('keeps what is sent as if it had always been here, and hands it on', async () => {
      const { auction, outcomes, sealed, secrets } = await bidding()
      const { auctionId } = auction
      for (const page of await pages(from, auctionId, 3)) await to.handovers.keep(auctionId, { ...page, secrets: null })
      expect(await to.secrets.secrets(auctionId)).to.equal(null)
      await to.handovers.keep(auctionId, { outcomes: [], sealed: [], secrets })
      expect(await to.secrets.secrets(auctionId)).to.deep.equal(secrets)
      expect(await to.secrets.sealed(auctionId, 10)).to.have.deep.members(sealed)
      const ids = outcomes.map(({ outcome }) => outcome.commandId)
      expect([...(await to.outcomes.find(ids)).values()]).to.have.deep.members(outcomes)
      const handedOn = (await pages(to, auctionId, 4)).flatMap((page) => page.outcomes)
      expect(handedOn).to.have.deep.members(outcomes)
    })

    it('keeps the first outcome of a command, and the newest maxima and secrets', async () => {
      const { auction, sealed } = await bidding()
      const { auctionId } = auction
      const parcel = (code: 'OWN_AUCTION' | 'NO_BUY_NOW', amount: number) => ({
        outcomes: [{ ...refused(auctionId, 'bid_new'), fingerprint: code }],
        sealed: sealed.slice(0, 1).map((maximum) => ({ ...maximum, amount })),
        secrets: { reserve: null, leaderMax: amount },
      })
      await to.handovers.keep(auctionId, parcel('OWN_AUCTION', 1))
      await to.handovers.keep(auctionId, parcel('NO_BUY_NOW', 2))
      expect((await to.outcomes.find(['bid_new'])).get('bid_new')?.fingerprint).to.equal('OWN_AUCTION')
      expect((await to.secrets.sealed(auctionId, 10)).map(({ amount }) => amount)).to.deep.equal([2])
      expect((await to.secrets.secrets(auctionId))?.leaderMax).to.equal(2)
    })

    it('keeps what was accepted of an auction although its id was refused in another one before', async () => {
      const { auction, outcomes } = await bidding()
      const accepted = outcomes.find(({ outcome }) => outcome.status === 'accepted') as RecordedOutcome
      const { commandId } = accepted.outcome
      await to.outcomes.record([refused('auc_other', commandId)])
      const parcel = { outcomes: [accepted], sealed: [], secrets: null }
      await to.handovers.keep(auction.auctionId, parcel)
      expect((await to.outcomes.find([commandId])).get(commandId)).to.deep.equal(accepted)
      await to.handovers.keep(auction.auctionId, {
        ...parcel,
        outcomes: [refused('auc_other', commandId)],
      })
      expect((await to.outcomes.find([commandId])).get(commandId)).to.deep.equal(accepted)
    })

    it('refuses secrets of an auction whose opening is not stored', async () => {
      const parcel = { outcomes: [], sealed: [], secrets: { reserve: null, leaderMax: 5 } }
      const error = await to.handovers.keep('auc_unknown', parcel).catch((reason: unknown) => reason)
      expect(error).to.be.instanceOf(Error)
    })
  })
}
