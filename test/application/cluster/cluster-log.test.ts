import { expect } from 'chai'
import type { NodeError } from '../../../src/ports/node/node-error.js'
import { LogFullError } from '../../../src/ports/store/event-log.js'
import { SharedLogError } from '../../../src/ports/store/shared-log.js'
import { openInYen } from '../../support/auction-mesh.js'
import { settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { MemoryCluster } from '../../support/memory-cluster.js'
import type { MemoryNode } from '../../support/memory-node.js'

describe('a home in a cluster', () => {
  let cluster: MemoryCluster
  /** Run before each call of the first node to the shared log, and after it. */
  let onCall: (call: string) => void | Promise<void>
  let onDone: (call: string) => void | Promise<void>
  let home: MemoryNode
  let bidder: MemoryNode
  let rival: MemoryNode
  let auction: string

  beforeEach(async () => {
    cluster = new MemoryCluster()
    onCall = onDone = () => {}
    home = await cluster.start('home', { shared: { before: (call) => onCall(call), after: (call) => onDone(call) } })
    bidder = await cluster.start('bidder', { shared: { before: (call) => onCall(call) } })
    rival = await cluster.start('rival', { shared: { before: (call) => onCall(call) } })
    auction = await openInYen(home)
  })

  afterEach(() => cluster.stop())

  const bid = (commandId: string, amount: string, from = bidder) =>
    from.api.bid({ auction, commandId, kind: 'plain', amount })
  const soon = <T>(answer: Promise<T>) => cluster.soon(answer)
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'none',
      (error: NodeError) => error.code,
    )
  const headOf = async ({ store }: MemoryNode) => (await store.auctions.find(auction))?.head
  const unreachable = () => {
    throw new SharedLogError('LOG_UNREACHABLE', 'the log cannot be reached')
  }

  it('answers once the shared log has it, and its own store and all copies follow', async () => {
    expect((await bid('bid_00000001', '10')).outcome.status).to.equal('accepted')
    const shared = cluster.log.find(auction)
    expect(shared?.commits.map(({ firstSeq }) => firstSeq)).to.deep.equal([1, 2])
    expect([...(shared?.outcomes.keys() ?? [])]).to.include('bid_00000001')
    await settle()
    expect(await headOf(home)).to.deep.equal(shared?.head)
    expect(await headOf(bidder)).to.deep.equal(shared?.head)
  })

  it('does nothing while the log cannot be reached, says so, and goes on by itself', async () => {
    onCall = unreachable
    expect(await soon(codeOf(bid('bid_00000001', '10')))).to.equal('LOG_UNREACHABLE')
    expect(cluster.log.find(auction)?.head.seq).to.equal(1)
    onCall = () => {}
    expect((await soon(bid('bid_00000001', '10'))).outcome.status).to.equal('accepted')
    await settle()
    expect((await headOf(home))?.seq).to.equal(2)
  })

  it('finds out by the same append whether one without an answer was stored', async () => {
    let lost = 0
    onDone = (call) => {
      if (call === 'append' && lost++ === 0) throw new SharedLogError('LOG_OUTCOME_UNKNOWN', 'no answer')
    }
    const answer = bid('bid_00000001', '10')
    await settle()
    await cluster.time.advance(200)
    expect((await answer).outcome).to.deep.include({ status: 'accepted', seq: 2 })
    expect(cluster.log.find(auction)?.head.seq).to.equal(2)
  })

  it('says that the outcome is unknown while nobody knows it, and writes nothing else in its place', async () => {
    onDone = (call) => {
      if (call === 'append') throw new SharedLogError('LOG_OUTCOME_UNKNOWN', 'no answer')
    }
    expect(await soon(codeOf(bid('bid_00000001', '10')))).to.equal('OUTCOME_UNKNOWN')
    onDone = () => {}
    const { outcome } = await soon(bid('bid_00000002', '11', rival))
    expect(outcome).to.deep.include({ status: 'accepted', seq: 3 })
    expect((await bid('bid_00000001', '10')).outcome).to.deep.include({ status: 'accepted', seq: 2 })
  })

  it('keeps a refusal in the shared log, so that the command is refused for the same reason ever after', async () => {
    await bid('bid_00000001', '10')
    const refused = await bid('bid_00000002', '5')
    expect(refused.outcome.status).to.equal('rejected')
    expect(cluster.log.find(auction)?.outcomes.get('bid_00000002')?.outcome).to.deep.equal(refused.outcome)
  })

  it('answers a repeated command while its own store has not taken it yet', async () => {
    const store = openMemoryStore({
      beforeAppend: () => {
        if (full) throw new LogFullError()
      },
    })
    let full = false
    const other = await cluster.start('other', { store })
    const lot = await openInYen(other, { commandId: 'cmd_open0003' })
    full = true
    const request = { auction: lot, commandId: 'bid_00000001', kind: 'plain', amount: '10' } as const
    const first = await bidder.api.bid(request)
    expect((await bidder.api.bid(request)).outcome).to.deep.equal(first.outcome)
    expect((await store.auctions.find(lot))?.head.seq).to.equal(1)
    full = false
    await cluster.time.advance(1_000)
    expect((await store.auctions.find(lot))?.head).to.deep.equal(cluster.log.find(lot)?.head)
  })

  it('opens an auction once, whichever node it is asked to open it again', async () => {
    const as = { id: 'usr_1', name: 'A seller' }
    const lot = await openInYen(home, { commandId: 'cmd_open0002', as })
    expect(await openInYen(rival, { commandId: 'cmd_open0002', as })).to.equal(lot)
    expect(await openInYen(rival, { commandId: 'cmd_open0001' })).to.equal('')
    expect(cluster.log.owned().map(([id]) => id)).to.have.members([auction, lot])
  })

  it('catches up with the log before the first command, from an old backup of its own store too', async () => {
    const lone = await cluster.start('lone')
    const lot = await openInYen(lone, { commandId: 'cmd_open0004' })
    await bidder.api.bid({ auction: lot, commandId: 'bid_00000001', kind: 'max', amount: '50' })
    lone.crash()
    cluster.nodes.splice(cluster.nodes.indexOf(lone), 1)
    const { signer } = lone
    const back = await cluster.start('lone', { signer, peerWaitMs: 0, startedAt: cluster.time.now() + 1 })
    await cluster.time.advance(2_000)
    const next = { auction: lot, commandId: 'bid_00000002', kind: 'plain', amount: '40' } as const
    const { outcome } = await soon(home.api.bid(next))
    expect(outcome).to.deep.include({ status: 'accepted', seq: 3 })
    expect(outcome).to.have.nested.property('bid.leads', false)
    await settle()
    expect((await back.store.auctions.find(lot))?.head).to.deep.equal(cluster.log.find(lot)?.head)
  })

  it('puts back byte for byte what the log has lost, before it goes on', async () => {
    const backup = cluster.log.snapshot()
    await bid('bid_00000001', '10')
    await bid('bid_00000002', '11', rival)
    const commits = cluster.log.find(auction)?.commits
    cluster.log.restore(backup)
    expect((await bid('bid_00000003', '12')).outcome).to.deep.include({ status: 'accepted', seq: 4 })
    expect(cluster.log.find(auction)?.commits.slice(0, 3)).to.deep.equal(commits)
    expect([...(cluster.log.find(auction)?.outcomes.keys() ?? [])]).to.include.members(['bid_00000001', 'bid_00000002'])
  })
})
