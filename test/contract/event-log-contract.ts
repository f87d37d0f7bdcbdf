import { expect } from 'chai'
import type { Append, StoredCommit } from '../../src/ports/store/event-log.js'
import { SeqConflictError } from '../../src/ports/store/event-log.js'
import type { Store } from '../../src/ports/store/store.js'
import { asReplica, CommitBuilder, storedCommit } from '../support/commit-builder.js'
import { codeOf, EVERYTHING, everythingOf, type StoreAdapter, withStore } from './store-harness.js'

/** What every event log promises. */
export function describeEventLog(adapter: StoreAdapter): void {
  describe(`${adapter.name} event log`, () => {
    let store: Store
    withStore(adapter, (fresh) => {
      store = fresh
    })

    it('is empty at first', async () => {
      expect(await store.eventLog.position()).to.equal(0)
      expect(await store.eventLog.readAfter(0, EVERYTHING)).to.deep.equal([])
      expect(await store.eventLog.read('auc_unknown', 1, EVERYTHING)).to.deep.equal([])
      expect(await store.eventLog.heads(null, 10)).to.deep.equal([])
    })

    it('puts another signature in the place of one, and changes nothing else', async () => {
      const auction = new CommitBuilder()
      const entries = [auction.open(), auction.bids(3), auction.bids(1)]
      for (const entry of entries) await store.eventLog.append(entry)
      const { commit } = entries[1] as Append
      expect(await store.eventLog.replaceSignature({ ...commit, signature: 'other' })).to.equal(true)
      expect(await store.eventLog.replaceSignature({ ...commit, hash: '0', signature: 'x' })).to.equal(false)
      expect(await store.eventLog.replaceSignature({ ...commit, auctionId: 'auc_x' })).to.equal(false)
      const stored = entries.map((entry, i) => storedCommit(entry, i + 1))
      stored[1] = { ...(stored[1] as StoredCommit), signature: 'other' }
      expect(await store.eventLog.read(auction.auctionId, 1, EVERYTHING)).to.deep.equal(stored)
      expect(await store.eventLog.readAfter(0, EVERYTHING)).to.deep.equal(stored)
    })

    it('gives back each commit as it was appended, with the position that the append resolved with', async () => {
      const auction = new CommitBuilder()
      const entries = [auction.open(), auction.bids(3), auction.bids(1)]
      const positions: number[] = []
      for (const entry of entries) positions.push(await store.eventLog.append(entry))
      expect(positions).to.deep.equal([1, 2, 3])
      const stored = entries.map((entry, i) => storedCommit(entry, i + 1))
      expect(await store.eventLog.read(auction.auctionId, 1, EVERYTHING)).to.deep.equal(stored)
      expect(await store.eventLog.readAfter(0, EVERYTHING)).to.deep.equal(stored)
      expect(await store.eventLog.position()).to.equal(3)
      expect(await store.eventLog.heads(null, 10)).to.deep.equal([{ auctionId: auction.auctionId, ...auction.head }])
    })

    const WRITTEN_OTHERWISE: readonly [how: string, of: (body: string) => string][] = [
      ['with space at its end', (body) => `${body}\n`],
      ['with space at its beginning', (body) => ` ${body}`],
      [
        'with its keys in another order',
        (body) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(body)).reverse())),
      ],
      [
        'with its first keys as always and the last ones not',
        (body) => body.replace(/("events":.*),("mandates":.*)}$/, '$2,$1}'),
      ],
      ['with a mandate', (body) => body.replace('"mandates":[]', '"mandates":[["k",1,[0],"s"]]')],
      ['with nothing in it', () => ''],
      ['with a list alone', () => '[]'],
    ]
    for (const [how, of] of WRITTEN_OTHERWISE)
      it(`gives back, byte for byte, a commit whose text was written ${how}`, async () => {
        const auction = new CommitBuilder()
        const entries = [auction.open(), auction.bids(2), auction.bids(1)]
        const written = entries.map((entry) => ({ ...entry, commit: { ...entry.commit, body: of(entry.commit.body) } }))
        for (const entry of written) await store.eventLog.append(asReplica(entry))
        expect(written[1]?.commit.body).to.not.equal(entries[1]?.commit.body)
        const bodies = (await store.eventLog.read(auction.auctionId, 1, EVERYTHING)).map(({ body }) => body)
        expect(bodies).to.deep.equal(written.map(({ commit }) => commit.body))
      })

    it('counts what each author has written', async () => {
      expect(await store.eventLog.usage()).to.deep.equal([])
      const auctions = [new CommitBuilder(), new CommitBuilder()]
      const entries = auctions.flatMap((auction) => [auction.open(), auction.bids(2)])
      for (const entry of entries) await store.eventLog.append(entry)
      const bytesOf = (signer: string) =>
        entries
          .filter(({ commit }) => commit.signer === signer)
          .reduce((sum, { commit }) => sum + Buffer.byteLength(commit.body), 0)
      const signers = [...new Set(entries.map(({ commit }) => commit.signer))]
      expect(await store.eventLog.usage()).to.have.deep.members(
        signers.map((signer) => ({
          signer,
          bytes: bytesOf(signer),
          openings: entries.filter(({ commit, prevHash }) => prevHash === null && commit.signer === signer).length,
        })),
      )
    })

    it('reads from the commit that holds a seq on', async () => {
      const auction = new CommitBuilder()
      const entries = [auction.open(), auction.bids(3), auction.bids(3)]
      for (const entry of entries) await store.eventLog.append(entry)
      const from = async (seq: number) =>
        (await store.eventLog.read(auction.auctionId, seq, EVERYTHING)).map(({ firstSeq }) => firstSeq)
      expect(await from(0)).to.deep.equal([1, 2, 5])
      expect(await from(1)).to.deep.equal([1, 2, 5])
      expect(await from(2)).to.deep.equal([2, 5])
      expect(await from(4)).to.deep.equal([2, 5])
      expect(await from(5)).to.deep.equal([5])
      expect(await from(7)).to.deep.equal([5])
      expect(await from(8)).to.deep.equal([])
    })

    it('pages by commits and by bytes, always giving at least one', async () => {
      const auction = new CommitBuilder()
      for (const entry of [auction.open(), ...Array.from({ length: 5 }, () => auction.bids(1))]) {
        await store.eventLog.append(entry)
      }
      const all = await store.eventLog.readAfter(0, EVERYTHING)
      const seqs = (commits: StoredCommit[]) => commits.map(({ firstSeq }) => firstSeq)
      const read = (limit: { commits: number; bytes: number }) => store.eventLog.read(auction.auctionId, 1, limit)
      expect(seqs(await read({ commits: 2, bytes: 1e6 }))).to.deep.equal([1, 2])
      expect(seqs(await read({ commits: 9, bytes: 1 }))).to.deep.equal([1])
      const twoBodies = Buffer.byteLength(all[0]?.body ?? '') + Buffer.byteLength(all[1]?.body ?? '')
      expect(seqs(await read({ commits: 9, bytes: twoBodies }))).to.deep.equal([1, 2])
      expect(seqs(await read({ commits: 9, bytes: twoBodies + 1 }))).to.deep.equal([1, 2, 3])
      expect(seqs(await store.eventLog.readAfter(2, { commits: 9, bytes: 1 }))).to.deep.equal([3])
      expect(seqs(await store.eventLog.readAfter(2, { commits: 2, bytes: 1e6 }))).to.deep.equal([3, 4])
      expect(await store.eventLog.readAfter(6, EVERYTHING)).to.deep.equal([])
    })

    it('keeps one order over all auctions, and their heads in order of id', async () => {
      const auctions = Array.from({ length: 5 }, () => new CommitBuilder())
      const entries = [...auctions.map((one) => one.open()), ...auctions.map((one) => one.bids(2))]
      const positions = await Promise.all(entries.map((entry) => store.eventLog.append(entry)))
      expect(positions).to.deep.equal(entries.map((_, i) => i + 1))
      const log = await store.eventLog.readAfter(0, EVERYTHING)
      expect(log).to.deep.equal(entries.map((entry, i) => storedCommit(entry, i + 1)))
      const heads = auctions.map(({ auctionId, head }) => ({ auctionId, ...head }))
      heads.sort((a, b) => (a.auctionId < b.auctionId ? -1 : 1))
      expect(await store.eventLog.heads(null, 100)).to.deep.equal(heads)
      expect(await store.eventLog.heads(null, 2)).to.deep.equal(heads.slice(0, 2))
      expect(await store.eventLog.heads(heads[1]?.auctionId ?? null, 2)).to.deep.equal(heads.slice(2, 4))
    })

    it('carries out appends to one auction in the order of the calls, without waiting in between', async () => {
      const auction = new CommitBuilder()
      const entries = [auction.open(), ...Array.from({ length: 20 }, () => auction.bids(2))]
      await Promise.all(entries.map((entry) => store.eventLog.append(entry)))
      const bodies = (await store.eventLog.read(auction.auctionId, 1, EVERYTHING)).map(({ body }) => body)
      expect(bodies).to.deep.equal(entries.map(({ commit }) => commit.body))
    })

    it('refuses an append that expects another seq or another hash, and stores nothing of it', async () => {
      const auction = new CommitBuilder()
      const entries = [auction.open(), auction.bids(2)]
      for (const entry of entries) await store.eventLog.append(entry)
      const late = auction.fork('late').bids(2)
      const next = auction.bids(1)
      await store.eventLog.append(next)
      const wrongHash = { ...asReplica(auction.fork('known').bids(1)), prevHash: 'f'.repeat(64) }
      const ahead = auction.bids(1) && auction.bids(1)
      const before = await everythingOf(store, auction.auctionId, [...entries, next, late, ahead])
      for (const refused of [late, ahead, wrongHash, entries[0] as Append]) {
        expect(await codeOf(store.eventLog.append(refused))).to.equal('SEQ_CONFLICT')
      }
      expect(await everythingOf(store, auction.auctionId, [...entries, next, late, ahead])).to.deep.equal(before)
      const error = await store.eventLog.append(late).catch((reason: unknown) => reason)
      expect(error).to.be.instanceOf(SeqConflictError)
      expect(error).to.deep.include({ auctionId: auction.auctionId, expected: 3 })
      const head = { seq: next.commit.lastSeq, hash: next.commit.hash }
      expect((error as SeqConflictError).head).to.deep.equal(head)
    })

    it('refuses a commit of an auction that it has no opening of', async () => {
      const auction = new CommitBuilder()
      auction.open()
      const error = await store.eventLog.append(auction.bids(1)).catch((reason: unknown) => reason)
      expect(error).to.be.instanceOf(SeqConflictError)
      expect((error as SeqConflictError).head).to.equal(null)
      expect(await store.auctions.find(auction.auctionId)).to.equal(null)
    })

    it('refuses only the append in conflict, not those that are written along with it', async () => {
      const auctions = Array.from({ length: 6 }, () => new CommitBuilder())
      for (const auction of auctions) await store.eventLog.append(auction.open())
      const stale = auctions.map((auction) => auction.fork(`${auction.tag}_stale`).bids(1))
      const fresh = auctions.map((auction) => auction.bids(2))
      const results = await Promise.all([...fresh, ...stale].map((entry) => codeOf(store.eventLog.append(entry))))
      expect(results).to.deep.equal([...fresh.map(() => 'RESOLVED'), ...stale.map(() => 'SEQ_CONFLICT')])
      expect(await store.eventLog.position()).to.equal(12)
      expect((await store.auctions.counts()).bids).to.equal(12)
    })

    it('lets exactly one of eight racing writers win each round', async () => {
      const rounds = 60
      let truth = new CommitBuilder()
      await store.eventLog.append(truth.open())
      for (let round = 0; round < rounds; round++) {
        const writers = Array.from({ length: 8 }, (_, i) => truth.fork(`r${round}w${i}`))
        const entries = writers.map((writer, i) => writer.bids(1 + (i % 3)))
        const codes = await Promise.all(entries.map((entry) => codeOf(store.eventLog.append(entry))))
        expect(codes.filter((code) => code === 'RESOLVED')).to.have.length(1)
        expect(codes.filter((code) => code === 'SEQ_CONFLICT')).to.have.length(7)
        truth = writers[codes.indexOf('RESOLVED')] as CommitBuilder
      }
      const log = await store.eventLog.read(truth.auctionId, 1, EVERYTHING)
      expect(log).to.have.length(rounds + 1)
      log.forEach((commit, i) => {
        expect(commit.firstSeq).to.equal((log[i - 1]?.lastSeq ?? 0) + 1)
        expect(commit.position).to.equal(i + 1)
      })
      expect(await store.eventLog.heads(null, 2)).to.deep.equal([{ auctionId: truth.auctionId, ...truth.head }])
      expect(await store.auctions.bids(truth.auctionId, null, 1_000)).to.have.length(truth.head.seq - 1)
    })

    it('gives readers whole commits with their read models while others write', async () => {
      const auctions = Array.from({ length: 4 }, () => new CommitBuilder())
      const entries = auctions.map((one) => [one.open(), ...Array.from({ length: 25 }, () => one.bids(3))])
      let writing = true
      const writers = entries.map(async (mine) => {
        for (const entry of mine) await store.eventLog.append(entry)
      })
      const reader = async () => {
        let reads = 0
        while (writing) {
          for (const { commit } of entries.map(([opening]) => opening as Append)) {
            const record = await store.auctions.find(commit.auctionId)
            if (record === null) continue
            const log = await store.eventLog.read(commit.auctionId, 1, EVERYTHING)
            const bids = await store.auctions.bids(commit.auctionId, null, 1_000)
            expect(log.at(-1)?.lastSeq).to.be.at.least(record.head.seq)
            expect(bids.length).to.be.at.least(record.state.bidCount)
            expect(record.state.seq).to.equal(record.head.seq)
          }
          reads++
          await new Promise((resolve) => setImmediate(resolve))
        }
        return reads
      }
      const reading = [reader(), reader()]
      await Promise.all(writers)
      writing = false
      for (const reads of await Promise.all(reading)) expect(reads).to.be.greaterThan(0)
      expect(await store.eventLog.position()).to.equal(4 * 26)
    })

    it('keeps large and unusual texts to the byte', async () => {
      const title = 'Ünïcødé 🏺 "quoted" \\ 日本語 e\u0301'
      const auction = new CommitBuilder({ title, description: '字'.repeat(10_000) })
      const entries = [auction.open(), auction.bids(4_000)]
      for (const entry of entries) await store.eventLog.append(entry)
      const [opening, bids] = await store.eventLog.read(auction.auctionId, 1, EVERYTHING)
      expect(opening?.body).to.equal(entries[0]?.commit.body)
      expect(bids?.body === entries[1]?.commit.body).to.equal(true)
      expect(bids?.body.length).to.be.greaterThan(200_000)
      expect((await store.auctions.find(auction.auctionId))?.state).to.deep.equal(auction.state)
    })

    it('refuses an append whose command already has an outcome, and stores nothing of it', async () => {
      const auction = new CommitBuilder()
      const other = new CommitBuilder()
      const bob = { id: 'node_bob', name: 'Bob' }
      const carol = { id: 'node_carol', name: 'Carol' }
      const entries = [auction.open(), other.open(), auction.commit(auction.bid(bob, 8_000, 'bid_same'))]
      for (const entry of entries) await store.eventLog.append(entry)
      const before = await everythingOf(store, other.auctionId, entries)
      const twice = other.fork('twice').commit(other.bid(carol, 9_000), other.bid(bob, 9_500, 'bid_same'))
      const good = auction.bids(1)
      const codes = await Promise.all([
        codeOf(store.eventLog.append(good)),
        codeOf(store.eventLog.append(twice)),
        codeOf(
          store.outcomes.record([
            {
              outcome: {
                status: 'rejected',
                commandId: 'bid_other',
                auctionId: other.auctionId,
                at: 1,
                rejection: { code: 'OWN_AUCTION' },
              },
              fingerprint: 'x',
            },
          ]),
        ),
      ])
      expect(codes).to.deep.equal(['RESOLVED', 'DUPLICATE_COMMAND', 'RESOLVED'])
      const after = await everythingOf(store, other.auctionId, entries)
      expect(after.commits).to.deep.equal(before.commits)
      expect(after.auction).to.deep.equal(before.auction)
      expect(after.bids).to.deep.equal([])
      expect(after.outcomes).to.deep.equal(before.outcomes)
      expect(after.counts.bids).to.equal(before.counts.bids + 1)
      expect((await store.outcomes.find(['bid_other'])).size).to.equal(1)
      const inItself = { ...other.bids(2), outcomes: [] as NonNullable<Append['outcomes']> }
      const reused = other.fork('reused')
      await store.eventLog.append(inItself)
      const entry = reused.bids(1)
      const outcomes = [...(entry.outcomes ?? []), ...(entry.outcomes ?? [])]
      expect(await codeOf(store.eventLog.append({ ...entry, outcomes }))).to.equal('DUPLICATE_COMMAND')
      expect(await store.eventLog.append(entry)).to.equal(6)
    })

    it('refuses appends once closed, and closes twice without complaint', async () => {
      const auction = new CommitBuilder()
      const underWay = store.eventLog.append(auction.open())
      await store.eventLog.close()
      expect(await underWay).to.equal(1)
      expect(await codeOf(store.eventLog.append(auction.bids(1)))).to.not.equal('RESOLVED')
      await store.eventLog.close()
      await store.close()
      await store.close()
    })
  })
}
