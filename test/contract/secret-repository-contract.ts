import { expect } from 'chai'
import type { Store } from '../../src/ports/store/store.js'
import { ALICE, BOB, CAROL, saltOf } from '../support/auction-scenario.js'
import { asReplica, CommitBuilder } from '../support/commit-builder.js'
import { type StoreAdapter, withStore } from './store-harness.js'

const HOME = 'node_home'

/** What every store promises of a home's secrets. */
export function describeSecretRepository(adapter: StoreAdapter): void {
  describe(`${adapter.name} secret repository`, () => {
    let store: Store
    withStore(adapter, (fresh) => {
      store = fresh
    })

    async function bidding(auction: CommitBuilder) {
      await store.eventLog.append(auction.open())
      const entry = auction.commit(
        auction.max(ALICE, 12_000, 'bid_1'),
        auction.max(BOB, 11_000, 'bid_2'),
        auction.max(CAROL, 20_000, 'bid_3'),
        auction.max(CAROL, 25_000, 'bid_4'),
      )
      await store.eventLog.append(entry)
      return entry.secret?.sealed ?? []
    }

    const ids = async (auction: CommitBuilder, limit = 10) =>
      (await store.secrets.sealed(auction.auctionId, limit)).map(({ bidId }) => bidId)

    it('keeps the reserve and the leading maximum as of the last commit', async () => {
      const auction = new CommitBuilder({ reserve: 30_000 })
      expect(await store.secrets.secrets('auc_unknown')).to.equal(null)
      await store.eventLog.append(auction.open())
      const reserve = { amount: 30_000, salt: saltOf('reserve') }
      expect(await store.secrets.secrets(auction.auctionId)).to.deep.equal({ reserve, leaderMax: null })
      await store.eventLog.append(auction.commit(auction.max(BOB, 9_000)))
      expect(await store.secrets.secrets(auction.auctionId)).to.deep.equal({ reserve, leaderMax: 9_000 })
      await store.eventLog.append(auction.commit(auction.bid(ALICE, 9_900)))
      expect(await store.secrets.secrets(auction.auctionId)).to.deep.equal({ reserve, leaderMax: 9_900 })
    })

    it('keeps sealed maxima whole, up to the limit asked for', async () => {
      const auction = new CommitBuilder()
      const sealed = await bidding(auction)
      expect(sealed).to.have.length(4)
      expect(await store.secrets.sealed(auction.auctionId, 10)).to.deep.equal(sealed)
      expect(await ids(auction, 2)).to.deep.equal(['bid_1', 'bid_2'])
      expect(await store.secrets.sealed('auc_unknown', 10)).to.deep.equal([])
    })

    it('gives back no more than what is still to be revealed, page by page', async () => {
      const auction = new CommitBuilder({ homeNodeId: HOME })
      const sealed = await bidding(auction)
      expect(await store.auctions.unrevealed(HOME)).to.deep.equal([])
      await store.eventLog.append(auction.commit(auction.close()))
      // Carol won with 25,000 at less: neither of her maxima set the price.
      expect(auction.state.price).to.be.lessThan(20_000)
      expect(await ids(auction)).to.deep.equal(['bid_1', 'bid_2'])
      expect(await store.auctions.unrevealed(HOME)).to.deep.equal([auction.auctionId])
      await store.eventLog.append(auction.commit(auction.reveal(...sealed.slice(0, 1))))
      expect(await ids(auction)).to.deep.equal(['bid_2'])
      expect(await store.auctions.unrevealed(HOME)).to.deep.equal([auction.auctionId])
      await store.eventLog.append(auction.commit(auction.reveal(...sealed.slice(1, 2))))
      expect(await ids(auction)).to.deep.equal([])
      expect(await store.auctions.unrevealed(HOME)).to.deep.equal([])
    })

    it('owes nothing where the closing commit reveals it all, those sealed by itself included', async () => {
      const auction = new CommitBuilder({ homeNodeId: HOME })
      const other = new CommitBuilder({ homeNodeId: HOME })
      const sealed = await bidding(auction)
      await store.eventLog.append(other.open())
      await store.eventLog.append(other.commit(other.max(BOB, 9_000), other.max(ALICE, 9_500), other.close()))
      const late = auction.max(BOB, 16_000, 'bid_5')
      const revealed = [...sealed, { bidId: 'bid_5', bidderId: BOB.id, amount: 16_000, salt: saltOf('bid_5') }]
      await store.eventLog.append(auction.commit(late, auction.close(), () => auction.reveal(...revealed)))
      expect(await store.auctions.unrevealed(HOME)).to.deep.equal([other.auctionId])
      expect(await store.auctions.unrevealed('node_other')).to.deep.equal([])
    })

    it("reveals a winner's maximum that set the price", async () => {
      const auction = new CommitBuilder({ homeNodeId: HOME })
      await store.eventLog.append(auction.open())
      await store.eventLog.append(
        auction.commit(auction.max(ALICE, 12_000, 'bid_1'), auction.max(BOB, 12_000, 'bid_2'), auction.close()),
      )
      expect(auction.state).to.include({ price: 12_000, leadingBidId: 'bid_1' })
      expect(await ids(auction)).to.deep.equal(['bid_1', 'bid_2'])
      const sealedOf = (bidId: string) => ({ bidId, bidderId: BOB.id, amount: 12_000, salt: saltOf(bidId) })
      await store.eventLog.append(auction.commit(auction.reveal(sealedOf('bid_2'))))
      expect(await ids(auction)).to.deep.equal(['bid_1'])
      expect(await store.auctions.unrevealed(HOME)).to.deep.equal([auction.auctionId])
    })

    it('reveals every maximum where nothing was sold', async () => {
      const auction = new CommitBuilder({ homeNodeId: HOME, reserve: 90_000 })
      await bidding(auction)
      await store.eventLog.append(auction.commit(auction.close()))
      expect(await ids(auction)).to.deep.equal(['bid_1', 'bid_2', 'bid_3', 'bid_4'])
    })

    it('has nothing on a replica', async () => {
      const auction = new CommitBuilder({ homeNodeId: HOME, reserve: 30_000 })
      const entries = [auction.open(), auction.commit(auction.max(BOB, 9_000, 'bid_r'))]
      entries.push(auction.commit(auction.close()))
      for (const entry of entries) await store.eventLog.append(asReplica(entry))
      expect(await store.secrets.secrets(auction.auctionId)).to.equal(null)
      expect(await ids(auction)).to.deep.equal([])
      expect(await store.auctions.unrevealed(HOME)).to.deep.equal([])
      expect((await store.outcomes.find(['bid_r', `cmd_open_${auction.tag}`])).size).to.equal(0)
      expect(await store.auctions.bids(auction.auctionId, null, 5)).to.have.length(1)
    })
  })
}
