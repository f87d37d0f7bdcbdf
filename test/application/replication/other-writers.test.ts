import { expect } from 'chai'
import { systemRandom } from '../../../src/adapters/system/system-random.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { commandIdsIn, LoggedIds } from '../../../src/application/replication/logged-ids.js'
import { decide } from '../../../src/domain/decide.js'
import { NO_SECRETS } from '../../../src/domain/pricing.js'
import type { AuctionRecord } from '../../../src/ports/store/auction-repository.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { type MemoryNode, startMemoryNodes } from '../../support/memory-node.js'

/** In a cluster a node was home between two times at which it follows: its own commits come from elsewhere. */
describe('a replica that is not the only writer to its store', () => {
  let time: ManualTime
  let nodes: MemoryNode[]

  beforeEach(async () => {
    time = new ManualTime()
    nodes = await startMemoryNodes(new MemoryNetwork(), time, ['home', 'replica'])
    await time.advance(4_000)
  })

  afterEach(async () => {
    for (const node of nodes) await node.stop()
  })

  const node = (i: number) => nodes[i] as MemoryNode

  /** What the home writes next. */
  function extensions(record: AuctionRecord, count: number): Append[] {
    const entries: Append[] = []
    let { head, state } = record
    for (let i = 1; i <= count; i++) {
      const command = { type: 'ExtendAuction', commandId: `cmd_extend_${i}`, addedMs: 1_000 } as const
      const decision = decide(
        { auction: state, secrets: NO_SECRETS },
        { ...command, now: time.now(), by: state.seller },
      )
      if (!decision.accepted) throw new Error('it was refused')
      const { events } = decision
      const parts = { auctionId: record.auctionId, firstSeq: head.seq + 1, prevHash: head.hash, events }
      const commit = sealCommit(parts, node(0).signer)
      state = decision.next.auction
      entries.push({ commit, prevHash: head.hash, events, state })
      head = { seq: commit.lastSeq, hash: commit.hash }
    }
    return entries
  }

  async function followed(): Promise<AuctionRecord> {
    const terms = { title: 'Lot', currency: 'EUR', start: '1', closesInMs: 3_600_000 }
    const { outcome } = await node(0).api.open({ commandId: 'cmd_writers_0001', ...terms })
    await settle()
    const { auctionId } = outcome
    await node(0).api.extend({ auction: auctionId, commandId: 'cmd_writers_0002', addedMs: 1_000 })
    await settle()
    const record = (await node(1).services.parts.auctions.find(auctionId)) as AuctionRecord
    expect(record.head.seq).to.equal(2)
    return record
  }

  it('goes on from what another has written there', async () => {
    const entries = extensions(await followed(), 3)
    const { eventLog, replicator } = node(1).services.parts
    await eventLog.append(entries[0] as Append)
    const { stored, gaps } = await replicator.ingest(entries.slice(1).map(({ commit }) => commit))
    expect({ stored, gaps }).to.deep.equal({ stored: 2, gaps: [] })
  })

  it('takes nothing twice, and blames nobody, if another writes the same at this moment', async () => {
    const entries = extensions(await followed(), 3)
    const { eventLog, replicator } = node(1).services.parts
    const ingest = replicator.ingest(entries.map(({ commit }) => commit))
    const writing = entries.map((entry) => eventLog.append(entry).catch(() => 'refused'))
    const { refused, gaps } = await ingest
    await Promise.all(writing)
    expect({ refused, gaps }).to.deep.equal({ refused: [], gaps: [] })
    const head = (await node(1).services.parts.auctions.find(entries[0]?.commit.auctionId ?? ''))?.head
    expect(head?.hash).to.equal(entries.at(-1)?.commit.hash)
  })

  it('counts as logged what the log holds up to a seq, however far it has grown meanwhile', async () => {
    const store = openMemoryStore()
    const auction = new CommitBuilder()
    const entries = [auction.open(), auction.bids(1), auction.bids(1)]
    for (const entry of entries) await store.eventLog.append(entry)
    const loggedIds = new LoggedIds({ eventLog: store.eventLog, random: systemRandom })
    const ids = (entry: Append | undefined) => commandIdsIn(entry?.events ?? [])
    const known = await loggedIds.upTo(auction.auctionId, 2)
    expect(known.addAll(ids(entries[1]))).to.equal(0)
    expect(known.addAll(ids(entries[2]))).to.equal(-1)
    await store.close()
  })
})
