import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import { answerTo } from '../../../src/application/submissions/submission.js'
import type { SubmitResult } from '../../../src/ports/mesh/home-messages.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import type { OpenRequest } from '../../../src/ports/node/node-requests.js'
import type { AuctionRecord } from '../../../src/ports/store/auction-repository.js'
import type { AutoBid } from '../../../src/ports/store/auto-bid-repository.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { Store } from '../../../src/ports/store/store.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, startMemoryNodes } from '../../support/memory-node.js'

const ANNA = { id: 'guest_anna', name: 'Anna' }
const BEA = { id: 'guest_bea', name: 'Bea' }
const HOUR_MS = 3_600_000
const verifier = new Ed25519Verifier()

interface Bid {
  readonly id: string
  readonly euros: number
  readonly by?: typeof ANNA
  readonly max?: boolean
}

describe('an auction whose home was restored from an old backup', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let peer: MemoryNode
  let home: MemoryNode
  /** All that the home has ever written. */
  let written: Append[]
  let store: Store
  let auctionId: string
  /** What the backup holds of these. */
  let backedUp: readonly AutoBid[]
  const running: MemoryNode[] = []

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    written = []
    backedUp = []
    store = openMemoryStore({
      beforeAppend: (entry) => {
        written.push(entry)
      },
    })
    home = await new MemoryNode({ name: 'home', network, time, store }).start()
    peer = (await startMemoryNodes(network, time, ['peer']))[0] as MemoryNode
    running.push(home, peer)
    await time.advance(5_000)
  })

  afterEach(() => {
    for (const node of running.splice(0)) node.crash()
  })

  async function open(request: Partial<OpenRequest> = {}): Promise<void> {
    const { outcome } = await home.api.open({
      commandId: 'cmd_recovery_open',
      title: 'Lot',
      currency: 'EUR',
      start: '10',
      increment: '1',
      closesInMs: HOUR_MS,
      ...request,
    })
    auctionId = outcome.auctionId
  }

  async function bid(node: MemoryNode, { id, euros, by = ANNA, max = false }: Bid): Promise<SubmitResult> {
    const base = { type: 'PlaceBid', auctionId, commandId: id, bidder: by, amount: euros * 100 } as const
    const command = max
      ? ({ ...base, kind: 'max', salt: 'ab'.repeat(16) } as const)
      : ({ ...base, kind: 'plain' } as const)
    const house = node.services.parts.auctionHouse
    return within(answerTo({ command }, (submission) => house.enqueue(submission)))
  }

  async function within<T>(work: Promise<T>): Promise<T> {
    let done = false
    const settled = work.finally(() => {
      done = true
    })
    settled.catch(() => {})
    for (let i = 0; i < 400 && !done; i++) await time.advance(50)
    return settled
  }

  const accepted = async (node: MemoryNode, what: Bid) => {
    const result = await bid(node, what)
    expect(result, JSON.stringify(result)).to.have.nested.property('outcome.status', 'accepted')
    return result
  }
  const seqAt = async (node: MemoryNode) => (await node.api.show({ auction: auctionId })).head.seq

  /** The home comes back with what it had written by then: its first `entries`. */
  async function restored(entries: number): Promise<MemoryNode> {
    await time.advance(2_000)
    expect(await seqAt(peer), 'the peer has it all').to.equal(await seqAt(home))
    home.crash()
    const backup = openMemoryStore()
    for (const entry of written.slice(0, entries)) await backup.eventLog.append(entry)
    for (const known of await store.peers.list(10)) await backup.peers.save(known)
    for (const autoBid of backedUp) await backup.autoBids.save(autoBid)
    const node = await new MemoryNode({
      name: 'home',
      network,
      time,
      store: backup,
      signer: home.signer,
      startedAt: time.now() + 1,
    }).start()
    running.push(node)
    await time.advance(10_000)
    expect((await node.api.status()).held[0]).to.deep.include({ auctionId, because: 'behind' })
    return node
  }

  async function everybodyAgrees(node: MemoryNode): Promise<void> {
    await time.advance(20_000)
    const [own, other] = await Promise.all([node, peer].map(({ api }) => api.show({ auction: auctionId })))
    expect(other?.head).to.deep.equal(own?.head)
    expect(other).to.include({ disputed: false })
  }

  const verified = async () => verifyLog(unplaced(readLog(peer.api, auctionId)), { verifier })

  it('is taken back word for word, and its home goes on with it', async () => {
    await open()
    await accepted(home, { id: 'bid_000000000001', euros: 20, max: true })
    await accepted(home, { id: 'bid_000000000002', euros: 15, by: BEA })
    const node = await restored(2)
    const taken = await within(node.api.takeBack({ auction: auctionId }))
    expect(taken).to.deep.include({ fromSeq: 3, untilSeq: 3, peers: ['peer'], absent: [], isHeld: false })
    expect(taken.lost).to.deep.equal({ reserve: false, maxima: 0, maximaOf: [], leading: false })
    expect((await node.api.status()).held).to.deep.equal([])
    // The maximum that the backup still had answers on.
    const answered = await accepted(node, { id: 'bid_000000000003', euros: 17, by: BEA })
    expect(answered).to.deep.nested.include({ 'outcome.bid.leads': false, 'outcome.bid.price': 1_800 })
    await everybodyAgrees(node)
    await within(node.api.close({ auction: auctionId, commandId: 'cmd_recovery_close' }))
    await everybodyAgrees(node)
    expect(await verified()).to.have.nested.property('summary.decision', 'rerun')
  })

  it('leaves the limits up to which its node bids paused: they may have been lowered since', async () => {
    const theirs = await peer.api.open({
      commandId: 'cmd_recovery_lot',
      title: 'Their lot',
      currency: 'EUR',
      start: '10',
      increment: '1',
    })
    await open()
    await accepted(home, { id: 'bid_000000000001', euros: 20 })
    backedUp = [
      {
        auctionId: theirs.outcome.auctionId,
        limit: 9_000,
        state: 'active',
        refusal: null,
        pending: null,
        updatedAt: 1,
      },
    ]
    const node = await restored(1)
    expect((await node.api.autoBids())[0]?.autoBid).to.include({ state: 'paused', limit: 9_000 })
    await time.advance(60_000)
    expect((await peer.api.show({ auction: theirs.outcome.auctionId })).state.bidCount).to.equal(0)
  })

  it('answers what was accepted before as it was answered then, and counts nothing twice', async () => {
    await open()
    const first = await accepted(home, { id: 'bid_000000000001', euros: 20 })
    const second = await accepted(home, { id: 'bid_000000000002', euros: 90, max: true, by: BEA })
    const extended = await home.api.extend({
      auction: auctionId,
      commandId: 'cmd_recovery_more',
      addedMs: 60_000,
    })
    const node = await restored(1)
    await within(node.api.takeBack({ auction: auctionId }))
    const { closesAt } = (await node.api.show({ auction: auctionId })).state
    expect(await bid(node, { id: 'bid_000000000001', euros: 20 })).to.deep.equal(first)
    expect(await bid(node, { id: 'bid_000000000002', euros: 90, max: true, by: BEA })).to.deep.equal(second)
    const again = await within(node.api.extend({ auction: auctionId, commandId: 'cmd_recovery_more', addedMs: 60_000 }))
    expect(again.outcome).to.deep.equal(extended.outcome)
    expect((await node.api.show({ auction: auctionId })).state.closesAt).to.equal(closesAt)
    const other = await bid(node, { id: 'bid_000000000001', euros: 21 })
    expect(other).to.deep.nested.include({ 'outcome.rejection.code': 'COMMAND_ID_REUSED' })
  })

  it('goes on without maxima that no peer holds, says so in its log, and is unproven in the end', async () => {
    await open()
    await accepted(home, { id: 'bid_000000000001', euros: 90, max: true })
    await accepted(home, { id: 'bid_000000000002', euros: 15, by: BEA })
    const node = await restored(1)
    const taken = await within(node.api.takeBack({ auction: auctionId }))
    expect(taken.lost).to.deep.equal({
      reserve: false,
      maxima: 1,
      maximaOf: ['bid_000000000001'],
      leading: true,
    })
    await everybodyAgrees(node)
    const { state } = await peer.api.show({ auction: auctionId })
    expect(state).to.deep.include({ leader: ANNA, price: 1_600, maximaLostSince: 2 })
    // Whoever led with it leads at the price, and may leave it anew.
    const outbid = await accepted(node, { id: 'bid_000000000003', euros: 17, by: BEA })
    expect(outbid).to.deep.nested.include({ 'outcome.bid.leads': true, 'outcome.bid.price': 1_700 })
    await accepted(node, { id: 'bid_000000000004', euros: 90, max: true })
    await accepted(node, { id: 'bid_000000000005', euros: 30, by: BEA })
    await within(node.api.close({ auction: auctionId, commandId: 'cmd_recovery_close' }))
    await everybodyAgrees(node)
    const verification = await verified()
    expect(verification).to.include({ valid: true })
    expect(verification).to.have.nested.property('summary.decision', 'partly')
    expect(verification)
      .to.have.nested.property('summary.losses')
      .that.deep.equals([{ seq: 4, since: 2 }])
  })

  it('still moves to another home, and from there on, after maxima were lost', async () => {
    await open()
    await accepted(home, { id: 'bid_000000000001', euros: 90, max: true })
    const node = await restored(1)
    await within(node.api.takeBack({ auction: auctionId }))
    await everybodyAgrees(node)
    await within(node.api.handover({ auction: auctionId, peer: 'peer' }))
    await time.advance(5_000)
    const outbid = await accepted(peer, { id: 'bid_000000000002', euros: 17, by: BEA })
    expect(outbid).to.deep.nested.include({ 'outcome.bid.leads': true })
  })

  it('stays held where its reserve is lost, and can be given up for everybody to see', async () => {
    await open({ reserve: '50' })
    await accepted(home, { id: 'bid_000000000001', euros: 20 })
    const node = await restored(0)
    const taken = await within(node.api.takeBack({ auction: auctionId }))
    expect(taken).to.deep.include({ fromSeq: 1, untilSeq: 2, isHeld: true })
    expect(taken.lost).to.include({ reserve: true })
    expect((await node.api.status()).held[0]).to.include({ because: 'secrets-lost' })
    expect(await bid(node, { id: 'bid_000000000002', euros: 60, by: BEA })).to.include({
      code: 'AUCTION_HELD',
    })
    const view = await within(node.api.giveUp({ auction: auctionId, reason: 'disk lost' }))
    expect(view.state).to.include({ status: 'cancelled', by: 'home', reason: 'disk lost' })
    await everybodyAgrees(node)
    expect((await peer.api.show({ auction: auctionId, as: ANNA })).mine).to.equal('lost')
    expect(await verified()).to.deep.nested.include({ valid: true, 'summary.decision': 'none' })
    expect((await node.api.status()).held).to.deep.equal([])
  })

  it('is given up at the end of what its peers hold, and not before', async () => {
    await open()
    await accepted(home, { id: 'bid_000000000001', euros: 20 })
    const node = await restored(1)
    const view = await within(node.api.giveUp({ auction: auctionId }))
    expect(view.head.seq).to.equal(3)
    await everybodyAgrees(node)
  })

  it('is taken back from all members together, and not before all can be asked', async () => {
    await open()
    await accepted(home, { id: 'bid_000000000001', euros: 20 })
    const [away] = (await startMemoryNodes(network, time, ['away'])) as [MemoryNode]
    await time.advance(5_000)
    away.crash()
    const node = await restored(1)
    await time.advance(20_000)
    const refused = await within(node.api.takeBack({ auction: auctionId })).catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(NodeError)
    expect(refused).to.include({ code: 'PEERS_AWAY' })
    expect((refused as NodeError).message).to.include('away')
    expect((await node.api.status()).held).to.have.length(1)
    expect(await bid(node, { id: 'bid_000000000002', euros: 60 })).to.include({ code: 'AUCTION_HELD' })
    const taken = await within(node.api.takeBack({ auction: auctionId, withoutPeers: true }))
    expect(taken.absent).to.deep.equal(['away'])
    await accepted(node, { id: 'bid_000000000003', euros: 60, by: BEA })
  })

  it('is given back the time in which it was held', async () => {
    await open({ closesInMs: 60_000 })
    await accepted(home, { id: 'bid_000000000001', euros: 90, max: true })
    const node = await restored(1)
    const { closesAt } = (await node.api.show({ auction: auctionId })).state
    await time.advance(5 * 60_000)
    await within(node.api.takeBack({ auction: auctionId }))
    const { phase, state } = await node.api.show({ auction: auctionId })
    expect(phase).to.equal('open')
    expect(state.closesAt).to.be.above(closesAt ?? 0)
    await accepted(node, { id: 'bid_000000000002', euros: 95, by: BEA })
    await time.advance(5 * 60_000)
    expect((await node.api.show({ auction: auctionId })).phase).to.equal('closed')
    await everybodyAgrees(node)
  })

  it('is not touched where it is not held', async () => {
    await open()
    for (const ask of [
      () => home.api.takeBack({ auction: auctionId }),
      () => home.api.giveUp({ auction: auctionId }),
    ]) {
      const refused = await within<unknown>(ask()).catch((error: unknown) => error)
      expect(refused).to.include({ code: 'NOT_HELD' })
    }
    await settle()
    expect(((await store.auctions.find(auctionId)) as AuctionRecord).head.seq).to.equal(1)
  })
})
