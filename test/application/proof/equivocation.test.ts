import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import { judgeProof, proofOf } from '../../../src/application/proof/equivocation.js'
import { ExportFormatError } from '../../../src/application/proof/export-format.js'
import { formatOf, PROOF_FORMAT, proofLines, readProof } from '../../../src/application/proof/proof-file.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { EquivocationProof } from '../../../src/ports/store/equivocation-repository.js'
import { startAuctionMesh } from '../../support/auction-mesh.js'
import { LongAuction } from '../../support/long-auction.js'
import { type ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

/** The commit with its first bid by somebody else, as the home would sign it. */
function otherVersion(commit: Commit, auction: Pick<LongAuction, 'signer'>): Commit {
  const { events, ...parts } = readBody(commit.body)
  const changed = events.map((event) => ({ ...event, at: event.at + 1 }))
  return sealCommit({ ...parts, events: changed }, auction.signer)
}

const rules = (proof: EquivocationProof): string => {
  const judged = judgeProof(proof, verifier)
  return judged.proven ? 'proven' : judged.rule
}

describe('a proof of equivocation', () => {
  const auction = new LongAuction({ bids: 12, bidsPerCommit: 3 })
  const commits = [...auction.commits()]
  const [opening, one, two] = commits as [Commit, Commit, Commit]
  const fork = otherVersion(one, auction)

  it('holds for two commits of one number, in either order, and says from which event on', () => {
    for (const proof of [proofOf([opening], one, fork), proofOf([opening], fork, one)]) {
      const judged = judgeProof(proof, verifier)
      expect(judged.proven && judged.by).to.include({ auctionId: auction.auctionId, seq: 2 })
      expect(judged.proven && judged.by.author.publicKey).to.equal(auction.signer.publicKey)
    }
  })

  it('holds for a commit that follows upon another one than was signed', () => {
    const judged = judgeProof(proofOf([opening], fork, two), verifier)
    expect(judged.proven && judged.by.seq).to.equal(one.lastSeq)
  })

  it('holds for commits that overlap', () => {
    const { events } = readBody(one.body)
    const shorter = sealCommit(
      { auctionId: one.auctionId, firstSeq: 2, prevHash: opening.hash, events: events.slice(0, 1) },
      auction.signer,
    )
    expect(rules(proofOf([opening], one, shorter))).to.equal('proven')
  })

  it('does not hold for commits that agree, are the same, or lie apart', () => {
    const none = 'its commits do not contradict each other'
    expect(rules(proofOf([opening], one, two))).to.equal(none)
    expect(rules(proofOf([opening], one, one))).to.equal(none)
    expect(rules(proofOf([opening], fork, commits[3] as Commit))).to.equal(none)
  })

  it('does not hold against a home whose key did not sign, or whose auction it is not', () => {
    const mallory = new LongAuction({ bids: 12, bidsPerCommit: 3 })
    const [otherOpening, otherOne] = [...mallory.commits()] as [Commit, Commit]
    expect(rules(proofOf([opening], one, otherVersion(one, mallory)))).to.contain('not signed by the home')
    expect(rules(proofOf([opening], one, { ...fork, signature: one.signature }))).to.contain('signature')
    expect(rules(proofOf([opening], one, otherOne))).to.contain('not of one auction')
    expect(rules(proofOf([one], one, fork))).to.contain('opening')
    expect(rules(proofOf([otherOpening], one, fork))).to.contain('not of one auction')
    const body = fork.body.replace('Bidder', 'Border')
    expect(rules(proofOf([opening], one, { ...fork, body }))).to.contain('hash')
  })

  it('comes back from a file as it was, and says where the file was altered', async () => {
    const proof = proofOf([opening], one, fork)
    const bytes = Buffer.from([...proofLines(proof)].join(''))
    const stream = async function* (content: Buffer) {
      yield content
    }
    expect(await formatOf(stream(bytes))).to.equal(PROOF_FORMAT)
    expect(await readProof(stream(bytes))).to.deep.equal(proof)
    for (let at = 0; at < bytes.length; at += 7) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] as number) ^ 1
      const error = await readProof(stream(flipped)).then(
        () => null,
        (reason: unknown) => reason,
      )
      if (!(error instanceof ExportFormatError)) throw new Error(`byte ${at}: ${String(error)}`)
      expect(error.place.line).to.equal(bytes.subarray(0, at).toString('latin1').split('\n').length)
    }
    const cut = await readProof(stream(bytes.subarray(0, bytes.lastIndexOf('\n', bytes.length - 2) + 1))).catch(String)
    expect(cut).to.contain('cut')
  })
})

