import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../../src/adapters/sqlite/open-store.js'
import type { AutoBid } from '../../../src/ports/store/auto-bid-repository.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { Store } from '../../../src/ports/store/store.js'
import { codeOf, everythingOf } from '../../contract/store-harness.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { makeTempDir } from '../../support/temp-dir.js'

describe('the SQLite writer', () => {
  let dir: ReturnType<typeof makeTempDir>
  let store: Store

  beforeEach(() => {
    dir = makeTempDir()
  })

  afterEach(async () => {
    await store.close()
    dir.remove()
  })

  it('stores nothing of a batch that finds the disk full, keeps what was there, and goes on when there is room', async () => {
    store = await openStore(dir.path, { test: { maxPageCount: 150 } })
    const [small, large] = [new CommitBuilder(), new CommitBuilder()]
    const entries = [small.open(), large.open(), small.bids(5)]
    for (const entry of entries) await store.eventLog.append(entry)
    const before = await everythingOf(store, small.auctionId, entries)

    const tooMuch = large.fork('big').bids(4_000)
    const beside = small.bids(1)
    const codes = [store.eventLog.append(beside), store.eventLog.append(tooMuch)].map(codeOf)
    expect(await Promise.all(codes)).to.deep.equal(['DISK_FULL', 'DISK_FULL'])
    expect(await everythingOf(store, small.auctionId, entries)).to.deep.equal(before)

    expect(await store.eventLog.append(beside)).to.equal(4)
    expect(await store.eventLog.append(large.bids(1))).to.equal(5)
    await store.close()
    store = await openStore(dir.path)
    expect((await store.auctions.find(small.auctionId))?.head).to.deep.equal(small.head)
    expect((await store.auctions.counts()).bids).to.equal(7)
  })

  it('fills the disk to the brim without losing an acknowledged commit', async () => {
    store = await openStore(dir.path, { test: { maxPageCount: 200 } })
    const auction = new CommitBuilder()
    const kept: Append[] = []
    let refused: unknown = null
    for (let entry = auction.open(); refused === null; entry = auction.bids(20)) {
      const code = await codeOf(store.eventLog.append(entry))
      if (code === 'RESOLVED') kept.push(entry)
      else refused = code
    }
    expect(refused).to.equal('DISK_FULL')
    expect(kept.length).to.be.greaterThan(10)
    const before = await everythingOf(store, auction.auctionId, kept)
    expect(before.commits.map(({ hash }) => hash)).to.deep.equal(kept.map(({ commit }) => commit.hash))
    await store.close()
    store = await openStore(dir.path)
    expect(await everythingOf(store, auction.auctionId, kept)).to.deep.equal(before)
  })

  it('refuses what is past the bound on waiting writes, and writes all that it took', async () => {
    store = await openStore(dir.path)
    const autoBid = (i: number): AutoBid => ({
      auctionId: `auc_${i}`,
      limit: i + 1,
      state: 'active',
      refusal: null,
      pending: null,
      updatedAt: i,
    })
    const codes = await Promise.all(Array.from({ length: 20_050 }, (_, i) => codeOf(store.autoBids.save(autoBid(i)))))
    expect(codes.slice(0, 20_000).every((code) => code === 'RESOLVED')).to.equal(true)
    expect(codes.slice(20_000)).to.deep.equal(new Array(50).fill('BUSY'))
    expect(await store.autoBids.list()).to.have.length(20_000)
    await store.autoBids.save(autoBid(20_001))
  })

  it('refuses one faulty operation without harm to those beside it', async () => {
    store = await openStore(dir.path)
    const [good, bad] = [new CommitBuilder(), new CommitBuilder()]
    const faulty = bad.open()
    const state = { ...faulty.state, openedAt: 0.5 }
    const codes = [good.open(), { ...faulty, state }, good.bids(2)].map((entry) => {
      return codeOf(store.eventLog.append(entry))
    })
    expect(await Promise.all(codes)).to.deep.equal(['RESOLVED', 'STORE_REFUSED', 'RESOLVED'])
    expect(await store.auctions.counts()).to.deep.equal({
      auctions: { scheduled: 0, open: 1, closed: 0, cancelled: 0 },
      bids: 2,
    })
    expect(await store.eventLog.append(faulty)).to.equal(3)
  })

  const GONE: readonly [string, (dir: string) => void][] = [
    ['the database is moved away', (at) => renameSync(join(at, 'vendue.db'), join(at, 'moved.db'))],
    ['the database is deleted', (at) => rmSync(join(at, 'vendue.db'))],
    ['the write-ahead log is deleted', (at) => rmSync(join(at, 'vendue.db-wal'))],
    [
      'the database is replaced by a copy',
      (at) => {
        copyFileSync(join(at, 'vendue.db'), join(at, 'copy.db'))
        renameSync(join(at, 'copy.db'), join(at, 'vendue.db'))
      },
    ],
    ['the directory is moved away', (at) => renameSync(at, `${at}-moved`)],
  ]
  for (const [what, takeAway] of GONE) {
    it(`acknowledges nothing more once ${what}, and says so`, async () => {
      const at = join(dir.path, 'data')
      store = await openStore(at)
      const auction = new CommitBuilder()
      expect(await codeOf(store.eventLog.append(auction.open()))).to.equal('RESOLVED')
      takeAway(at)
      expect(await codeOf(store.eventLog.append(auction.bids(1)))).to.equal('LOG_IO_ERROR')
      expect((await store.broken).message)
        .to.include('vendue.db')
        .and.to.include('put it back')
      expect(await codeOf(store.eventLog.append(auction.bids(1)))).to.equal('LOG_IO_ERROR')
    })
  }

  it('writes what waits before it closes', async () => {
    store = await openStore(dir.path)
    const auction = new CommitBuilder()
    const entries = [auction.open(), ...Array.from({ length: 30 }, () => auction.bids(1))]
    const appends = entries.map((entry) => store.eventLog.append(entry))
    await store.close()
    expect(await Promise.all(appends)).to.deep.equal(entries.map((_, i) => i + 1))
    expect(await codeOf(store.eventLog.append(auction.bids(1)))).to.equal('STORE_CLOSED')
    expect(await codeOf(store.auctions.find(auction.auctionId))).to.equal('STORE_CLOSED')
    store = await openStore(dir.path)
    expect(await store.eventLog.position()).to.equal(31)
  })

  it('keeps no more than 10,000 peers, those seen last', async () => {
    store = await openStore(dir.path)
    const peer = (i: number) => ({
      nodeId: `node_${i}`,
      name: 'n',
      publicKey: 'k',
      address: 'a:1',
      dhtAddress: null,
      lastSeenAt: i,
    })
    await Promise.all(Array.from({ length: 10_010 }, (_, i) => store.peers.save(peer(i))))
    const peers = await store.peers.list(20_000)
    expect(peers).to.have.length(10_000)
    expect(peers.at(-1)).to.deep.equal(peer(10))
  })
})
