import { expect } from 'chai'
import { sealCommit } from '../../../src/application/log/commit.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import type { Commit } from '../../../src/domain/commit.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { LogFullError } from '../../../src/ports/store/event-log.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, startMemoryNodes } from '../../support/memory-node.js'

const ALL = { commits: 1_000, bytes: 1e9 }

describe('nodes of a mesh', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    nodes = await startMemoryNodes(network, time, ['one', 'two', 'three'])
  })

  afterEach(async () => {
    for (const node of nodes) await node.stop()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  let opened = 0
  const open = async (home: MemoryNode, more: object = {}) => {
    const request = { title: 'Pic#1', currency: 'USDT', start: '75', increment: '0.5', ...more }
    const { outcome } = await home.api.open({
      commandId: `cmd_mesh${String(++opened).padStart(6, '0')}`,
      ...request,
    })
    await settle()
    return outcome.auctionId
  }
  const bid = (from: MemoryNode, auction: string, commandId: string, amount: string) =>
    from.api.bid({ auction, commandId, kind: 'plain', amount })
  const failure = async (promise: Promise<unknown>): Promise<NodeError> => {
    const error = await promise.then(
      () => null,
      (reason: unknown) => reason,
    )
    if (error instanceof NodeError) return error
    throw new Error(`expected a NodeError, got ${String(error)}`)
  }

  it('find each other, and each knows all', async () => {
    for (const one of nodes) {
      const peers = await one.api.peers()
      expect(peers.map(({ state }) => state)).to.deep.equal(['alive', 'alive'])
    }
  })

  it('play the canonical scenario, and all end with the same log', async () => {
    const auction = await open(node(0))
    await open(node(1), { title: 'Pic#2', start: '60' })
    await bid(node(1), auction, 'bid_00000001', '75')
    await bid(node(2), auction, 'bid_00000002', '75.5')
    await bid(node(1), auction, 'bid_00000003', '80')
    await node(0).api.close({ auction, commandId: 'cmd_close001' })
    await settle()
    const views = await Promise.all(nodes.map(({ api }) => api.show({ auction })))
    for (const { state } of views) {
      expect(state.status === 'closed' && state.result.sold && state.result.winner.name).to.equal('two')
      expect(state.price).to.equal(80_000_000)
    }
    expect(new Set(views.map(({ head }) => head.hash)).size).to.equal(1)
    expect(views.map(({ mine }) => mine)).to.deep.equal(['seller', 'won', 'lost'])
    for (const { api } of nodes) expect((await api.list({})).auctions).to.have.length(2)
  })

  it('carry bids that come fast to the home in batches', async () => {
    const auction = await open(node(0), { increment: '0.000001' })
    network.calls.length = 0
    await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        node(1).api.bid({
          auction,
          commandId: `bid_batch${String(i).padStart(5, '0')}`,
          kind: 'max',
          amount: `${80 + i}`,
        }),
      ),
    )
    const submits = network.calls.filter(({ method }) => method === 'submit')
    expect(submits.reduce((sum, { size }) => sum + size, 0)).to.equal(500)
    expect(submits.length).to.be.lessThan(10)
    expect((await node(0).api.show({ auction })).state.bidCount).to.equal(500)
  })

  it('ask again for an answer that got lost, which places the bid once', async () => {
    const auction = await open(node(0))
    network.fault(node(0).info.address, 'answer-lost')
    const placing = bid(node(1), auction, 'bid_00000001', '75')
    await settle()
    network.fault(node(0).info.address, 'none')
    await time.advance(1_000)
    expect((await placing).outcome.status).to.equal('accepted')
    expect((await node(0).api.show({ auction })).state.bidCount).to.equal(1)
  })

  it('call an outcome unknown while answers stay lost; asking again settles it', async () => {
    const auction = await open(node(0))
    network.fault(node(0).info.address, 'answer-lost')
    const placing = failure(bid(node(1), auction, 'bid_00000001', '75'))
    await settle()
    await time.advance(2_000)
    expect((await placing).code).to.equal('OUTCOME_UNKNOWN')
    network.fault(node(0).info.address, 'none')
    await time.advance(5_000)
    const { outcome } = await bid(node(1), auction, 'bid_00000001', '75')
    expect(outcome.status).to.equal('accepted')
    expect((await node(0).api.show({ auction })).state.bidCount).to.equal(1)
  })

  it('give the outcome of what was done also where the auction cannot be read after it', async () => {
    const auction = await open(node(0))
    const { auctions } = node(0).store
    const find = auctions.find.bind(auctions)
    auctions.find = async (id) => {
      const record = await find(id)
      if (record?.state.status === 'closed') throw new Error('the row is not sound')
      return record
    }
    const closed = await node(0).api.close({ auction, commandId: 'cmd_close001' })
    expect(closed.outcome).to.include({ status: 'accepted', seq: 2 })
    expect(closed.auction).to.equal(null)
  })

  it('say HOME_UNREACHABLE while a home is away, and read on', async () => {
    const auction = await open(node(0))
    node(0).crash()
    await time.advance(10_000)
    const error = await failure(bid(node(1), auction, 'bid_00000001', '75'))
    expect(error.code).to.equal('HOME_UNREACHABLE')
    expect(error.message)
      .to.include('one')
      .and.match(/last seen \d{4}-/)
    expect(error.next).to.be.a('string')
    expect((await node(1).api.show({ auction })).homeState).to.equal('dead')
  })

  it('go on when a home comes back, with nothing lost', async () => {
    const auction = await open(node(0))
    await bid(node(1), auction, 'bid_00000001', '75')
    const { store, signer } = node(0)
    node(0).crash()
    await time.advance(10_000)
    nodes[0] = await new MemoryNode({ name: 'one', network, time, store, signer }).start()
    await time.advance(3_000)
    const { outcome } = await bid(node(2), auction, 'bid_00000002', '80')
    expect(outcome.status === 'accepted' && outcome.seq).to.equal(3)
  })

  it('show a node that joins later everything there is', async () => {
    const auction = await open(node(0))
    for (let i = 0; i < 20; i++)
      await bid(node(1 + (i % 2)), auction, `bid_late${String(i).padStart(5, '0')}`, String(75 + i))
    const late = await new MemoryNode({ name: 'late', network, time }).start()
    nodes.push(late)
    await time.advance(1_000)
    expect((await late.api.show({ auction })).head).to.deep.equal((await node(0).api.show({ auction })).head)
  })

  it("answer an accepted bid with its outcome, though the bidder's own disk is full", async () => {
    const auction = await open(node(0))
    node(1).store.participations.add = () => Promise.reject(new LogFullError())
    const { outcome } = await bid(node(1), auction, 'bid_00000001', '75')
    expect(outcome.status).to.equal('accepted')
  })

  it('repair a gap that a lost push has left', async () => {
    const auction = await open(node(0))
    network.fault(node(2).info.address, 'unreachable')
    await bid(node(1), auction, 'bid_00000001', '75')
    await time.advance(8_000)
    network.fault(node(2).info.address, 'none')
    await time.advance(15_000)
    expect((await node(2).api.show({ auction })).head).to.deep.equal((await node(0).api.show({ auction })).head)
  })

  it('know at once that a node has left', async () => {
    await node(2).stop()
    await settle()
    const peers = await node(0).api.peers()
    expect(peers.find(({ name }) => name === 'three')?.state).to.equal('left')
  })

  describe('and commits that are not what they claim', () => {
    const commitsOf = async (from: MemoryNode, auction: string): Promise<Commit[]> => {
      const stored = await from.store.eventLog.read(auction, 1, ALL)
      return stored.map(({ position: _, ...commit }) => commit)
    }

    /** An auction of node one that node three has only the opening of, and the next commit. */
    async function nextCommit(): Promise<{ auction: string; commit: Commit }> {
      const auction = await open(node(0))
      network.fault(node(2).info.address, 'unreachable')
      await bid(node(1), auction, 'bid_00000001', '75')
      await settle()
      return { auction, commit: (await commitsOf(node(0), auction))[1] as Commit }
    }

    const ingest = (commit: Commit) => node(2).services.parts.replicator.ingest([commit])

    async function refused(commit: Commit): Promise<string> {
      const { stored, refused: errors } = await ingest(commit)
      expect(stored).to.equal(0)
      return errors[0]?.reason ?? 'not refused'
    }

    it('stores the real one', async () => {
      const { commit } = await nextCommit()
      expect((await ingest(commit)).stored).to.equal(1)
    })

    it('refuses a changed body', async () => {
      const { commit } = await nextCommit()
      expect(await refused({ ...commit, body: commit.body.replace('75000000', '76000000') })).to.match(/hash/)
    })

    it('refuses another author’s signature', async () => {
      const { commit } = await nextCommit()
      const body = readBody(commit.body)
      expect(await refused(sealCommit(body, node(1).signer))).to.match(/author/)
    })

    it('refuses a signature over something else', async () => {
      const { commit } = await nextCommit()
      const other = sealCommit({ ...readBody(commit.body), firstSeq: 3 }, node(0).signer)
      expect(await refused({ ...commit, signature: other.signature })).to.match(/signature/)
    })

    it('refuses an event that the rules do not allow, even when the home signed it', async () => {
      const { auction, commit } = await nextCommit()
      const body = readBody(commit.body)
      const events = body.events.map((event) => ({ ...event, price: 1 }))
      expect(await refused(sealCommit({ ...body, events }, node(0).signer))).to.match(/breaks a rule/)
      expect((await node(2).api.show({ auction })).state.bidCount).to.equal(0)
    })

    it('refuses a commit that follows another history', async () => {
      const { commit } = await nextCommit()
      const body = readBody(commit.body)
      const prevHash = 'f'.repeat(64)
      expect(await refused(sealCommit({ ...body, prevHash }, node(0).signer))).to.match(/does not follow/)
    })

    it('refuses a commit of a home’s own auction that the home did not write', async () => {
      const { commit } = await nextCommit()
      const body = readBody(commit.body)
      const events = body.events.map((event) => ({
        ...event,
        bidId: 'bid_forged00',
        price: 90000000,
        amount: 90000000,
        bidder: { id: 'node_x', name: 'x' },
      }))
      const forged = sealCommit({ ...body, firstSeq: 3, prevHash: commit.hash, events }, node(0).signer)
      const { stored, refused: errors } = await node(0).services.parts.replicator.ingest([forged])
      expect([stored, errors[0]?.reason]).to.deep.equal([0, 'this node is its home and did not write it'])
    })
  })

  describe('with an auto-bidder', () => {
    it('answer each outbid with the least that leads, up to the limit and no further', async () => {
      const auction = await open(node(0))
      await node(1).api.autoBid({ auction, limit: '80' })
      await settle()
      const price = async () => {
        const { state } = await node(0).api.show({ auction })
        return [state.leader?.name, (state.price ?? 0) / 1e6]
      }
      expect(await price()).to.deep.equal(['two', 75])
      await bid(node(2), auction, 'bid_00000001', '77')
      await settle()
      expect(await price()).to.deep.equal(['two', 77.5])
      await bid(node(2), auction, 'bid_00000002', '79.8')
      await time.advance(5_000)
      expect(await price()).to.deep.equal(['three', 79.8])
      const [auto] = await node(1).api.autoBids()
      expect(auto?.autoBid.state).to.equal('outbid')
      await node(1).api.autoBid({ auction, limit: '100' })
      await settle()
      expect(await price()).to.deep.equal(['two', 80.3])
    })

    it('are outbid by bids of others, and not before anybody has bid', async () => {
      const later = await open(node(0), { opensAt: time.now() + 60_000 })
      const { auction } = await node(1).api.autoBid({ auction: later, limit: '80' })
      expect(auction.mine).to.equal(null)
      expect((await node(1).api.show({ auction: later })).mine).to.equal(null)
      await time.advance(61_000)
      expect((await node(1).api.show({ auction: later })).mine).to.equal('leading')
      await bid(node(2), later, 'bid_00000001', '90')
      await settle()
      expect((await node(1).api.show({ auction: later })).mine).to.equal('outbid')
    })

    it('take no auto-bid that could never bid, and say why', async () => {
      const auction = await open(node(0))
      const low = await failure(node(1).api.autoBid({ auction, limit: '74.99' }))
      expect(low).to.include({ code: 'INVALID_INPUT', field: 'limit' })
      expect(`${low.message}; ${low.next}`).to.equal(
        'limit 74.99 USDT is below 75.00 USDT, where bidding starts; give 75.00 USDT or more',
      )
      const fixed = await open(node(0), { buyNow: '75' })
      const { minimum, buyNowAvailable } = await node(1).api.show({ auction: fixed })
      expect({ minimum, buyNowAvailable }).to.deep.equal({ minimum: null, buyNowAvailable: true })
      const instead = await failure(node(1).api.autoBid({ auction: fixed, limit: '100' }))
      expect(instead.message).to.contain('can be bought at once for 75.00 USDT')
      expect(await node(1).api.autoBids()).to.deep.equal([])
    })

    it('bid no more, and keep no receipts of it, once only buying is left', async () => {
      const auction = await open(node(0), { increment: '10', reserve: '90', buyNow: '90' })
      await node(1).api.autoBid({ auction, limit: '85' })
      await settle()
      await bid(node(2), auction, 'bid_00000001', '86')
      await settle()
      const { minimum, state } = await node(1).api.show({ auction })
      expect([minimum, state.leader?.name]).to.deep.equal([null, 'three'])
      await node(1)
        .api.autoBid({ auction, limit: '85' })
        .catch(() => null)
      const kept = async () => (await node(1).api.receipts({ auction })).signed.length
      const before = await kept()
      await time.advance(600_000)
      expect(await kept()).to.equal(before)
      expect((await node(1).api.autoBids())[0]?.autoBid).to.include({ state: 'outbid', pending: null })
    })

    it('never bid against themselves', async () => {
      const auction = await open(node(0))
      await node(1).api.autoBid({ auction, limit: '80' })
      await time.advance(10_000)
      expect((await node(0).api.show({ auction })).state.bidCount).to.equal(1)
    })

    it('settle a duel of two at one step above the lower limit', async () => {
      const auction = await open(node(0))
      await node(1).api.autoBid({ auction, limit: '90' })
      await node(2).api.autoBid({ auction, limit: '85' })
      for (let i = 0; i < 60; i++) await time.advance(1_000)
      const { state } = await node(0).api.show({ auction })
      expect(state.leader?.name).to.equal('two')
      expect(state.price).to.be.within(85_000_000, 85_500_000)
    })

    it('go on after a restart, asking about the bid that was under way instead of bidding again', async () => {
      const auction = await open(node(0))
      network.fault(node(0).info.address, 'answer-lost')
      await node(1).api.autoBid({ auction, limit: '80' })
      await settle()
      const { store, signer } = node(1)
      expect((await store.autoBids.find(auction))?.pending).to.not.equal(null)
      node(1).crash()
      network.fault(node(0).info.address, 'none')
      nodes[1] = await new MemoryNode({ name: 'two', network, time, store, signer }).start()
      await time.advance(5_000)
      expect((await store.autoBids.find(auction))?.pending).to.equal(null)
      expect((await node(0).api.show({ auction })).state.bidCount).to.equal(1)
      await bid(node(2), auction, 'bid_00000001', '76')
      await time.advance(2_000)
      expect((await node(0).api.show({ auction })).state.leader?.name).to.equal('two')
    })

    it('stop when asked to, and say won or lost at the end', async () => {
      const auction = await open(node(0))
      const other = await open(node(0), { title: 'Other' })
      await node(1).api.autoBid({ auction, limit: '80' })
      await node(1).api.autoBid({ auction: other, limit: '80' })
      await settle()
      await node(1).api.stopAutoBid({ auction: other })
      await bid(node(2), other, 'bid_00000001', '76')
      await time.advance(5_000)
      expect((await node(0).api.show({ auction: other })).state.leader?.name).to.equal('three')
      await node(0).api.close({ auction, commandId: 'cmd_close001' })
      await settle()
      const autos = await node(1).api.autoBids()
      expect(autos.map(({ autoBid }) => autoBid.state).sort()).to.deep.equal(['stopped', 'won'])
    })
  })
})
