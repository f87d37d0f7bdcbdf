import { expect } from 'chai'
import type { Commit } from '../../src/domain/commit.js'
import type { AutoBid } from '../../src/ports/store/auto-bid-repository.js'
import type { KnownPeer } from '../../src/ports/store/peer-repository.js'
import type { SignedReceipts } from '../../src/ports/store/receipt-repository.js'
import type { Store } from '../../src/ports/store/store.js'
import { type StoreAdapter, withStore } from './store-harness.js'

/** What every store promises of auto-bids, participations and peers. */
export function describeSmallRepositories(adapter: StoreAdapter): void {
  describe(`${adapter.name} repositories of a node's own`, () => {
    let store: Store
    withStore(adapter, (fresh) => {
      store = fresh
    })

    it('keep one auto-bid an auction, the last one saved', async () => {
      const autoBid: AutoBid = {
        auctionId: 'auc_b',
        limit: 10_000,
        state: 'active',
        refusal: null,
        updatedAt: 1,
        pending: { bidId: 'bid_1', amount: 8_000 },
      }
      const other: AutoBid = { ...autoBid, auctionId: 'auc_a', pending: null }
      await store.autoBids.save(autoBid)
      await store.autoBids.save(other)
      expect(await store.autoBids.find('auc_b')).to.deep.equal(autoBid)
      expect(await store.autoBids.find('auc_c')).to.equal(null)
      const changed: AutoBid = {
        ...autoBid,
        state: 'refused',
        refusal: 'OWN_AUCTION',
        pending: null,
        updatedAt: 2,
      }
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

    it('keep receipts as they were signed, in order and by auction', async () => {
      const signed = (...auctionIds: string[]): SignedReceipts => ({
        home: { nodeId: 'node_a', publicKey: 'key' },
        signedAt: 7,
        signature: 'signature 🏺',
        receipts: auctionIds.map((auctionId, i) => ({
          command: { type: 'CloseAuction', auctionId, commandId: `cmd_${i}`, by: { id: 'node_b', name: 'b' } },
          outcome: { status: 'accepted', commandId: `cmd_${i}`, auctionId, seq: i, at: 1 },
        })),
      })
      const all = [signed('auc_a', 'auc_b', 'auc_a'), signed('auc_b'), signed('auc_c')]
      await store.receipts.add(all.slice(0, 2))
      await store.receipts.add(all.slice(2))
      const list = (auctionId: string | null, after: number, limit: number) =>
        store.receipts.list({ auctionId, after, limit })
      expect(await list(null, 0, 10)).to.deep.equal({ signed: all, next: null })
      const page = await list(null, 0, 2)
      expect(page.signed).to.deep.equal(all.slice(0, 2))
      expect(await list(null, page.next ?? 0, 2)).to.deep.equal({ signed: all.slice(2), next: null })
      expect(await list('auc_b', 0, 10)).to.deep.equal({ signed: all.slice(0, 2), next: null })
      const ofB = await list('auc_b', 0, 1)
      expect(await list('auc_b', ofB.next ?? 0, 1)).to.deep.equal({ signed: all.slice(1, 2), next: null })
      expect(await list('auc_d', 0, 1)).to.deep.equal({ signed: [], next: null })
      expect((await store.receipts.auctions()).sort()).to.deep.equal(['auc_a', 'auc_b', 'auc_c'])
    })

    it("find a party's receipts among everybody's, in order and page by page, and read no others for it", async () => {
      const bid = (auctionId: string, ...bidders: string[]): SignedReceipts => ({
        home: { nodeId: 'node_a', publicKey: 'key' },
        signedAt: 7,
        signature: bidders.join(' '),
        receipts: bidders.map((id, i) => ({
          command: {
            type: 'PlaceBid',
            auctionId,
            commandId: `bid_${id}${i}`,
            kind: 'plain',
            amount: 1,
            bidder: { id, name: id },
          },
          outcome: { status: 'accepted', commandId: `bid_${id}${i}`, auctionId, seq: i, at: 1 },
        })),
      })
      const crowd = Array.from({ length: 200 }, (_, i) => bid('auc_a', `usr_${i}`))
      const mine = [bid('auc_a', 'usr_me'), bid('auc_a', 'usr_other', 'usr_me', 'usr_me'), bid('auc_a', 'usr_me')]
      const elsewhere = bid('auc_b', 'usr_me')
      await store.receipts.add([...crowd.slice(0, 100), ...mine.slice(0, 2), elsewhere])
      await store.receipts.add([...crowd.slice(100), ...mine.slice(2)])
      const list = (partyId: string, after: number, limit: number) =>
        store.receipts.list({ auctionId: 'auc_a', partyId, after, limit })
      expect(await list('usr_me', 0, 10)).to.deep.equal({ signed: mine, next: null })
      const page = await list('usr_me', 0, 2)
      expect(page.signed).to.deep.equal(mine.slice(0, 2))
      expect(await list('usr_me', page.next ?? 0, 2)).to.deep.equal({ signed: mine.slice(2), next: null })
      expect(await list('usr_nobody', 0, 2)).to.deep.equal({ signed: [], next: null })
    })

    it('keep the first proof against an auction', async () => {
      const commit = (hash: string): Commit => ({
        auctionId: 'auc_a',
        firstSeq: 1,
        lastSeq: 1,
        body: '{}',
        hash,
        signer: 'key',
        signature: 's',
      })
      const proof = { auctionId: 'auc_a', authority: [commit('0')], first: commit('1'), second: commit('2') }
      expect(await store.equivocations.find('auc_a')).to.equal(null)
      const owners = { author: 'node_home', sender: 'node_peer', bytes: 12 }
      expect(await store.equivocations.save(proof, owners)).to.equal(true)
      expect(await store.equivocations.save({ ...proof, second: commit('3') }, owners)).to.equal(false)
      expect(await store.equivocations.find('auc_a')).to.deep.equal(proof)
      const other = { ...proof, auctionId: 'auc_0' }
      await store.equivocations.save(other, { ...owners, bytes: 13 })
      expect(await store.equivocations.newest(9)).to.deep.equal(['auc_a', 'auc_0'])
      expect(await store.equivocations.newest(1)).to.deep.equal(['auc_0'])
      expect(await store.equivocations.owners()).to.have.deep.members([owners, { ...owners, bytes: 13 }])
      expect([...(await store.equivocations.among(['auc_b', 'auc_a']))]).to.deep.equal(['auc_a'])
    })

    it('keep the first alarm of an auction', async () => {
      const breach = { auctionId: 'auc_a', seq: 7, rule: 'bid bid_1 is left out 🏺' }
      expect(await store.breaches.find('auc_a')).to.equal(null)
      expect(await store.breaches.save(breach)).to.equal(true)
      expect(await store.breaches.save({ ...breach, seq: 8 })).to.equal(false)
      expect(await store.breaches.find('auc_a')).to.deep.equal(breach)
      expect([...(await store.breaches.among(['auc_b', 'auc_a']))]).to.deep.equal(['auc_a'])
    })

    it('remember peers, those seen last first', async () => {
      const peer = (id: string, lastSeenAt: number): KnownPeer => ({
        nodeId: id,
        name: `${id} 🏺`,
        publicKey: 'key',
        address: '127.0.0.1:1',
        lastSeenAt,
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
