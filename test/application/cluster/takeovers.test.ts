import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { rendezvous } from '../../../src/application/cluster/rendezvous.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { eventsOf } from '../../../src/application/log/written-body.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { BidPlaced } from '../../../src/domain/events.js'
import type { SubmitResult } from '../../../src/ports/mesh/home-messages.js'
import type { NodeError } from '../../../src/ports/node/node-error.js'
import { SharedLogError } from '../../../src/ports/store/shared-log.js'
import { openInYen } from '../../support/auction-mesh.js'
import { settle } from '../../support/manual-time.js'
import { MemoryCluster } from '../../support/memory-cluster.js'
import { MemoryNode } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

describe('a takeover in a cluster', () => {
  let cluster: MemoryCluster
  let home: MemoryNode
  let others: MemoryNode[]
  let auction: string

  beforeEach(async () => {
    cluster = new MemoryCluster()
    home = await cluster.start('home')
    others = [await cluster.start('left'), await cluster.start('right')]
    auction = await openInYen(home)
  })

  afterEach(() => cluster.stop())

  const bid = (i: number, commandId: string, amount: string, kind: 'plain' | 'max' = 'plain', lot = auction) =>
    (others[i] as MemoryNode).api.bid({ auction: lot, commandId, kind, amount })
  const soon = <T>(answer: Promise<T>) => cluster.soon(answer)
  const homeOf = (lot = auction) => cluster.log.find(lot)?.state.home.nodeId
  const kill = (node: MemoryNode) => {
    node.crash()
    cluster.nodes.splice(cluster.nodes.indexOf(node), 1)
  }
  const verified = async (at: MemoryNode, lot = auction) => {
    const result = await verifyLog(unplaced(readLog(at.api, lot)), { verifier })
    if (!result.valid) throw new Error(result.finding.rule)
    return result.summary
  }
  /** Whoever has taken it over. */
  const taker = (lot = auction) => others.find(({ info }) => info.nodeId === homeOf(lot))

  it('gives the auctions of a node that was killed a new home within seconds, and bidding goes on', async () => {
    expect((await bid(0, 'bid_00000001', '10')).outcome.status).to.equal('accepted')
    kill(home)
    await cluster.time.advance(4_500)
    expect(taker()).to.not.equal(undefined)
    expect((await soon(bid(1, 'bid_00000002', '11'))).outcome).to.deep.include({ status: 'accepted' })
    await settle()
    const summary = await verified(others[0] as MemoryNode)
    expect(summary.homes.map(({ nodeId }) => nodeId)).to.deep.equal([home.info.nodeId, homeOf()])
    const { state } = await (others[0] as MemoryNode).api.show({ auction })
    expect(state.bidCount).to.equal(2)
  })

  it('leaves the auctions of a node that beats where they are', async () => {
    await cluster.time.advance(20_000)
    expect(homeOf()).to.equal(home.info.nodeId)
  })

  it('has the maxima, the reserve and the answers of the home before', async () => {
    const lot = await openInYen(home, { commandId: 'cmd_open0002', reserve: '40' })
    await bid(0, 'bid_00000001', '50', 'max', lot)
    const refused = await bid(1, 'bid_00000002', '9', 'plain', lot)
    kill(home)
    await cluster.time.advance(4_500)
    const answered = await soon(bid(1, 'bid_00000003', '45', 'plain', lot))
    expect(answered.outcome).to.deep.include({ bid: { leads: false, price: 46, reserveMet: true } })
    expect((await soon(bid(1, 'bid_00000002', '9', 'plain', lot))).outcome).to.deep.equal(refused.outcome)
    const repeated = await soon(bid(0, 'bid_00000001', '50', 'max', lot))
    expect(repeated.outcome).to.deep.include({ status: 'accepted', seq: 2 })
    expect(cluster.log.find(lot)?.state.bidCount).to.equal(2)
  })

  it('is made of no disputed auction: nobody goes on with one of two histories, and the status says so', async () => {
    const sound = await openInYen(home, { commandId: 'cmd_open0002' })
    await bid(0, 'bid_00000001', '10')
    await settle()
    const [opening, second] = cluster.log.find(auction)?.commits ?? []
    const [event] = eventsOf(second?.body ?? '') as [BidPlaced]
    const other = { ...event, at: event.at + 1 }
    const parts = { auctionId: auction, firstSeq: 2, prevHash: opening?.hash ?? '', events: [other] }
    await (others[0] as MemoryNode).services.parts.equivocationWatch.offered(sealCommit(parts, home.signer))
    await settle()
    kill(home)
    await cluster.time.advance(12_000)
    expect(homeOf(sound)).to.not.equal(home.info.nodeId)
    expect(homeOf(auction)).to.equal(home.info.nodeId)
    expect(cluster.log.find(auction)?.head.seq).to.equal(2)
    for (const { api } of others) expect((await api.status()).cluster?.disputed).to.deep.equal([auction])
  })

  it('leaves sellers who are accounts in charge: the new home vouches for them, through any node of the cluster', async () => {
    const as = { id: 'usr_ada000001', name: 'Ada' }
    const closesAt = cluster.time.now() + 600_000
    const lots = []
    for (let i = 0; i < 3; i++) lots.push(await openInYen(home, { commandId: `cmd_open000${i + 2}`, as, closesAt }))
    const stranger = await new MemoryNode({ name: 'stranger', network: cluster.network, time: cluster.time }).start()
    cluster.nodes.push(stranger)
    await settle()
    kill(home)
    await cluster.time.advance(4_500)
    for (const [i, lot] of lots.entries()) {
      const [own, other] = [0, 1].map((at) => others[(at + i) % 2] as MemoryNode) as [MemoryNode, MemoryNode]
      const request = (commandId: string) => ({ auction: lot, commandId: `${commandId}${i}`, as })
      const { outcome } = await soon(stranger.api.close(request('cmd_strange')))
      expect(outcome).to.deep.include({ status: 'rejected', rejection: { code: 'NOT_SELLER', seller: 'Ada' } })
      const extended = await soon(own.api.extend({ ...request('cmd_extend'), closesAt: closesAt + 60_000 }))
      expect(extended.outcome.status).to.equal('accepted')
      expect((await soon(other.api.close(request('cmd_close')))).outcome.status).to.equal('accepted')
      await settle()
      for (const node of [...others, stranger]) {
        const { state } = await verified(node, lot)
        expect(state).to.deep.include({ status: 'closed', by: 'seller', closesAt: closesAt + 60_000 })
      }
    }
  })

  it('neither loses nor doubles an acknowledged bid, wherever in a stream of bids the home is killed', async () => {
    for (let round = 0; round < 6; round++) {
      const lot = await openInYen(others[0] as MemoryNode, { commandId: `cmd_round00${round}` })
      const owner = others[0] as MemoryNode
      const bidders = [home, others[1] as MemoryNode]
      const acknowledged = new Map<string, number>()
      const answers = Array.from({ length: 40 }, async (_, i) => {
        for (let turn = 0; turn < i % 7; turn++) await settle(1)
        const commandId = `bid_r${round}x${String(i).padStart(6, '0')}`
        const request = { auction: lot, commandId, kind: 'plain', amount: `${10 + i * 2}` } as const
        const { outcome } = await (bidders[i % 2] as MemoryNode).api.bid(request)
        if (outcome.status === 'accepted') acknowledged.set(commandId, outcome.seq)
      })
      await settle(1 + round * 2)
      owner.crash()
      cluster.nodes.splice(cluster.nodes.indexOf(owner), 1)
      await soon(Promise.allSettled(answers))
      await cluster.time.advance(5_000)
      const seen = await (bidders[0] as MemoryNode).api.history({ auction: lot, limit: 1_000 })
      const bids = new Map(seen.bids.map(({ bidId, seq }) => [bidId, seq]))
      expect(bids.size).to.equal(seen.bids.length)
      for (const [commandId, seq] of acknowledged) expect(bids.get(commandId), commandId).to.equal(seq)
      expect([home.info.nodeId, bidders[1]?.info.nodeId]).to.include(homeOf(lot))
      const { store, signer } = owner
      const startedAt = cluster.time.now() + 1
      others[0] = await cluster.start('left', { store, signer, startedAt, peerWaitMs: 0 })
      await cluster.time.advance(4_000)
    }
  }).timeout(60_000)

  it('lets a home that stood still, and wakes up, write nothing more: what waits there goes to the new home', async () => {
    await bid(0, 'bid_00000001', '10')
    home.time.stall()
    await cluster.time.advance(5_000)
    const now = taker() as MemoryNode
    expect(now).to.not.equal(undefined)
    // What the old home has in its mailbox when it wakes up.
    const late = home.api.bid({
      auction,
      commandId: 'bid_00000009',
      kind: 'plain',
      amount: '90',
      as: { id: 'usr_late', name: 'Late' },
    })
    home.time.resume()
    const { outcome } = await soon(late)
    expect(outcome.status).to.equal('accepted')
    await cluster.time.advance(1_000)
    expect(homeOf()).to.equal(now.info.nodeId)
    await verified(home)
    expect((await home.store.auctions.find(auction))?.head).to.deep.equal(cluster.log.find(auction)?.head)
  })

  it('lets no timer of a home that stood still end the auction that another one has', async () => {
    const closesAt = cluster.time.now() + 6_000
    const lot = await openInYen(home, { commandId: 'cmd_open0002', closesAt })
    home.time.stall()
    await cluster.time.advance(8_000)
    const now = taker(lot) as MemoryNode
    expect(cluster.log.find(lot)?.state.status).to.equal('open')
    home.time.resume()
    await cluster.time.advance(1_000)
    expect(cluster.log.find(lot)?.state).to.deep.include({ status: 'open' })
    await cluster.time.advance(120_000)
    const shared = cluster.log.find(lot)
    expect(shared?.state.status).to.equal('closed')
    expect(shared?.commits.at(-1)?.signer).to.equal(now.signer.publicKey)
  })

  it('moves the end if it fell into the time in which nobody could bid', async () => {
    const closesAt = cluster.time.now() + 2_000
    const lot = await openInYen(home, { commandId: 'cmd_open0002', closesAt })
    kill(home)
    await cluster.time.advance(5_000)
    expect((await soon(bid(0, 'bid_00000001', '10', 'plain', lot))).outcome.status).to.equal('accepted')
    await cluster.time.advance(180_000)
    expect(cluster.log.find(lot)?.state).to.deep.include({ status: 'closed', bidCount: 1 })
  })

  it('takes no auction over that was opened outside of the cluster', async () => {
    const { network, time } = cluster
    const stranger = await new MemoryNode({ name: 'stranger', network, time }).start()
    const lot = await openInYen(stranger, { commandId: 'cmd_open0002' })
    stranger.crash()
    await cluster.time.advance(20_000)
    for (const { store } of others)
      expect((await store.auctions.find(lot))?.state.home.nodeId).to.equal(stranger.info.nodeId)
    expect(cluster.log.find(lot)).to.equal(undefined)
  })

  it('takes over all auctions of a node at once, those first that end first', async () => {
    const lots: string[] = []
    for (let i = 0; i < 300; i++) {
      const closesAt = cluster.time.now() + 3_600_000 - i * 1_000
      const commandId = `cmd_many${String(i).padStart(6, '0')}`
      const { outcome } = await home.api.open({
        ...{ commandId, title: 'Lot', currency: 'JPY', start: '10', increment: '1' },
        closesAt,
      })
      lots.push(outcome.auctionId)
    }
    await settle()
    kill(home)
    cluster.log.appends.length = 0
    await cluster.time.advance(4_500)
    for (const lot of lots) expect(taker(lot), lot).to.not.equal(undefined)
    await settle(1_000)
    const [lot] = lots as [string]
    const { store } = taker(lot) as MemoryNode
    expect((await store.auctions.find(lot))?.head).to.deep.equal(cluster.log.find(lot)?.head)
    const byTaker = others.map(({ info }) =>
      cluster.log.appends.flat().filter((lot) => homeOf(lot) === info.nodeId && lot !== auction),
    )
    for (const taken of byTaker)
      expect(taken).to.deep.equal([...taken].sort((a, b) => lots.indexOf(b) - lots.indexOf(a)))
  }).timeout(60_000)

  it('takes over at once from a node that stops cleanly', async () => {
    cluster.nodes.splice(cluster.nodes.indexOf(home), 1)
    await home.stop()
    await cluster.time.advance(600)
    expect(taker()).to.not.equal(undefined)
  })

  it('gives a node that comes back none of its old auctions, and lets it follow them', async () => {
    await bid(0, 'bid_00000001', '10')
    kill(home)
    await cluster.time.advance(5_000)
    const now = homeOf()
    const { store, signer } = home
    const back = await cluster.start('home', { store, signer, startedAt: cluster.time.now() + 1 })
    await cluster.time.advance(10_000)
    expect(homeOf()).to.equal(now)
    const as = { id: 'usr_new', name: 'New' }
    const { outcome } = await soon(
      back.api.bid({ auction, commandId: 'bid_00000002', kind: 'plain', amount: '20', as }),
    )
    expect(outcome.status).to.equal('accepted')
    expect(await openInYen(back, { commandId: 'cmd_open0003' }).then(homeOf)).to.equal(back.info.nodeId)
  })

  it('reads again if the old home was alive after all and wrote first', async () => {
    let delay = Promise.resolve()
    let go = () => {}
    const slow = await cluster.start('slow', { shared: { before: (call) => (call === 'append' ? delay : undefined) } })
    const lot = await openInYen(slow, { commandId: 'cmd_open0002' })
    delay = new Promise((resolve) => {
      go = resolve
    })
    const answer = bid(0, 'bid_00000001', '10', 'plain', lot)
    await settle()
    slow.time.stall()
    await cluster.time.advance(2_900)
    go()
    await settle()
    slow.time.resume()
    expect((await soon(answer)).outcome).to.deep.include({ status: 'accepted', seq: 2 })
    await cluster.time.advance(3_000)
    expect(cluster.log.find(lot)?.state.bidCount).to.equal(1)
  })

  it('takes nothing over while the log cannot be reached, and does once it can', async () => {
    let isAway = false
    const before = () => {
      if (isAway) throw new SharedLogError('LOG_UNREACHABLE', 'away')
    }
    const lone = new MemoryCluster()
    const first = await lone.start('first', { shared: { before } })
    const second = await lone.start('second', { shared: { before } })
    const lot = await openInYen(first)
    await settle()
    first.crash()
    lone.nodes.shift()
    isAway = true
    await lone.time.advance(10_000)
    expect(lone.log.find(lot)?.state.home.nodeId).to.equal(first.info.nodeId)
    const status = await second.api.status()
    expect(status.cluster?.log.outage).to.include({ code: 'LOG_UNREACHABLE' })
    isAway = false
    await lone.time.advance(4_500)
    expect(lone.log.find(lot)?.state.home.nodeId).to.equal(second.info.nodeId)
    const after = await second.api.status()
    expect(after.cluster?.log.outage).to.equal(null)
    expect(after.cluster?.takeovers).to.have.length(1)
    await lone.stop()
  })

  it('opens the maxima that a home was killed over after the close', async () => {
    const isClosed = (lot: string) => cluster.log.find(lot)?.state.status === 'closed'
    let lot = ''
    const before = () => {
      if (isClosed(lot)) throw new SharedLogError('LOG_UNREACHABLE', 'away')
    }
    const short = await cluster.start('short', { shared: { before } })
    lot = await openInYen(short, { commandId: 'cmd_open0002' })
    const bids = Array.from({ length: 1_100 }, (_, i) => {
      const commandId = `bid_many${String(i).padStart(6, '0')}`
      const as = { id: `usr_${i % 2}`, name: `Bidder ${i % 2}` }
      return home.api.bid({ auction: lot, commandId, kind: 'max', amount: String(100 + i * 2), as })
    })
    await soon(Promise.all(bids))
    await soon(short.api.close({ auction: lot, commandId: 'cmd_close001' }).catch(() => null))
    expect(isClosed(lot)).to.equal(true)
    const state = () => cluster.log.find(lot)?.state
    expect(state()).to.include({ revealed: 1_000 })
    kill(short)
    await cluster.time.advance(10_000)
    expect(state()).to.include({ status: 'closed', revealed: 1_099 })
    expect((await verified(home, lot)).decision).to.equal('rerun')
  }).timeout(60_000)

  it('is made by the next node in the order if the first one does not make it', async () => {
    const [first] = rendezvous(
      auction,
      others.map(({ info }) => info.nodeId),
    ) as [string]
    const lazy = others.find(({ info }) => info.nodeId === first) as MemoryNode
    await lazy.services.parts.takeovers.stop()
    kill(home)
    await cluster.time.advance(4_500)
    expect(homeOf()).to.equal(home.info.nodeId)
    await cluster.time.advance(2_500)
    expect(homeOf()).to.equal(others.find((node) => node !== lazy)?.info.nodeId)
  })

  it('says in the status who is alive', async () => {
    kill(home)
    await cluster.time.advance(4_500)
    const { cluster: status } = await (others[0] as MemoryNode).api.status()
    expect(status?.nodes.map(({ name, state }) => [name, state])).to.deep.equal([
      ['home', 'dead'],
      ['left', 'alive'],
      ['right', 'alive'],
    ])
    expect(status?.cluster).to.equal(cluster.signer.firstKey)
  })

  it('takes nothing from nodes that could not beat because the log was away for all', async () => {
    let isAway = false
    const before = () => {
      if (isAway) throw new SharedLogError('LOG_UNREACHABLE', 'away')
    }
    const lone = new MemoryCluster()
    const first = await lone.start('first', { shared: { before } })
    await lone.start('second', { shared: { before } })
    const lot = await openInYen(first, { closesAt: lone.time.now() + 5_000 })
    await lone.time.advance(1_000)
    isAway = true
    await lone.time.advance(20_000)
    isAway = false
    await lone.time.advance(20_000)
    const state = () => lone.log.find(lot)?.state
    expect(state()?.home.nodeId).to.equal(first.info.nodeId)
    await lone.time.advance(180_000)
    expect(state()?.status).to.equal('closed')
    // The end came while nobody could bid: that time is given back.
    const isExtended = ({ body }: Commit) => body.includes('"by":"outage"')
    expect(lone.log.find(lot)?.commits.some(isExtended)).to.equal(true)
    await lone.stop()
  })

  it('ignores heartbeats by the clock of another server', async () => {
    for (const node of cluster.log.nodes.values()) node.lastBeatAt -= 60_000
    cluster.log.session += 1
    await cluster.time.advance(2_500)
    expect(homeOf()).to.equal(home.info.nodeId)
  })

  it('is not needed for what a node has lost itself: it closes what only the log has left of its auctions', async () => {
    const lone = new MemoryCluster()
    const first = await lone.start('first')
    const lot = await openInYen(first, { closesAt: lone.time.now() + 60_000 })
    first.crash()
    lone.nodes.shift()
    await lone.start('first', { signer: first.signer, startedAt: lone.time.now() + 1 })
    await lone.time.advance(180_000)
    expect(lone.log.find(lot)?.state).to.include({ status: 'closed' })
    await lone.stop()
  })

  it('lets a deposed home write nothing: the log refuses its next commit, and it names the new home', async () => {
    const ask = (node: MemoryNode, commandId: string, amount: number) =>
      new Promise<SubmitResult>((settle) => {
        const bidder = { id: commandId.startsWith('bid_late') ? 'usr_yan' : 'usr_zed', name: 'Z' }
        const command = { type: 'PlaceBid', auctionId: auction, commandId, kind: 'plain', amount, bidder } as const
        node.services.parts.auctionHouse.enqueue({ command, settle })
      })
    for (const [i, amount] of [
      [1, 50],
      [2, 2],
    ] as const) {
      // It has the auction in memory, and hears nothing of the takeover but from the log.
      const old = [home, ...others].find(({ info }) => info.nodeId === homeOf()) as MemoryNode
      expect(await ask(old, `bid_first00${i}`, 10 + i)).to.deep.include({ ok: true })
      for (const { info } of [home, ...others])
        if (info !== old.info) cluster.network.cut(info.address, old.info.address)
      old.time.stall()
      await cluster.time.advance(5_000)
      const length = cluster.log.find(auction)?.commits.length
      old.time.resume()
      const answers = [ask(old, `bid_late00${i}`, amount), ask(old, `bid_later0${i}`, amount + 1)]
      for (const answer of await soon(Promise.all(answers))) expect(answer).to.include({ code: 'NOT_HOME' })
      expect(cluster.log.find(auction)?.commits.length).to.equal(length)
      expect(cluster.log.find(auction)?.outcomes.has(`bid_late00${i}`)).to.equal(false)
      cluster.network.heal()
      await cluster.time.advance(10_000)
    }
  })

  it('tells commands that wait at a deposed home where the auction is', async () => {
    home.time.stall()
    await cluster.time.advance(5_000)
    home.time.resume()
    const error = await soon(
      new Promise<unknown>((resolve) => {
        const command = { type: 'due', auctionId: auction } as const
        home.services.parts.auctionHouse.enqueue({ command: command as never, settle: resolve })
      }),
    )
    expect(error as NodeError).to.include({ code: 'NOT_HOME' })
  })
})