describe('a home that signs two histories', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]
  let auction: string
  let real: Commit
  let fork: Commit

  beforeEach(async () => {
    ;({ time, network, nodes, auction } = await startAuctionMesh(['home', 'anna', 'bert']))
    await node(1).api.bid({ auction, commandId: 'bid_00000001', kind: 'plain', amount: '10' })
    await settle()
    real = (await node(0).api.log({ auction, fromSeq: 2 })).commits[0] as Commit
    fork = otherVersion(real, node(0))
  })

  afterEach(async () => {
    for (const one of nodes) await one.stop()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  const disputedAt = (i: number) =>
    node(i)
      .api.show({ auction })
      .then(({ disputed }) => disputed)
  const ingest = (i: number, commits: Commit[]) => node(i).services.parts.replicator.ingest(commits)

  it('is found out by a replica that is offered both, and all peers hear of it', async () => {
    expect(await disputedAt(1)).to.equal(false)
    await ingest(1, [fork])
    await settle()
    for (const i of [0, 1, 2]) expect(await disputedAt(i)).to.equal(true)
    const proof = await node(2).api.proof({ auction })
    expect(proof && judgeProof(proof, verifier).proven).to.equal(true)
    const { items } = await node(2).api.events({ auction, fromSeq: 1, waitMs: 0 })
    expect(items.every(({ disputed }) => disputed)).to.equal(true)
    expect((await node(1).api.list({})).auctions.map(({ disputed }) => disputed)).to.deep.equal([true])
    expect((await node(1).api.log({ auction, fromSeq: 2 })).commits).to.deep.equal([real])
  })

  it('is found out by its next commit, which follows upon another than ours', async () => {
    const { events } = readBody(real.body)
    const [bid] = events
    if (bid?.type !== 'BidPlaced') throw new Error('expected a bid')
    const next = sealCommit(
      {
        auctionId: auction,
        firstSeq: 3,
        prevHash: fork.hash,
        events: [{ ...bid, bidId: 'bid_x', bidder: { id: 'node_x', name: 'x' }, amount: 11, price: 11 }],
      },
      node(0).signer,
    )
    await ingest(1, [next])
    await settle()
    expect(await disputedAt(2)).to.equal(true)
  })

  it('is found out when heads are compared', async () => {
    const lone = new MemoryNode({
      name: 'lone',
      network: new MemoryNetwork(),
      members: network.members,
      time,
      signer: node(2).signer,
    })
    await lone.start()
    const opening = (await node(0).api.log({ auction, fromSeq: 1 })).commits[0] as Commit
    await lone.services.parts.replicator.ingest([opening, fork])
    await node(2).stop()
    nodes.pop()
    await lone.stop()
    nodes.push(await new MemoryNode({ name: 'bert', network, time, store: lone.store, signer: lone.signer }).start())
    await settle()
    await time.advance(30_000)
    expect(await Promise.all([0, 1, 2].map(disputedAt))).to.deep.equal([true, true, true])
  })

  it('is sent to peers that appear later', async () => {
    await ingest(1, [fork])
    await settle()
    nodes.push(await new MemoryNode({ name: 'late', network, time }).start())
    await settle()
    await time.advance(5_000)
    expect(await disputedAt(3)).to.equal(true)
  })

  it('is not accused by what others sign, and a false proof is refused', async () => {
    await ingest(1, [otherVersion(real, node(2))])
    const opening = (await node(0).api.log({ auction, fromSeq: 1 })).commits[0] as Commit
    const forged = proofOf([opening], real, otherVersion(real, node(2)))
    const error = await node(1)
      .services.parts.peerService.reportEquivocation(forged, node(0).info.nodeId)
      .catch((reason: { code: string }) => reason.code)
    expect(error).to.equal('INVALID_INPUT')
    await settle()
    for (const i of [0, 1, 2]) expect(await disputedAt(i)).to.equal(false)
  })

  it('of auctions that nobody knows takes no more room than its bringer and its author have, over a restart', async () => {
    const budget = () => node(1).services.parts.budgets.of('kept-proofs')
    const proofs = Array.from({ length: 40 }, () => {
      const own = new LongAuction({ bids: 2_000, bidsPerCommit: 2_000 })
      const [first, second] = [...own.commits()] as [Commit, Commit]
      return proofOf([first], second, otherVersion(second, own))
    })
    const bytes = proofs.reduce((sum, { first, second }) => sum + first.body.length + second.body.length, 0)
    const limit = bytes / 4
    const store = node(1).store
    await node(1).stop()
    const again = async () => {
      nodes[1] = await new MemoryNode({
        name: 'dora',
        network,
        time,
        store,
        budgets: { 'kept-proofs': limit },
      }).start()
      await settle()
    }
    await again()
    const codes = new Set<string>()
    const flood = async () => {
      for (const proof of proofs)
        await node(1)
          .services.parts.peerService.reportEquivocation(proof, 'node_flooder')
          .then(
            () => codes.add('ok'),
            (reason: { code: string }) => codes.add(reason.code),
          )
    }
    await flood()
    expect([...codes]).to.have.members(['ok', 'BUSY'])
    const kept = (await store.equivocations.owners()).length
    expect(kept).to.be.within(5, 15)
    expect(budget().isSpent('node_flooder')).to.equal(true)
    await node(1).stop()
    await again()
    await flood()
    expect((await store.equivocations.owners()).length).to.equal(kept)
    // Another one is believed all the same.
    await ingest(1, [fork])
    await settle()
    expect(await disputedAt(1)).to.equal(true)
  })

  it('is not suspected where a commit arrives twice', async () => {
    await ingest(1, [real])
    const opening = (await node(0).api.log({ auction, fromSeq: 1 })).commits[0] as Commit
    await ingest(1, [opening])
    expect(await disputedAt(1)).to.equal(false)
  })
})
