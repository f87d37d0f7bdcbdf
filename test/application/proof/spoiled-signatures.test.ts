import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { isSigned, sealCommit } from '../../../src/application/log/commit.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import { judgeProof } from '../../../src/application/proof/equivocation.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import type { Commit } from '../../../src/domain/commit.js'
import { startAuctionMesh } from '../../support/auction-mesh.js'
import { type ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

describe('a signature that somebody has spoiled on the way', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]
  let auction: string
  let commits: Commit[]
  let late: MemoryNode

  const node = (i: number) => nodes[i] as MemoryNode
  const spoiled = (place: number) =>
    commits.map((commit, i) =>
      i === place ? { ...commit, signature: (commits[place === 0 ? 1 : 0] as Commit).signature } : commit,
    )
  const pulled = (page: Commit[]) => late.services.parts.replicator.ingestPages([page])

  /** Three commits of the home, a handover, and one of the next home; a node that holds none of it yet. */
  beforeEach(async () => {
    ;({ time, network, nodes, auction } = await startAuctionMesh(['home', 'anna', 'next']))
    for (const [commandId, amount] of [
      ['bid_00000001', '10'],
      ['bid_00000002', '40'],
    ] as const) {
      await node(commandId === 'bid_00000001' ? 1 : 2).api.bid({ auction, commandId, kind: 'plain', amount })
      await settle()
    }
    await node(0).api.handover({ auction, peer: 'next' })
    await settle()
    await node(1).api.bid({ auction, commandId: 'bid_00000003', kind: 'plain', amount: '50' })
    await settle()
    commits = [...(await node(0).api.log({ auction, fromSeq: 1 })).commits]
    // Apart from the others, so that it has only what the test gives it.
    late = new MemoryNode({ name: 'late', network: new MemoryNetwork(), time, members: network.members })
  })

  afterEach(async () => {
    for (const one of nodes) await one.stop()
  })

  it('is found at once where a proof could not do without: openings and handovers are asked of others then', async () => {
    const handover = commits.findIndex(({ body }) => body.includes('AuctionHandedOver'))
    for (const place of [handover, 0]) {
      late = new MemoryNode({ name: 'late', network: new MemoryNetwork(), time, members: network.members })
      const { stored, refused } = await pulled(spoiled(place))
      expect(stored).to.equal(place)
      expect(refused.map(({ reason }) => reason)).to.deep.equal(['the signature is not its author’s'])
      expect((await pulled(commits)).stored).to.equal(commits.length - place)
    }
  })

  /** The node as it is among the others, with what it was given. */
  async function among(): Promise<void> {
    const { store, signer } = late
    late = await new MemoryNode({ name: 'late', network, time, store, signer }).start()
    nodes.push(late)
    await settle()
    await time.advance(2_000)
  }

  it('is fetched again before the log leaves the node as a proof', async () => {
    expect((await pulled(spoiled(1))).refused).to.deep.equal([])
    await among()
    const result = await verifyLog(unplaced(readLog(late.api, auction)), { verifier }, { allSignatures: true })
    expect(result.valid ? 'valid' : result.finding.rule).to.equal('valid')
    const [stored] = await late.store.eventLog.read(auction, 2, { commits: 1, bytes: 1 })
    expect(stored && isSigned(stored, verifier)).to.equal(true)
  })

  it('does not keep a second history of the home from being proven', async () => {
    await pulled(spoiled(1))
    await among()
    const real = commits[1] as Commit
    const { events, ...parts } = readBody(real.body)
    const fork = sealCommit(
      { ...parts, events: events.map((event) => ({ ...event, at: event.at + 1 })) },
      node(0).signer,
    )
    await late.services.parts.replicator.ingest([fork])
    await settle()
    const proof = await late.api.proof({ auction })
    expect(proof && judgeProof(proof, verifier).proven).to.equal(true)
  })

  it('stays where nobody has it whole, and hides nothing of the log', async () => {
    await pulled(spoiled(1))
    await late.start()
    nodes.push(late)
    const page = await late.api.log({ auction, fromSeq: 1 })
    expect(page.commits).to.deep.equal(spoiled(1))
    const result = await verifyLog(unplaced(readLog(late.api, auction)), { verifier })
    expect(result.valid).to.equal(true)
  })
})
