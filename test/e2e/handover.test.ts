import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { NodeError } from '../../src/ports/node/node-error.js'
import type { BidRecord } from '../../src/ports/store/auction-repository.js'
import type { Accepted } from '../../src/ports/store/outcome-repository.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected, vendue, vendueJson } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
/** Grapes of one machine find each other: whatever else is announced there is no peer of these. */
const MESH = { VENDUE_MESH: `handover-${process.pid}` }
const MOVES = 6
const KILLS = 20
/** A handover of a small auction is over within this time, so that kills fall before, into and after it. */
const MAX_KILL_DELAY_MS = 80
/** Before a round's handover begins. */
const BIDS_BEFORE = 20
const BIDDERS_PER_NODE = 8

interface Verified {
  readonly valid: boolean
  readonly bids: number
  readonly homes: readonly { readonly node_id: string; readonly since_seq: number }[]
}

describe('a handover between processes', function () {
  this.timeout(180_000)
  const { home, remove } = makeTempHome()
  let seller: NodeProcess
  let other: NodeProcess
  /** Bids, and is never killed. */
  let bidder: NodeProcess
  let nodes: NodeProcess[]
  let opened = 0
  let sent = 0

  before(async () => {
    const start = (name: string) => NodeProcess.start({ home, name, args: FREE_PORTS, env: MESH })
    seller = await start('seller')
    ;[other, bidder] = await Promise.all([start('other'), start('bidder')])
    nodes = [seller, other, bidder]
    await untilConnected(nodes)
  })

  after(async () => {
    await Promise.all([seller, other, bidder].map((node) => node.end()))
    remove()
  })

  async function open(more: object = {}): Promise<string> {
    const { outcome } = await seller.api.open({
      commandId: `cmd_handover${++opened}`,
      title: `Lot ${opened}`,
      currency: 'EUR',
      start: '0.01',
      increment: '0.01',
      ...more,
    })
    const auction = outcome.auctionId
    for (const { api } of nodes) await eventually('everybody knows it', () => api.show({ auction }))
    return auction
  }

  const idOf = async (node: NodeProcess) => (await node.api.status()).node.nodeId

  /** Waits until all nodes hold the same log, and tells its home. */
  async function agreedHome(auction: string): Promise<string> {
    return eventually(
      'all replicas are equal',
      async () => {
        const views = await Promise.all(nodes.map(({ api }) => api.show({ auction })))
        const [first] = views
        if (first === undefined || views.some(({ head }) => head.hash !== first.head.hash)) return null
        expect(views.filter(({ homeState }) => homeState === 'self')).to.have.length(1)
        return first.state.home.nodeId
      },
      30_000,
    )
  }

  /** Bids from these nodes until told to stop; what was acknowledged lands in `accepted`. */
  function bidding(auction: string, from: readonly NodeProcess[], replicas?: number) {
    const accepted: Accepted[] = []
    const errors: NodeError[] = []
    let stopped = false
    const worker = async (node: NodeProcess) => {
      while (!stopped) {
        sent += 1
        const [commandId, amount] = [`bid_handover${String(sent).padStart(8, '0')}`, (sent / 100).toFixed(2)]
        try {
          // Whoever leads may go on raising the own maximum.
          const request = { auction, commandId, kind: 'max', amount } as const
          const { outcome } = await node.api.bid({ ...request, ...(replicas !== undefined && { replicas }) })
          if (outcome.status === 'accepted') accepted.push(outcome)
        } catch (error) {
          if (!(error instanceof NodeError)) throw error
          errors.push(error)
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
    }
    const workers = from.flatMap((node) => Array.from({ length: BIDDERS_PER_NODE }, () => worker(node)))
    const stop = async () => {
      stopped = true
      await Promise.all(workers)
    }
    const reach = (count: number) =>
      eventually(`${count} bids are acknowledged`, () => accepted.length >= count, 30_000)
    return { accepted, errors, stop, reach }
  }

  async function verified(auction: string): Promise<Verified> {
    const file = join(home, `${auction}.vendue`)
    const exported = await vendue(home, ['export', auction, '--out', file, '--name', 'bidder'])
    expect(exported.code, exported.stderr).to.equal(0)
    return vendueJson<Verified>(home, ['verify', file, '--all', '--receipts', '--name', 'bidder'])
  }

  it('lets bidding go on: no bid of two nodes is lost, doubled or without an answer', async () => {
    const auction = await open()
    const load = bidding(auction, [other, bidder])
    for (let move = 0; move < MOVES; move++) {
      await load.reach((move + 1) * BIDS_BEFORE)
      const [from, to] = [nodes[move % 3], nodes[(move + 1) % 3]] as [NodeProcess, NodeProcess]
      const view = await from.api.handover({ auction, peer: to.options.name })
      expect(view.state.home.nodeId).to.equal(await idOf(to))
      await eventually('the new home has it', async () => {
        return (await to.api.show({ auction })).homeState === 'self'
      })
    }
    await load.reach(load.accepted.length + BIDS_BEFORE)
    await load.stop()
    expect(load.errors.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([])
    expect(await agreedHome(auction)).to.equal(await idOf(seller))
    const stored = await history(bidder, auction)
    expect([...stored.keys()].sort()).to.deep.equal(load.accepted.map(({ commandId }) => commandId).sort())
    for (const { commandId, seq } of load.accepted) expect(stored.get(commandId)?.seq).to.equal(seq)
    const { homes, ...proven } = await verified(auction)
    expect(proven).to.include({ valid: true, bids: stored.size })
    expect(homes).to.have.length(MOVES + 1)
    const ids = await Promise.all(nodes.map(idOf))
    expect(homes.map(({ node_id }) => node_id)).to.deep.equal([...ids, ...ids, ids[0]])
  })

  it('closes on time at the new home although the old one is killed right after', async () => {
    const closesInMs = 4_000
    const auction = await open({ closesInMs })
    await seller.api.handover({ auction, peer: 'other' })
    await seller.end('SIGKILL')
    const { state } = await eventually(
      'it is closed',
      async () => {
        const view = await bidder.api.show({ auction })
        return view.state.status === 'closed' ? view : null
      },
      closesInMs + 10_000,
    )
    expect(state.home.nodeId).to.equal(await idOf(other))
    if (state.status !== 'closed') throw new Error('it has closed')
    expect(state.closedAt - (state.closesAt ?? 0)).to.be.within(0, 1_000)
    await seller.start()
    await untilConnected(nodes)
  })

  it(`has exactly one home and every acknowledged bid after each of ${KILLS} kills of the old or the new one`, async () => {
    const auction = await open()
    const acknowledged: Accepted[] = []
    let moved = 0
    for (let round = 0; round < KILLS; round++) {
      const before = await agreedHome(auction)
      const [from, to] = before === (await idOf(seller)) ? [seller, other] : [other, seller]
      const victim = round % 2 === 0 ? from : to
      const load = bidding(auction, [bidder])
      await load.reach(BIDS_BEFORE)
      const handover = from.api.handover({ auction, peer: to.options.name }).catch((error: Error) => error)
      await new Promise((resolve) => setTimeout(resolve, randomInt(MAX_KILL_DELAY_MS)))
      await victim.end('SIGKILL')
      await load.stop()
      await handover
      acknowledged.push(...load.accepted)
      for (const { code } of load.errors)
        expect(code).to.be.oneOf(['HOME_UNREACHABLE', 'OUTCOME_UNKNOWN', 'BUSY', 'STOPPING'])
      await victim.start()
      await untilConnected(nodes)
      if ((await agreedHome(auction)) !== before) moved += 1
    }
    const stored = await history(bidder, auction)
    for (const { commandId, seq } of acknowledged)
      expect(stored.get(commandId)?.seq, `${commandId} was acknowledged`).to.equal(seq)
    const { homes, ...proven } = await verified(auction)
    expect(proven).to.include({ valid: true, bids: stored.size })
    expect(homes).to.have.length(moved + 1)
    const { outcome } = await seller.api.close({ auction, commandId: 'cmd_handoverclose' })
    expect(outcome.status).to.equal('accepted')
    await agreedHome(auction)
  })

  it('comes before a stop, after which the old home returns as a replica', async () => {
    const auctions = [await open({ reserve: '5' }), await open()]
    const stopped = await vendue(home, ['stop', '--name', 'seller', '--handover', 'other'])
    expect(stopped.code, stopped.stderr).to.equal(0)
    expect(stopped.stdout).to.match(/(\d+) of \1 auctions have moved\.\nNode seller has stopped\./)
    expect(stopped.stdout).not.to.include('until it is back')
    for (const auction of auctions) {
      const commandId = `bid_handover${auction.slice(4, 12)}`
      const { outcome } = await bidder.api.bid({ auction, commandId, kind: 'max', amount: '9' })
      expect(outcome).to.include({ status: 'accepted' })
    }
    await seller.end()
    await seller.start()
    await untilConnected(nodes)
    const there = await idOf(other)
    for (const auction of auctions) expect(await agreedHome(auction)).to.equal(there)
    expect((await seller.api.status()).ownLive).to.equal(0)
    // The seller closes from the node that is no longer the home.
    for (const [i, auction] of auctions.entries()) {
      const { outcome } = await seller.api.close({ auction, commandId: `cmd_handoverend${i}` })
      expect(outcome.status).to.equal('accepted')
    }
  })

  it('is not needed for bids that were acknowledged with replicas: both have them when the home is killed', async () => {
    const auction = await open()
    const load = bidding(auction, [bidder], 2)
    await load.reach(3 * BIDS_BEFORE)
    await seller.end('SIGKILL')
    await load.stop()
    for (const node of [other, bidder]) {
      const stored = await history(node, auction)
      for (const { commandId, seq } of load.accepted)
        expect(stored.get(commandId)?.seq, `${commandId} at ${node.options.name}`).to.equal(seq)
    }
    await seller.start()
    await untilConnected(nodes)
    await agreedHome(auction)
  })
})

/** All accepted bids by id. */
async function history(node: NodeProcess, auction: string): Promise<Map<string, BidRecord>> {
  const all = new Map<string, BidRecord>()
  let beforeSeq: number | undefined
  for (;;) {
    const { bids } = await node.api.history({ auction, limit: 1_000, ...(beforeSeq && { beforeSeq }) })
    for (const bid of bids) all.set(bid.bidId, bid)
    const last = bids.at(-1)
    if (!last) return all
    beforeSeq = last.seq
  }
}
