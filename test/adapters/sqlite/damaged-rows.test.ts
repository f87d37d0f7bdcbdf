import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { openStore } from '../../../src/adapters/sqlite/open-store.js'
import { repairStore } from '../../../src/adapters/sqlite/repair-store.js'
import { Ed25519Verifier, signerOf } from '../../../src/adapters/system/node-key.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import { answerTo } from '../../../src/application/submissions/submission.js'
import { type Auction, type OpenedAuction, UNOPENED } from '../../../src/domain/auction.js'
import { evolve } from '../../../src/domain/evolve.js'
import type { RepairReport } from '../../../src/ports/store/repair-report.js'
import { LongAuction } from '../../support/long-auction.js'
import { ManualTime } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'
import { makeTempDir } from '../../support/temp-dir.js'

const ANNA = { id: 'guest_anna', name: 'Anna' }
const signer = signerOf(generateKeyPairSync('ed25519').privateKey)

describe('a row that is not what was written, in a file that is sound', () => {
  let dir: ReturnType<typeof makeTempDir>
  let auctionId: string

  beforeEach(async () => {
    dir = makeTempDir()
    const store = await openStore(dir.path)
    const time = new ManualTime()
    const node = await new MemoryNode({
      name: 'home',
      network: new MemoryNetwork(),
      time,
      store,
      signer,
    }).start()
    const { outcome } = await node.api.open({
      commandId: 'cmd_damaged00001',
      title: 'Lot',
      currency: 'EUR',
      start: '10',
      increment: '1',
    })
    auctionId = outcome.auctionId
    const house = node.services.parts.auctionHouse
    const base = { type: 'PlaceBid', auctionId, bidder: ANNA } as const
    const max = {
      ...base,
      commandId: 'bid_damaged00001',
      amount: 5_000,
      kind: 'max',
      salt: 'ab'.repeat(16),
    } as const
    const low = {
      ...base,
      bidder: { id: 'guest_low', name: 'Low' },
      commandId: 'bid_damaged00002',
      amount: 1,
    } as const
    await answerTo({ command: max }, (submission) => house.enqueue(submission))
    await answerTo({ command: { ...low, kind: 'plain' } }, (submission) => house.enqueue(submission))
    await store.autoBids.save({
      ...{ auctionId, limit: 7_000, state: 'active', refusal: null, pending: null, updatedAt: 1 },
    })
    await node.stop()
    await store.close()
  })

  afterEach(() => dir.remove())

  function damage(sql: string): void {
    const db = new Database(join(dir.path, 'vendue.db'))
    expect(db.prepare(sql).run().changes).to.be.above(0)
    db.close()
  }
  const repair = (): Promise<RepairReport> =>
    repairStore(dir.path, { publicKey: signer.publicKey, verifier: new Ed25519Verifier(), now: Date.now() })
  const reading = async <T>(read: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>): Promise<T> => {
    const store = await openStore(dir.path)
    try {
      return await read(store)
    } finally {
      await store.close()
    }
  }
  const codeOf = (read: (store: Awaited<ReturnType<typeof openStore>>) => Promise<unknown>) =>
    reading((store) =>
      read(store).then(
        () => 'read',
        (error: { code?: string }) => error.code,
      ),
    )

  it('is none where nothing is damaged', async () => {
    expect(await repair()).to.include({ damage: null, movedTo: null })
  })

  const MENDED: readonly [what: string, sql: string][] = [
    ['the state of an auction', `UPDATE auctions SET state = replace(state, '"price":1000', '"price":3000')`],
    ['when an auction ends', 'UPDATE auctions SET due_at = 4102444800000'],
    ['its terms', `UPDATE auction_terms SET terms = replace(terms, '"startPrice":1000', '"startPrice":1001')`],
  ]
  for (const [what, sql] of MENDED)
    it(`is not acted upon, and is made anew from the log by repair: ${what}`, async () => {
      const truth = await reading(({ auctions }) => auctions.find(auctionId))
      damage(sql)
      expect(await codeOf(({ auctions }) => auctions.find(auctionId))).to.equal('STORE_CORRUPT')
      const report = await repair()
      expect(report.damage).to.include('rows are not what was written')
      expect(report.saved.auctions).to.deep.equal([auctionId])
      expect(report.lost).to.deep.include({ auctions: [], incomplete: [] })
      expect(await reading(({ auctions }) => auctions.find(auctionId))).to.deep.equal(truth)
    })

  const SHOWN: readonly [what: string, table: string, sql: string][] = [
    [
      'a maximum that nobody has opened',
      'revealed_maxima',
      'INSERT INTO revealed_maxima (auction, bid_id, amount) SELECT auction, bid_id, 5000 FROM sealed_maxima',
    ],
    ['how many bids an auction has', 'auctions', 'UPDATE auctions SET bid_count = 9'],
    ['when an auction was opened', 'auctions', 'UPDATE auctions SET opened_at = opened_at + 1'],
    ['who bids where', 'involvements', `UPDATE involvements SET party_id = 'guest_ann' WHERE role = 'bidder'`],
    ['how many bids there are', 'tallies', 'UPDATE tallies SET bids = bids + 1'],
    ['how much a home has written', 'tallies', `UPDATE tallies SET bytes = bytes + 1 WHERE kind = 'author'`],
  ]
  for (const [what, table, sql] of SHOWN)
    it(`is found by repair against the log, and rebuilt: ${what}`, async () => {
      const shown = ({ auctions, eventLog }: Awaited<ReturnType<typeof openStore>>) =>
        Promise.all([
          auctions.bids(auctionId, null, 10),
          auctions.list({ now: 0, limit: 10 }),
          auctions.counts(),
          eventLog.usage(),
        ])
      const truth = await reading(shown)
      damage(sql)
      const report = await repair()
      expect(report.damage).to.match(new RegExp(`^rows are not what was written: of .*${table}`))
      expect(report.saved.auctions).to.deep.equal([auctionId])
      expect(report.lost).to.deep.include({ auctions: [], incomplete: [] })
      expect(await reading(shown)).to.deep.equal(truth)
    })

  it('is none in a copy of an auction with every kind of bid, opened maxima and a second home', async () => {
    const auction = new LongAuction({ bids: 300, bidsPerCommit: 7, movesAfter: 150 })
    await reading(async ({ eventLog, auctions }) => {
      let state: Auction = UNOPENED
      for (const commit of auction.commits()) {
        const { prevHash, events } = readBody(commit.body)
        state = events.reduce(evolve, state)
        await eventLog.append({ commit, prevHash, events, state: state as OpenedAuction })
      }
      const opened = await auctions.bids(auction.auctionId, null, 1_000)
      expect(opened.some(({ kind, amount }) => kind === 'max' && amount !== null)).to.equal(true)
    })
    expect(await repair()).to.include({ damage: null })
  })

  it('is made anew from the log by repair: the maximum that leads', async () => {
    damage('UPDATE auction_secrets SET leader_max = 4096')
    const report = await repair()
    expect(report.damage).to.include('the leading maximum')
    expect(report.saved.auctions).to.deep.equal([auctionId])
    expect((await reading(({ secrets }) => secrets.secrets(auctionId)))?.leaderMax).to.equal(5_000)
  })

  it('is named by repair where nothing else knows it: a maximum', async () => {
    damage('UPDATE sealed_maxima SET amount = 4096')
    const { lost } = await repair()
    expect(lost.auctions).to.deep.equal([{ auctionId, why: 'the maximum of bid bid_damaged00001 cannot be read' }])
  })

  it('is not acted upon, and is left out and named by repair: the limit of an auto-bid', async () => {
    damage('UPDATE auto_bids SET limit_amount = 700000')
    expect(await codeOf(({ autoBids }) => autoBids.list())).to.equal('STORE_CORRUPT')
    const { damage: found, saved, lost } = await repair()
    expect(found).to.include('auto_bids')
    expect(saved.autoBids).to.equal(0)
    expect(lost.incomplete).to.deep.equal(['auto_bids'])
    expect(await reading(({ autoBids }) => autoBids.list())).to.deep.equal([])
  })

  it('is not acted upon, and is left out and named by repair: the answer to a bid that was refused', async () => {
    damage(`UPDATE outcomes SET outcome = replace(outcome, 'BID_TOO_LOW', 'BID_TOO_L0W') WHERE outcome IS NOT NULL`)
    expect(await codeOf(({ outcomes }) => outcomes.find(['bid_damaged00002']))).to.equal('STORE_CORRUPT')
    const { lost } = await repair()
    expect(lost.incomplete).to.deep.equal(['outcomes'])
  })
})
