import { expect } from 'chai'
import { hashOf } from '../../../src/application/log/commit.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
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
  /** The last one is replaced: its hash is that of the text. */
  const endingIn = (commits: readonly Commit[], body: string): Commit[] =>
    commits.map((commit, i) => (i === commits.length - 1 ? { ...commit, body, hash: hashOf(body) } : commit))

  const SHAPE = "the body's shape: must have auctionId, firstSeq, prevHash, parties, events, mandates"
  const slow: readonly [what: string, text: (length: number) => string][] = [
    ['brackets', (length) => '['.repeat(length / 2) + ']'.repeat(length / 2)],
    ['objects', (length) => `[${'{"a":1},'.repeat(length / 8)}1]`],
    ['keys', (length) => `{${Array.from({ length: length / 16 }, (_, i) => `"${1e10 + i}":1`).join(',')}}`],
  ]

  it('are read at once if they are bids, however many', async () => {
    const commits = auctionOf(2_500, 100)
    expect(commits.reduce((sum, { body }) => sum + body.length, 0)).to.be.above(3 * LENGTH_AT_ONCE)
    expect((await pull(commits)).refused).to.deep.equal([])
    expect(await storedSeq(commits)).to.equal(commits.at(-1)?.lastSeq)
    expect(checker.texts).to.deep.equal([])
  })

  for (const [what, text] of slow)
    it(`are read beside the thread that serves if they are slow to read, and refused: ${what}`, async () => {
      const commits = auctionOf(40, 10)
      const bad = endingIn(commits, text(2 * LENGTH_AT_ONCE))
      const { refused, stored } = await pull(bad)
      expect(refused.map(({ commit, reason }) => [commit.firstSeq, reason])).to.deep.equal([
        [commits.at(-1)?.firstSeq, SHAPE],
      ])
      expect(stored).to.equal(commits.length - 1)
      expect(checker.texts.map(({ hash }) => hash)).to.deep.equal([bad.at(-1)?.hash])
    })

  it('are read there once an answer holds many slow ones, even of different auctions', async () => {
    const short = slow[0]?.[1](LENGTH_AT_ONCE / 4) ?? ''
    const pages = Array.from({ length: 7 }, () => endingIn(auctionOf(10, 5), short))
    const { refused } = await pull(...pages)
    expect(refused.map(({ reason }) => reason)).to.deep.equal(pages.map(() => SHAPE))
    expect(checker.texts).to.have.length(3)
  })

  it('keep no others waiting while they are read there', async () => {
    checker.isHeld = true
    const slowOnes = endingIn(auctionOf(40, 10), slow[0]?.[1](2 * LENGTH_AT_ONCE) ?? '')
    const others = auctionOf(40, 10)
    const pulled = pull(slowOnes)
    await settle()
    expect((await pull(others)).refused).to.deep.equal([])
    expect(await storedSeq(others)).to.equal(others.at(-1)?.lastSeq)
    expect(await storedSeq(slowOnes)).to.equal(undefined)
    checker.release()
    expect((await pulled).refused).to.have.length(1)
  })

  it('are stored once they can be read, and not in part before', async () => {
    checker.fails = true
    const commits = auctionOf(40, 10)
    const bad = endingIn(commits, slow[0]?.[1](2 * LENGTH_AT_ONCE) ?? '')
    expect(await pull(bad).catch((error: Error) => error.message)).to.equal('the thread has ended')
    expect(await storedSeq(commits)).to.equal(undefined)
    checker.fails = false
    expect((await pull(commits)).refused).to.deep.equal([])
    expect(await storedSeq(commits)).to.equal(commits.at(-1)?.lastSeq)
  })
})
