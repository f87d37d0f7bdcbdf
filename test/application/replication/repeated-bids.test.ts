import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionEvent } from '../../../src/domain/events.js'
import { startAuctionMesh } from '../../support/auction-mesh.js'
import { type ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

describe('a command that stands in a log twice', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]
  let auction: string

  const node = (i: number) => nodes[i] as MemoryNode
  const max = (commandId: string, amount: string) => node(1).api.bid({ auction, commandId, kind: 'max', amount })
  const log = async () => (await node(0).api.log({ auction, fromSeq: 1 })).commits as Commit[]

  /** Anna leaves a maximum, and lowers it. */
  beforeEach(async () => {
    ;({ time, network, nodes, auction } = await startAuctionMesh(['home', 'anna', 'bert']))
    await max('bid_00000001', '500')
    await settle()
    await max('bid_00000002', '400')
    await settle()
    await max('bid_00000003', '100')
    await settle()
  })

  afterEach(async () => {
    for (const one of nodes) await one.stop()
  })

  /** The home brings a maximum back that has been withdrawn, in the words in which it was signed then. */
  async function withdrawnAgain(): Promise<Commit> {
    const commits = await log()
    const { events, mandates } = readBody((commits[2] as Commit).body)
    const last = commits.at(-1) as Commit
    const parts = { auctionId: auction, firstSeq: last.lastSeq + 1, prevHash: last.hash }
    const again = events.map((event): AuctionEvent => ({ ...event, at: time.now() }))
    return sealCommit({ ...parts, events: again, mandates }, node(0).signer)
  }

  const reasons = async (commits: Commit[], from = node(2)) =>
    (await from.services.parts.replicator.ingest(commits)).refused.map(({ reason }) => reason)

  it('is refused by a replica, which goes on with what comes in its place', async () => {
    expect(await reasons([await withdrawnAgain()])).to.deep.equal(['bid_00000002 stands in the log twice'])
    expect(await reasons([await withdrawnAgain()])).to.have.length(1)
    await max('bid_00000004', '90')
    await settle()
    expect((await node(2).api.show({ auction })).head.seq).to.equal(5)
  })

  it('is refused by a replica that has started afresh', async () => {
    const { store, signer } = node(2)
    await node(2).stop()
    nodes[2] = new MemoryNode({ name: 'bert', network: new MemoryNetwork(), time, store, signer })
    await node(2).start()
    expect(await reasons([await withdrawnAgain()])).to.deep.equal(['bid_00000002 stands in the log twice'])
  })

  it('is refused in a page that is pulled, and what comes before it is kept', async () => {
    const commits = [...(await log()), await withdrawnAgain()]
    const late = await new MemoryNode({
      name: 'late',
      network: new MemoryNetwork(),
      members: network.members,
      time,
    }).start()
    nodes.push(late)
    const { stored, refused } = await late.services.parts.replicator.ingestPages([commits])
    expect(stored).to.equal(commits.length - 1)
    expect(refused.map(({ reason }) => reason)).to.deep.equal(['bid_00000002 stands in the log twice'])
  })

  it('is refused within one commit', async () => {
    const commits = await log()
    const last = commits.at(-1) as Commit
    const { events } = readBody(last.body)
    const own = (at: number) => ({ ...events[0], bidId: 'bid_00000009', at: time.now() + at }) as AuctionEvent
    const parts = { auctionId: auction, firstSeq: last.lastSeq + 1, prevHash: last.hash }
    const twice = sealCommit({ ...parts, events: [own(0), own(1)], mandates: [] }, node(0).signer)
    const pulled = await node(2).services.parts.replicator.ingestPages([[twice]])
    expect(pulled.refused.map(({ reason }) => reason)).to.deep.equal(['bid_00000009 stands in the log twice'])
  })

  it('is found by verify', async () => {
    const real = node(0).api
    const forged = await withdrawnAgain()
    const api = {
      log: async (request: { auction: string; fromSeq: number }) => {
        const page = await real.log(request)
        const head = { seq: forged.lastSeq, hash: forged.hash }
        return { ...page, commits: [...page.commits, forged], head }
      },
    }
    const result = await verifyLog(unplaced(readLog(api, auction)), { verifier })
    expect(result.valid ? 'valid' : result.finding.code).to.equal('BID_ID')
  })

  describe('or an extension, under the id of a command that its log carries out already', () => {
    async function extendedAgain(commandId: string): Promise<Commit> {
      const commits = await log()
      const last = commits.at(-1) as Commit
      const { closesAt } = (await node(0).api.show({ auction })).state
      const event: AuctionEvent = {
        type: 'AuctionExtended',
        at: time.now(),
        closesAt: (closesAt ?? 0) + 60_000,
        by: 'seller',
        since: null,
        commandId,
        addedMs: 60_000,
      }
      const parts = { auctionId: auction, firstSeq: last.lastSeq + 1, prevHash: last.hash }
      return sealCommit({ ...parts, events: [event], mandates: [] }, node(0).signer)
    }

    beforeEach(async () => {
      const { outcome } = await node(0).api.open({
        commandId: 'cmd_open0002',
        title: 'Pic#2',
        currency: 'JPY',
        start: '10',
        increment: '1',
        closesInMs: 3_600_000,
      })
      auction = outcome.auctionId
      await settle()
      await max('bid_00000011', '500')
      await node(0).api.extend({ auction, commandId: 'cmd_extend01', addedMs: 60_000 })
      await settle()
    })

    for (const commandId of ['cmd_extend01', 'bid_00000011'])
      it(`is refused by replicas, and found by verify: ${commandId}`, async () => {
        const forged = await extendedAgain(commandId)
        const rule = `${commandId} stands in the log twice`
        const pulled = await node(2).services.parts.replicator.ingestPages([[forged]])
        expect(pulled.refused.map(({ reason }) => reason)).to.deep.equal([rule])
        const commits = [...(await log()), forged]
        const placed = (async function* () {
          for (const commit of commits) yield { commit, place: null }
        })()
        const result = await verifyLog(placed, { verifier })
        expect(result.valid ? 'valid' : result.finding).to.deep.include({ code: 'BID_ID' })
      })

    it('is taken under an id of its own', async () => {
      const forged = await extendedAgain('cmd_extend02')
      const pulled = await node(2).services.parts.replicator.ingestPages([[forged]])
      expect(pulled.refused).to.deep.equal([])
    })
  })
})
