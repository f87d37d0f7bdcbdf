import { expect } from 'chai'
import { hashOf } from '../../../src/application/log/commit.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import { LENGTH_OF_ERRAND } from '../../../src/application/replication/pulled-commits.js'
import { LENGTH_AT_ONCE } from '../../../src/application/replication/pushed-commits.js'
import type { Commit } from '../../../src/domain/commit.js'
import { T0 } from '../../support/auction-scenario.js'
import { HeldChecker } from '../../support/held-checker.js'
import { LongAuction } from '../../support/long-auction.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

describe('commits that a node pulls', () => {
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

  function auctionOf(bids: number, bidsPerCommit: number): Commit[] {
    const auction = new LongAuction({ bids, bidsPerCommit, open: true })
    const { publicKey } = auction.signer
    const nodeId = nodeIdOf(publicKey)
    network.members.add({ nodeId, publicKey, name: nodeId.slice(5, 15), role: 'node' })
    return [...auction.commits()]
  }

  const pull = (...pages: (readonly Commit[])[]) => node.services.parts.replicator.ingestPages(pages, 'peer')
  const storedSeq = async ([first]: readonly Commit[]) =>
    (await node.store.auctions.find(first?.auctionId ?? ''))?.head.seq
  const lengthOf = (commits: readonly Commit[]) => commits.reduce((sum, { body }) => sum + body.length, 0)
  /** In its place, with another text and the hash of that. */
  const withText = (commit: Commit, body: string): Commit => ({ ...commit, body, hash: hashOf(body) })

  it('are read at once where they are short', async () => {
    const commits = auctionOf(40, 10)
    expect(lengthOf(commits)).to.be.below(LENGTH_AT_ONCE)
    expect((await pull(commits)).refused).to.deep.equal([])
    expect(await storedSeq(commits)).to.equal(commits.at(-1)?.lastSeq)
    expect(checker.texts).to.deep.equal([])
  })

  it('are read beside the thread that serves from where an answer brings much, of however many auctions', async () => {
    const auctions = [auctionOf(500, 50), auctionOf(500, 50), auctionOf(4_000, 100)]
    const all = auctions.flat()
    expect((await pull(...auctions)).refused).to.deep.equal([])
    for (const commits of auctions) expect(await storedSeq(commits)).to.equal(commits.at(-1)?.lastSeq)
    expect(lengthOf(all) - lengthOf(checker.texts.flat())).to.be.within(1, LENGTH_AT_ONCE)
    for (const errand of checker.texts) expect(lengthOf(errand)).to.be.at.most(LENGTH_OF_ERRAND)
    expect(checker.texts.length).to.be.above(2)
  })

  it('wait for the thread that reads them, one errand ahead for each auction, while others are taken in', async () => {
    checker.isHeld = true
    const commits = auctionOf(8_000, 100)
    const other = auctionOf(40, 10)
    const pulled = pull(commits)
    await settle()
    expect(checker.texts).to.have.length(1)
    await pull(other)
    expect(await storedSeq(other)).to.equal(other.at(-1)?.lastSeq)
    expect(await storedSeq(commits)).to.equal(undefined)
    checker.release()
    await settle()
    expect(checker.texts.length).to.equal(2)
    checker.isHeld = false
    for (let i = 0; i < 3; i++) checker.release()
    expect((await pulled).refused).to.deep.equal([])
    expect(await storedSeq(commits)).to.equal(commits.at(-1)?.lastSeq)
  })

  it('are refused for a text that is slow to read, which is not read here, with those before it stored', async () => {
    const commits = auctionOf(1_500, 50)
    const place = commits.length - 2
    const brackets = `${'['.repeat(300_000)}${']'.repeat(300_000)}`
    const bad = commits.map((commit, i) => (i === place ? withText(commit, brackets) : commit))
    const { refused, stored } = await pull(bad)
    expect(refused.map(({ commit, reason }) => [commit.firstSeq, reason])).to.deep.equal([
      [
        commits[place]?.firstSeq,
        "the body's shape: must have auctionId, firstSeq, prevHash, parties, events, mandates",
      ],
    ])
    expect(stored).to.equal(place)
    expect(checker.texts.flat().some(({ body }) => body === brackets)).to.equal(true)
  })

  it('are refused for a hash that is not their text’s', async () => {
    const commits = auctionOf(1_500, 50)
    const bad = commits.map((commit, i) => (i < 20 ? commit : { ...commit, body: `${commit.body} ` }))
    const { refused } = await pull(bad)
    expect(refused.map(({ reason }) => reason)).to.deep.equal(['the hash is not the body’s'])
    expect(await storedSeq(commits)).to.equal(commits[19]?.lastSeq)
  })

  it('leave nothing stored that cannot be read, and are taken in once they can be', async () => {
    checker.fails = true
    const commits = auctionOf(1_500, 50)
    expect(await pull(commits).catch((error: Error) => error.message)).to.equal('the thread has ended')
    checker.fails = false
    expect((await pull(commits)).refused).to.deep.equal([])
    expect(await storedSeq(commits)).to.equal(commits.at(-1)?.lastSeq)
  })
})
