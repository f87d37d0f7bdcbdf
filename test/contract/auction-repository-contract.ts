import { expect } from 'chai'
import { endingCursor, newestCursor } from '../../src/application/log/list-order.js'
import type { AuctionPhase } from '../../src/domain/auction.js'
import type { Store } from '../../src/ports/store/store.js'
import { ALICE, BOB, CAROL, HOUR, MINUTE, T0 } from '../support/auction-scenario.js'
import { asReplica, CommitBuilder } from '../support/commit-builder.js'
import { type StoreAdapter, withStore } from './store-harness.js'

const HOME = 'node_home'

/** What every store's read models promise. */
export function describeAuctionRepository(adapter: StoreAdapter): void {
  describe(`${adapter.name} auction repository`, () => {
    let store: Store
    withStore(adapter, (fresh) => {
      store = fresh
    })

    it('finds an auction as of its last commit', async () => {
      const auction = new CommitBuilder({ description: 'A vase', closesAt: T0 + HOUR })
      await store.eventLog.append(auction.open())
      const { auctionId } = auction
      expect(await store.auctions.find(auctionId)).to.deep.equal({
        auctionId,
        head: auction.head,
        state: auction.state,
      })
      await store.eventLog.append(auction.bids(3))
      expect(await store.auctions.find(auctionId)).to.deep.equal({
        auctionId,
        head: auction.head,
        state: auction.state,
      })
      expect(await store.auctions.find('auc_unknown')).to.equal(null)
    })

    it('finds ids by prefix', async () => {
      const auctions = Array.from({ length: 4 }, () => new CommitBuilder())
      for (const auction of auctions) await store.eventLog.append(auction.open())
      const ids = auctions.map(({ auctionId }) => auctionId).sort()
      const first = ids[0] as string
      expect(await store.auctions.idsByPrefix('auc_', 10)).to.deep.equal(ids)
      expect(await store.auctions.idsByPrefix('', 2)).to.deep.equal(ids.slice(0, 2))
      expect(await store.auctions.idsByPrefix(first, 2)).to.deep.equal([first])
      expect(await store.auctions.idsByPrefix(first.slice(0, 16), 2)).to.deep.equal([first])
      expect(await store.auctions.idsByPrefix('auc_%', 2)).to.deep.equal([])
      expect(await store.auctions.idsByPrefix(`${first}0`, 2)).to.deep.equal([])
    })

    it('lists newest first, page after page, with nothing twice and nothing missed', async () => {
      const auctions = Array.from({ length: 7 }, (_, i) => new CommitBuilder({ openedAt: T0 + Math.floor(i / 2) }))
      for (const auction of auctions) await store.eventLog.append(auction.open())
      const expected = auctions
        .map(({ auctionId, state }) => ({ auctionId, openedAt: state.openedAt }))
        .sort((a, b) => b.openedAt - a.openedAt || (a.auctionId < b.auctionId ? 1 : -1))
        .map(({ auctionId }) => auctionId)
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<Store['auctions']['list']>> = await store.auctions.list({
          limit: 3,
          now: T0,
          ...(cursor === null ? {} : { cursor }),
        })
        seen.push(...page.auctions.map(({ auctionId }) => auctionId))
        cursor = page.next
      } while (cursor !== null)
      expect(seen).to.deep.equal(expected)
      expect((await store.auctions.list({ now: T0, limit: 7 })).next).to.equal(null)
    })

    it('lists by status and by part of the title in any case', async () => {
      const open = new CommitBuilder({ title: 'Ming VASE', openedAt: T0 + 1 })
      const scheduled = new CommitBuilder({ title: 'Clock', opensAt: T0 + HOUR, openedAt: T0 + 2 })
      const closed = new CommitBuilder({ title: 'Árbol 100%', openedAt: T0 + 3 })
      for (const auction of [open, scheduled, closed]) await store.eventLog.append(auction.open())
      await store.eventLog.append(closed.commit(closed.close()))
      const ids = async (query: { statuses?: ('open' | 'scheduled' | 'closed')[]; text?: string }) =>
        (await store.auctions.list({ now: T0, limit: 10, ...query })).auctions.map(({ auctionId }) => auctionId)
      expect(await ids({ statuses: ['open'] })).to.deep.equal([open.auctionId])
      expect(await ids({ statuses: ['open', 'closed'] })).to.deep.equal([closed.auctionId, open.auctionId])
      expect(await ids({ statuses: ['open', 'open'] })).to.deep.equal([open.auctionId])
      expect(await ids({ statuses: [] })).to.deep.equal([])
      expect(await ids({ text: 'vase' })).to.deep.equal([open.auctionId])
      expect(await ids({ text: 'áRBOL' })).to.deep.equal([closed.auctionId])
      expect(await ids({ text: '0%' })).to.deep.equal([closed.auctionId])
      expect(await ids({ text: 'a' })).to.include(open.auctionId)
      expect(await ids({ text: '"' })).to.deep.equal([])
      expect(await ids({ text: 'vase" OR "a' })).to.deep.equal([])
      expect(await ids({ text: 'cl', statuses: ['open'] })).to.deep.equal([])
      const page = await store.auctions.list({ now: T0, limit: 1, statuses: ['open', 'closed'] })
      const cursor = newestCursor({ openedAt: T0 + 3, auctionId: closed.auctionId })
      expect(page.next).to.equal(cursor)
      const rest = await store.auctions.list({
        now: T0,
        limit: 1,
        statuses: ['open', 'closed'],
        cursor,
      })
      expect(rest.auctions.map(({ auctionId }) => auctionId)).to.deep.equal([open.auctionId])
      expect(rest.next).to.equal(null)
    })

    it('lists what a party sells and what it has bid on, and keeps both apart', async () => {
      const [first, second, third] = [1, 2, 3].map((i) => new CommitBuilder({ openedAt: T0 + i })) as [
        CommitBuilder,
        CommitBuilder,
        CommitBuilder,
      ]
      for (const auction of [first, second, third]) await store.eventLog.append(auction.open())
      await store.eventLog.append(first.bids(4))
      await store.eventLog.append(third.bids(1))
      await store.eventLog.append(third.commit(third.close()))
      const seller = first.state.seller.id
      const bidder = (await store.auctions.bids(third.auctionId, null, 1))[0]?.bidder.id as string
      const ids = async (query: Partial<Parameters<Store['auctions']['list']>[0]>) =>
        (await store.auctions.list({ now: T0, limit: 10, ...query })).auctions.map(({ auctionId }) => auctionId)
      expect(await ids({ bidder })).to.deep.equal([third.auctionId, first.auctionId])
      expect(
        await ids({ bidder, cursor: newestCursor({ openedAt: T0 + 3, auctionId: third.auctionId }) }),
      ).to.deep.equal([first.auctionId])
      expect(await ids({ bidder, statuses: ['closed'] })).to.deep.equal([third.auctionId])
      expect(await ids({ bidder: seller })).to.deep.equal([])
      expect(await ids({ seller })).to.deep.equal([third.auctionId, second.auctionId, first.auctionId])
      expect(await ids({ seller: bidder })).to.deep.equal([])
      const all = [first, second, third].map(({ auctionId }) => auctionId)
      expect(await store.auctions.bidOnBy(bidder, all)).to.deep.equal(new Set([first.auctionId, third.auctionId]))
      expect(await store.auctions.bidOnBy(seller, all)).to.deep.equal(new Set())
    })

    it('lists the open auctions that end soonest, page after page', async () => {
      const ending = [3, 1, 2, 1].map((hours) => new CommitBuilder({ closesAt: T0 + hours * HOUR }))
      const others = [new CommitBuilder(), new CommitBuilder({ opensAt: T0 + MINUTE, closesAt: T0 + HOUR })]
      for (const auction of [...ending, ...others]) await store.eventLog.append(auction.open())
      const expected = ending
        .map(({ auctionId, state }) => ({ auctionId, closesAt: state.closesAt ?? 0 }))
        .sort((a, b) => a.closesAt - b.closesAt || (a.auctionId < b.auctionId ? -1 : 1))
        .map(({ auctionId }) => auctionId)
      const page = await store.auctions.list({ now: T0, limit: 3, sort: 'ending' })
      const rest = await store.auctions.list({
        now: T0,
        limit: 3,
        sort: 'ending',
        cursor: page.next as string,
      })
      const seen = [...page.auctions, ...rest.auctions].map(({ auctionId }) => auctionId)
      expect(seen).to.deep.equal(expected)
      expect(rest.next).to.equal(null)
    })

    it('lists auctions that have ended and wait for their homes behind those whose end is ahead, and goes on whatever the clock does', async () => {
      const [ended, soon, later] = [1, 2, 3].map((hours) => new CommitBuilder({ closesAt: T0 + hours * HOUR })) as [
        CommitBuilder,
        CommitBuilder,
        CommitBuilder,
      ]
      const longEnded = new CommitBuilder({ closesAt: T0 + MINUTE })
      for (const auction of [later, ended, soon, longEnded]) await store.eventLog.append(auction.open())
      const now = T0 + HOUR
      const ids = ({ auctions }: { auctions: readonly { auctionId: string }[] }) =>
        auctions.map(({ auctionId }) => auctionId)
      const expected = [soon, later, longEnded, ended].map(({ auctionId }) => auctionId)
      expect(ids(await store.auctions.list({ now, limit: 9, sort: 'ending' }))).to.deep.equal(expected)

      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<Store['auctions']['list']>> = await store.auctions.list({
          now,
          limit: 1,
          sort: 'ending',
          ...(cursor === null ? {} : { cursor }),
        })
        seen.push(...ids(page))
        cursor = page.next
      } while (cursor !== null)
      expect(seen).to.deep.equal(expected)

      // The first page's auction ends, or is closed, before the second is asked for.
      const first = await store.auctions.list({ now, limit: 1, sort: 'ending' })
      await store.eventLog.append(soon.commit(soon.close()))
      const next = first.next as string
      const rest = await store.auctions.list({ now: T0 + 2 * HOUR, limit: 9, sort: 'ending', cursor: next })
      expect(ids(rest)).to.deep.equal([later, longEnded, ended].map(({ auctionId }) => auctionId))
    })

    it('counts an open auction as ended from its end on, and a scheduled one whose home was away for all of it', async () => {
      const open = new CommitBuilder({ closesAt: T0 + HOUR, openedAt: T0 + 1 })
      const byHand = new CommitBuilder({ openedAt: T0 + 2 })
      const missed = new CommitBuilder({ opensAt: T0 + MINUTE, closesAt: T0 + HOUR, openedAt: T0 + 3 })
      const late = new CommitBuilder({ opensAt: T0 + MINUTE, openedAt: T0 + 4 })
      for (const auction of [open, byHand, missed, late]) await store.eventLog.append(auction.open())
      const ids = async (statuses: AuctionPhase[], now: number) =>
        (await store.auctions.list({ now, limit: 9, statuses })).auctions.map(({ auctionId }) => auctionId)
      expect(await ids(['ended'], T0 + HOUR - 1)).to.deep.equal([])
      expect(await ids(['open'], T0 + HOUR - 1)).to.deep.equal([byHand.auctionId, open.auctionId])
      expect(await ids(['ended'], T0 + HOUR)).to.deep.equal([missed.auctionId, open.auctionId])
      expect(await ids(['open'], T0 + HOUR)).to.deep.equal([byHand.auctionId])
      expect(await ids(['scheduled'], T0 + HOUR)).to.deep.equal([late.auctionId])
      expect(await ids(['open', 'ended', 'scheduled'], T0 + HOUR)).to.have.length(4)
    })

    it('goes on from where a page ended when its last auction has been sold, extended or is not known', async () => {
      const [first, sold, extended, last] = [1, 2, 3, 4].map(
        (hours) => new CommitBuilder({ closesAt: T0 + hours * HOUR }),
      ) as [CommitBuilder, CommitBuilder, CommitBuilder, CommitBuilder]
      for (const auction of [first, sold, extended, last]) await store.eventLog.append(auction.open())
      const page = (limit: number, cursor: string | null = null) =>
        store.auctions.list({ now: T0, limit, sort: 'ending', ...(cursor !== null && { cursor }) })
      const rest = async (cursor: string | null) => (await page(10, cursor)).auctions.map(({ auctionId }) => auctionId)
      const [afterSold, afterExtended] = [(await page(2)).next, (await page(3)).next]
      await store.eventLog.append(sold.commit(sold.close()))
      expect(await rest(afterSold)).to.deep.equal([extended.auctionId, last.auctionId])
      await store.eventLog.append(extended.commit(extended.extend(T0 + 5 * HOUR)))
      expect(await rest(afterExtended)).to.deep.equal([last.auctionId, extended.auctionId])
      const unknown = endingCursor({ group: 'ahead', closesAt: T0 + 3 * HOUR, auctionId: 'auc_unknown' })
      expect(await rest(unknown)).to.deep.equal([last.auctionId, extended.auctionId])
    })

    it('refuses a cursor that no page of a list in this order gave', async () => {
      const newest = newestCursor({ openedAt: T0, auctionId: 'auc_1' })
      const ending = endingCursor({ group: 'ahead', closesAt: T0, auctionId: 'auc_1' })
      for (const [sort, cursor] of [
        ...(['newest', 'ending'] as const).map((sort) => [sort, 'auc_unknown'] as const),
        ['newest', ending],
        ['ending', newest],
      ] as const) {
        const refused = await store.auctions.list({ now: T0, limit: 1, sort, cursor }).catch((error) => error)
        expect(refused, `${sort} ${cursor}`).to.be.instanceOf(RangeError)
      }
    })

    it('lists what is due at this home, soonest first', async () => {
      const ends = new CommitBuilder({ homeNodeId: HOME, closesAt: T0 + 2 * HOUR })
      const opens = new CommitBuilder({ homeNodeId: HOME, opensAt: T0 + HOUR, closesAt: T0 + 3 * HOUR })
      const byHand = new CommitBuilder({ homeNodeId: HOME })
      const elsewhere = new CommitBuilder({ closesAt: T0 + HOUR })
      const over = new CommitBuilder({ homeNodeId: HOME, closesAt: T0 + HOUR })
      for (const auction of [ends, opens, byHand, elsewhere, over]) {
        await store.eventLog.append(auction.open())
      }
      await store.eventLog.append(over.commit(over.close()))
      const due = [
        { auctionId: opens.auctionId, dueAt: T0 + HOUR },
        { auctionId: ends.auctionId, dueAt: T0 + 2 * HOUR },
      ]
      expect(await store.auctions.due(HOME)).to.deep.equal(due)
      await store.eventLog.append(opens.commit({ type: 'StartAuction', now: T0 + HOUR }))
      expect(await store.auctions.due(HOME)).to.deep.equal([
        due[1],
        { auctionId: opens.auctionId, dueAt: T0 + 3 * HOUR },
      ])
      await store.eventLog.append(
        ends.commit({
          type: 'ExtendAuction',
          commandId: 'cmd_x',
          now: T0 + 1,
          by: ends.state.seller,
          closesAt: T0 + 4 * HOUR,
        }),
      )
      expect((await store.auctions.due(HOME)).at(-1)).to.deep.equal({
        auctionId: ends.auctionId,
        dueAt: T0 + 4 * HOUR,
      })
    })

    it('counts auctions by status, and bids', async () => {
      expect(await store.auctions.counts()).to.deep.equal({
        auctions: { scheduled: 0, open: 0, closed: 0, cancelled: 0 },
        bids: 0,
      })
      const [a, b, c] = [new CommitBuilder(), new CommitBuilder(), new CommitBuilder()]
      const later = new CommitBuilder({ opensAt: T0 + MINUTE })
      for (const auction of [a, b, c, later]) await store.eventLog.append(auction.open())
      await Promise.all([a.bids(3), b.bids(2), a.bids(4)].map((entry) => store.eventLog.append(entry)))
      await store.eventLog.append(a.commit(a.close()))
      const { seller: by } = c.state
      const reason = 'broken'
      await store.eventLog.append(c.commit({ type: 'CancelAuction', commandId: 'cmd_c', now: T0 + 1, by, reason }))
      expect(await store.auctions.counts()).to.deep.equal({
        auctions: { scheduled: 1, open: 1, closed: 1, cancelled: 1 },
        bids: 9,
      })
    })

    it('counts the auctions of a home that are not over', async () => {
      expect(await store.auctions.liveOf(HOME)).to.equal(0)
      const [open, over] = [new CommitBuilder(), new CommitBuilder()]
      const later = new CommitBuilder({ opensAt: T0 + MINUTE })
      for (const auction of [open, over, later]) await store.eventLog.append(auction.open())
      await store.eventLog.append(over.commit(over.close()))
      const homeOf = open.state.home.nodeId
      expect(await store.auctions.liveOf(homeOf)).to.equal(2)
      expect(await store.auctions.liveOf(`${homeOf}x`)).to.equal(0)
    })

    it('lists the bids of an auction, newest first, with amounts only where they are public', async () => {
      const auction = new CommitBuilder({ buyNow: 50_000, reserve: 30_000 })
      await store.eventLog.append(auction.open())
      await store.eventLog.append(
        auction.commit(
          auction.bid(BOB, 8_000),
          auction.max(ALICE, 12_000, 'bid_alice'),
          auction.max(BOB, 11_000, 'bid_bob'),
          auction.max(ALICE, 15_000, 'bid_change'),
          { type: 'BuyNow', commandId: 'bid_buy', now: T0 + 100, bidder: CAROL },
        ),
      )
      const bids = await store.auctions.bids(auction.auctionId, null, 10)
      const told = bids.map(({ bidId, seq, kind, amount, price, leads, bidder }) => {
        return [bidId, seq, kind, amount, price, leads, bidder.name]
      })
      const first = `bid_${auction.tag}_00000001`
      expect(told).to.deep.equal([
        ['bid_buy', 6, 'buy-now', 50_000, 50_000, true, 'Carol'],
        ['bid_change', 5, 'max-change', null, 11_100, true, 'Alice'],
        ['bid_bob', 4, 'max', null, 11_100, false, 'Bob'],
        ['bid_alice', 3, 'max', null, 8_100, true, 'Alice'],
        [first, 2, 'plain', 8_000, 8_000, true, 'Bob'],
      ])
      expect(bids.every(({ auctionId }) => auctionId === auction.auctionId)).to.equal(true)
      expect(bids.at(-1)?.at).to.equal(T0 + 1)
      const seqs = async (beforeSeq: number | null, limit: number) =>
        (await store.auctions.bids(auction.auctionId, beforeSeq, limit)).map(({ seq }) => seq)
      expect(await seqs(null, 2)).to.deep.equal([6, 5])
      expect(await seqs(5, 2)).to.deep.equal([4, 3])
      expect(await seqs(2, 2)).to.deep.equal([])
      expect(await store.auctions.bids('auc_unknown', null, 5)).to.deep.equal([])
    })

    for (const role of ['home', 'replica'] as const) {
      it(`fills in amounts as they are revealed, at a ${role}`, async () => {
        const auction = new CommitBuilder()
        const entries = [
          auction.open(),
          auction.commit(auction.max(ALICE, 12_000, 'bid_a'), auction.max(BOB, 11_000, 'bid_b')),
        ]
        const sealed = entries[1]?.secret?.sealed ?? []
        entries.push(auction.commit(auction.close(), () => auction.reveal(...sealed)))
        for (const entry of entries) {
          await store.eventLog.append(role === 'home' ? entry : asReplica(entry))
        }
        const bids = await store.auctions.bids(auction.auctionId, null, 10)
        // The winner's maximum above the hammer price stays the winner's secret.
        expect(bids.map(({ bidId, amount }) => [bidId, amount])).to.deep.equal([
          ['bid_b', 11_000],
          ['bid_a', null],
        ])
      })
    }

    it('keeps bids apart where two auctions of a replica use the same bid id', async () => {
      const [a, b] = [new CommitBuilder(), new CommitBuilder()]
      const entries = [a, b].flatMap((auction, i) => [
        auction.open(),
        auction.commit(
          auction.max(ALICE, 12_000 + i, 'bid_same'),
          auction.bid(BOB, 8_000 + i, 'bid_plain'),
          auction.max(BOB, 20_000 + i, `bid_top_${i}`),
        ),
      ])
      const sealed = entries[3]?.secret?.sealed.filter(({ bidId }) => bidId === 'bid_same') ?? []
      entries.push(b.commit(b.close(), () => b.reveal(...sealed)))
      for (const entry of entries) await store.eventLog.append(asReplica(entry))
      const amounts = async (auction: CommitBuilder) =>
        (await store.auctions.bids(auction.auctionId, null, 10)).map(({ amount }) => amount)
      expect(await amounts(a)).to.deep.equal([null, 8_000, null])
      expect(await amounts(b)).to.deep.equal([null, 8_001, 12_001])
    })
  })
}
