import { expect } from 'chai'
import { checkpointText, hashOf, sealCommit } from '../../../src/application/log/commit.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import type { CommitBody } from '../../../src/application/log/written-body.js'
import { LENGTH_AT_ONCE, MANDATES_AT_ONCE } from '../../../src/application/replication/pushed-commits.js'
import type { Commit } from '../../../src/domain/commit.js'
import { T0 } from '../../support/auction-scenario.js'
import { mandatesEach } from '../../support/bidding-nodes.js'
import { HeldChecker } from '../../support/held-checker.js'
import { LongAuction } from '../../support/long-auction.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

const MANY = MANDATES_AT_ONCE + 8
const FEW = 4

describe('commits that a peer pushes', () => {
  let network: MemoryNetwork
  let checker: HeldChecker
  let node: MemoryNode

  beforeEach(async () => {
    network = new MemoryNetwork()
    checker = new HeldChecker()
    const time = new ManualTime(T0 + 3_600_000)
    node = await new MemoryNode({ name: 'replica', network, time, mandateChecker: checker }).start()
    await settle()
  })
  afterEach(() => node.stop())

  /** An opening and commits of so many bids, each with a mandate of its own. */
  function auctionOf(
    bids: number,
    bidsPerCommit: number,
    change: (body: CommitBody) => CommitBody = (body) => body,
  ): Commit[] {
    const auction = new LongAuction({ bids, bidsPerCommit, open: true })
    const { signer } = auction
    const { publicKey } = signer
    const nodeId = nodeIdOf(publicKey)
    network.members.add({ nodeId, publicKey, name: nodeId.slice(5, 15), role: 'node' })
    const commits: Commit[] = []
    for (const { auctionId, body, firstSeq } of auction.commits()) {
      const read = readBody(body)
      const mandates = firstSeq === 1 ? [] : mandatesEach(auctionId, read.events, signer)
      const prevHash = commits.at(-1)?.hash ?? null
      commits.push(sealCommit(change({ ...read, prevHash, mandates }), signer))
    }
    return commits
  }

  const push = (commits: readonly Commit[], from: string | null = null) =>
    node.services.parts.replicator.ingest(commits, from)
  const lastSeq = (commits: readonly Commit[]) => commits.at(-1)?.lastSeq
  const storedSeq = async ([first]: readonly Commit[]) =>
    (await node.store.auctions.find(first?.auctionId ?? ''))?.head.seq
  const withBadMandate = (body: CommitBody): CommitBody => ({
    ...body,
    mandates: body.mandates.map((mandate, i) =>
      i === body.mandates.length - 1 ? { ...mandate, signedAt: mandate.signedAt + 1 } : mandate,
    ),
  })

  it('have their orders checked at once where these are few', async () => {
    const good = auctionOf(2 * FEW, FEW)
    expect((await push(good)).refused).to.deep.equal([])
    expect(await storedSeq(good)).to.equal(lastSeq(good))
    const { refused } = await push(auctionOf(FEW, FEW, withBadMandate))
    expect(refused.map(({ reason }) => reason)).to.deep.equal(["the signature of a mandate is not its signer's"])
    expect(checker.asked).to.deep.equal([])
  })

  it('are refused for one bad mandate among many, which are checked elsewhere', async () => {
    const good = auctionOf(MANY, MANY)
    expect((await push(good)).refused).to.deep.equal([])
    expect(await storedSeq(good)).to.equal(lastSeq(good))
    const [opening, bad] = auctionOf(MANY, MANY, withBadMandate) as [Commit, Commit]
    const { refused, stored } = await push([opening, bad])
    expect(refused.map(({ commit, reason }) => [commit.hash, reason])).to.deep.equal([
      [bad.hash, "the signature of a mandate is not its signer's"],
    ])
    expect(stored).to.equal(1)
    expect(checker.asked.map(({ body }) => body)).to.deep.equal([good[1]?.body, bad.body])
  })

  it('have their orders checked elsewhere from where a push brings many, of however many auctions', async () => {
    const auctions = Array.from({ length: MANDATES_AT_ONCE / FEW + 2 }, () => auctionOf(FEW, FEW))
    expect((await push(auctions.flat())).refused).to.deep.equal([])
    for (const commits of auctions) expect(await storedSeq(commits)).to.equal(lastSeq(commits))
    expect(checker.asked).to.have.length(2)
  })

  it('are not read where nobody has signed them', async () => {
    const [opening] = auctionOf(0, 1) as [Commit]
    const { refused } = await push([{ ...opening, body: 'no JSON', hash: hashOf('no JSON') }])
    expect(refused.map(({ reason }) => reason)).to.deep.equal(['the signature is not its author’s'])
  })

  it('hold up what is pushed of the same auction meanwhile, which is taken in after them, and no other auction', async () => {
    checker.isHeld = true
    const [opening, long, short] = auctionOf(MANY + FEW, MANY) as [Commit, Commit, Commit]
    const other = auctionOf(FEW, FEW)
    const finished: string[] = []
    const first = push([opening, long], 'a').finally(() => finished.push('long'))
    const second = push([short], 'b').finally(() => finished.push('short'))
    await push(other, 'a').finally(() => finished.push('other'))
    await settle()
    expect(finished).to.deep.equal(['other'])
    expect(await storedSeq([opening])).to.equal(undefined)
    checker.release()
    expect((await first).gaps).to.deep.equal([])
    expect((await second).gaps).to.deep.equal([])
    expect(finished).to.deep.equal(['other', 'long', 'short'])
    expect(await storedSeq([opening])).to.equal(short.lastSeq)
  })

  it('are checked elsewhere one of each peer at a time, so that many of one peer keep no other waiting', async () => {
    checker.isHeld = true
    const [mine, more, others] = [auctionOf(MANY, MANY), auctionOf(MANY, MANY), auctionOf(MANY, MANY)]
    const pushes = [push(mine, 'a'), push(more, 'a'), push(others, 'b')]
    await settle()
    const ids = () => checker.asked.map(({ auctionId }) => auctionId)
    expect(ids()).to.deep.equal([mine, others].map(([first]) => first?.auctionId))
    for (let i = 0; i < pushes.length; i++) {
      checker.release()
      await settle()
    }
    await Promise.all(pushes)
    expect(ids().at(-1)).to.equal(more[0]?.auctionId)
    expect(await storedSeq(more)).to.equal(lastSeq(more))
  })

  it('leave nothing stored where they cannot be checked, and are taken in once they can be', async () => {
    checker.fails = true
    const commits = auctionOf(MANY, MANY)
    const failed = await push(commits, 'a').catch((error: Error) => error.message)
    expect(failed).to.equal('the thread has ended')
    expect(await storedSeq(commits)).to.equal(undefined)
    checker.fails = false
    expect((await push(commits, 'a')).refused).to.deep.equal([])
    expect(await storedSeq(commits)).to.equal(lastSeq(commits))
  })

  describe('and that are large', () => {
    const describedBy =
      (description: string) =>
      (body: CommitBody): CommitBody => ({
        ...body,
        events: body.events.map((event) =>
          event.type === 'AuctionOpened' ? { ...event, terms: { ...event.terms, description } } : event,
        ),
      })
    /** Signed as a good one is, whatever its text. */
    const signedText = (body: string): Commit => {
      const { signer } = new LongAuction({ bids: 1, bidsPerCommit: 1 })
      const head = { auctionId: 'auc_0000000000', lastSeq: 1, hash: hashOf(body) }
      const signature = signer.sign(checkpointText(head))
      return { ...head, firstSeq: 1, body, signer: signer.publicKey, signature }
    }
    const brackets = '['.repeat(LENGTH_AT_ONCE + 1)

    it('are read elsewhere, and refused for what is found there', async () => {
      const signed = signedText(brackets + ']'.repeat(LENGTH_AT_ONCE + 1))
      const { refused } = await push([signed, { ...signedText(brackets), auctionId: 'auc_0000000001' }])
      expect(refused.map(({ reason }) => reason)).to.deep.equal([
        "the body's shape: must have auctionId, firstSeq, prevHash, parties, events, mandates",
        'the signature is not its author’s',
      ])
      expect(checker.read).to.have.length(2)
    })

    it('are taken in with the mandates that were checked there too, and refused for a bad one', async () => {
      const good = auctionOf(500, 500)
      expect(good[1]?.body.length).to.be.above(LENGTH_AT_ONCE)
      expect((await push(good)).refused).to.deep.equal([])
      expect(await storedSeq(good)).to.equal(lastSeq(good))
      const { refused } = await push(auctionOf(500, 500, withBadMandate))
      expect(refused.map(({ reason }) => reason)).to.deep.equal(["the signature of a mandate is not its signer's"])
      expect(checker.read).to.have.length(2)
      expect(checker.asked).to.have.length(0)
    })

    it('are read elsewhere from where a push brings much, of however many auctions', async () => {
      const openings = Array.from({ length: 16 }, () => auctionOf(0, 1, describedBy('d'.repeat(9_000)))).flat()
      expect((await push(openings)).refused).to.deep.equal([])
      for (const opening of openings) expect(await storedSeq([opening])).to.equal(1)
      const lengthOf = (commits: readonly { readonly body: string }[]) =>
        commits.reduce((sum, { body }) => sum + body.length, 0)
      expect(lengthOf(openings) - lengthOf(checker.read)).to.be.within(1, LENGTH_AT_ONCE)
    })

    it('are read elsewhere one of each peer at a time', async () => {
      checker.isHeld = true
      const texts = Array.from({ length: 3 }, (_, i) => ({
        ...signedText(brackets),
        auctionId: `auc_000000000${i}`,
      }))
      const pushes = [push(texts.slice(0, 2), 'a'), push(texts.slice(2), 'b')]
      await settle()
      expect(checker.read.map(({ auctionId }) => auctionId)).to.deep.equal([texts[0]?.auctionId, texts[2]?.auctionId])
      for (let i = 0; i < texts.length; i++) {
        checker.release()
        await settle()
      }
      for (const { refused } of await Promise.all(pushes)) expect(refused).not.to.deep.equal([])
    })
  })
})
