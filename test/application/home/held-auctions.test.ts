import { expect } from 'chai'
import { FIRST_COMPARISON_MS, FirstComparison } from '../../../src/application/home/first-comparison.js'
import { NO_SECRETS } from '../../../src/domain/pricing.js'
import type { SubmitResult } from '../../../src/ports/mesh/home-messages.js'
import type { AuctionRecord } from '../../../src/ports/store/auction-repository.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { Store } from '../../../src/ports/store/store.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, startMemoryNodes } from '../../support/memory-node.js'
import { silentLogger } from '../../support/silent-logger.js'

const ANNA = { id: 'node_anna', name: 'Anna' }
const HOUR_MS = 3_600_000

describe('an auction that its home must not write to', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let home: MemoryNode
  let made = 0
  const running: MemoryNode[] = []

  beforeEach(() => {
    time = new ManualTime()
    network = new MemoryNetwork()
  })

  afterEach(() => {
    for (const node of running.splice(0)) node.crash()
  })

  async function open(node: MemoryNode): Promise<string> {
    const { outcome } = await node.api.open({
      commandId: `cmd_held${String(++made).padStart(8, '0')}`,
      title: 'Lot',
      currency: 'EUR',
      start: '10',
      increment: '1',
      reserve: '20',
      buyNow: '500',
      closesInMs: HOUR_MS,
    })
    expect(outcome.status).to.equal('accepted')
    return outcome.auctionId
  }

  async function bid(node: MemoryNode, auctionId: string, euros: number, kind: 'plain' | 'max' = 'plain') {
    const commandId = `bid_held${String(++made).padStart(8, '0')}`
    const command = { type: 'PlaceBid', auctionId, commandId, bidder: ANNA, amount: euros * 100 } as const
    const whole = kind === 'plain' ? ({ ...command, kind } as const) : { ...command, kind, salt: 'ab'.repeat(16) }
    let result: SubmitResult | null = null
    node.services.parts.auctionHouse.enqueue({
      command: whole,
      settle: (answer) => {
        result = answer
      },
    })
    for (let i = 0; i < 200 && result === null; i++) await time.advance(50)
    return result as SubmitResult | null
  }
  const code = (result: SubmitResult | null) =>
    result === null ? 'no answer' : result.ok ? result.outcome.status : result.code

  async function again(store: Store, options: { peerWaitMs?: number } = {}): Promise<MemoryNode> {
    const { signer } = home
    const node = await new MemoryNode({ name: 'home', network, time, store, signer, ...options }).start()
    running.push(node)
    return node
  }

  async function comesBack({ store, signer, info: { address } }: MemoryNode): Promise<MemoryNode> {
    const node = await new MemoryNode({ name: 'peer', network, time, store, signer, address }).start()
    running.push(node)
    return node
  }

  describe('because a row of it is damaged', () => {
    const DAMAGE: readonly [string, (store: Store) => Partial<Store>][] = [
      ['the price', (store) => stateOf(store, () => ({ price: 1_000 }))],
      ['the number of bids', (store) => stateOf(store, ({ bidCount }) => ({ bidCount: bidCount + 1 }))],
      ['the leader', (store) => stateOf(store, () => ({ leader: { id: 'node_ann', name: 'Anna' } }))],
      ['the leading bid', (store) => stateOf(store, () => ({ leadingBidId: 'bid_other' }))],
      ['the end', (store) => stateOf(store, ({ closesAt }) => ({ closesAt: (closesAt ?? 0) + 1 }))],
      ['the reserve being met', (store) => stateOf(store, () => ({ reserveMet: false }))],
      ['the seller', (store) => stateOf(store, () => ({ seller: ANNA }))],
      ['the terms', (store) => stateOf(store, ({ terms }) => ({ terms: { ...terms, buyNow: 1_000 } }))],
      ['the reserve', (store) => secretsOf(store, { reserve: { amount: 1, salt: 'ab'.repeat(16) } })],
      ['the lack of a reserve', (store) => secretsOf(store, { reserve: null })],
      ['the leading maximum', (store) => secretsOf(store, { leaderMax: 4_096 })],
      [
        'a sealed maximum',
        ({ secrets }) => ({
          secrets: {
            secrets: (id) => secrets.secrets(id),
            sealed: async (id, limit) =>
              (await secrets.sealed(id, limit)).map((one) => ({ ...one, amount: one.amount + 1 })),
          },
        }),
      ],
      [
        'a sealed maximum that is gone',
        ({ secrets }) => ({ secrets: { secrets: (id) => secrets.secrets(id), sealed: async () => [] } }),
      ],
      [
        'its secrets that are gone',
        ({ secrets }) => ({
          secrets: { secrets: async () => null, sealed: (id, limit) => secrets.sealed(id, limit) },
        }),
      ],
      [
        'the answer to a bid',
        ({ outcomes }) => ({
          outcomes: { record: (all) => outcomes.record(all), find: async () => new Map() },
        }),
      ],
      [
        'a commit',
        ({ eventLog }) => ({
          eventLog: {
            append: (entry) => eventLog.append(entry),
            read: async (id, from, limit) =>
              (await eventLog.read(id, from, limit)).map((one) => ({
                ...one,
                body: one.body.replace('5000', '1000'),
              })),
            readAfter: (position, limit) => eventLog.readAfter(position, limit),
            position: () => eventLog.position(),
            heads: (after, limit) => eventLog.heads(after, limit),
            usage: () => eventLog.usage(),
            replaceSignature: (commit) => eventLog.replaceSignature(commit),
            close: () => eventLog.close(),
          },
        }),
      ],
    ]

    for (const [what, damage] of DAMAGE) {
      it(`says so of ${what} when it is loaded, and writes nothing`, async () => {
        const store = openMemoryStore()
        home = await new MemoryNode({ name: 'home', network, time, store }).start()
        const auctionId = await open(home)
        expect(code(await bid(home, auctionId, 50, 'max'))).to.equal('accepted')
        home.crash()
        const { head } = (await store.auctions.find(auctionId)) as AuctionRecord
        const damaged = await again({ ...store, ...damage(store) })
        expect(code(await bid(damaged, auctionId, 60))).to.equal('AUCTION_HELD')
        expect(code(await bid(damaged, auctionId, 61))).to.equal('AUCTION_HELD')
        const { held } = await damaged.api.status()
        expect(held.map((one) => one.auctionId)).to.deep.equal([auctionId])
        await time.advance(2 * HOUR_MS)
        expect((await store.auctions.find(auctionId))?.head).to.deep.equal(head)
        damaged.crash()
        expect(code(await bid(await again(store), auctionId, 60, 'max'))).to.equal('accepted')
      })
    }
  })

  it('is no auction of which a peer only says that it has more, and never delivers', async () => {
    const silent = { hasCompared: () => true, settled: () => new Promise<void>(() => {}) }
    const comparison = new FirstComparison({
      clock: time,
      logger: silentLogger,
      members: { member: () => null },
      peerRepository: { list: async () => [] },
      syncer: silent,
      timers: time,
    })
    let passed = false
    void comparison.of('auc_boasted').then(() => {
      passed = true
    })
    await settle()
    expect(passed).to.equal(false)
    await time.advance(FIRST_COMPARISON_MS)
    expect(passed).to.equal(true)
  })

  async function homeWithPeer(): Promise<{
    auctionId: string
    peer: MemoryNode
    store: Store
    written: Append[]
  }> {
    const written: Append[] = []
    const store = openMemoryStore({
      beforeAppend: (entry) => {
        written.push(entry)
      },
    })
    home = await new MemoryNode({ name: 'home', network, time, store }).start()
    const [peer] = (await startMemoryNodes(network, time, ['peer'])) as [MemoryNode]
    running.push(peer)
    await time.advance(5_000)
    const auctionId = await open(home)
    expect(code(await bid(home, auctionId, 50))).to.equal('accepted')
    await time.advance(2_000)
    expect((await peer.api.show({ auction: auctionId })).head.seq).to.equal(2)
    home.crash()
    return { auctionId, peer, store, written }
  }

  async function backupOf(store: Store, written: readonly Append[]): Promise<Store> {
    const backup = openMemoryStore()
    for (const entry of written.slice(0, 1)) await backup.eventLog.append(entry)
    for (const known of await store.peers.list(10)) await backup.peers.save(known)
    return backup
  }

  describe('because peers that may hold more of it have not answered since the start', () => {
    const WAIT_MS = 20_000

    it('is not written to for as long as the operator says, and status says for whom it waits', async () => {
      const { auctionId, store } = await homeWithPeer()
      for (const node of running.splice(0)) node.crash()
      const started = time.now()
      const alone = await again(store, { peerWaitMs: WAIT_MS })
      const first = await bid(alone, auctionId, 60)
      expect(code(first)).to.equal('BUSY')
      expect(first).to.have.property('message').that.includes('none of the peers')
      expect((await alone.api.status()).peerWait).to.deep.equal({ peers: ['peer'], until: started + WAIT_MS })
      expect((await store.auctions.find(auctionId))?.head.seq).to.equal(2)
      await time.advance(WAIT_MS)
      expect((await alone.api.status()).peerWait).to.equal(null)
      expect(code(await bid(alone, auctionId, 61, 'max'))).to.equal('accepted')
    })

    it('goes on as soon as one of them answers', async () => {
      const { auctionId, store, peer } = await homeWithPeer()
      peer.crash()
      running.length = 0
      const alone = await again(store, { peerWaitMs: 10 * HOUR_MS })
      expect(code(await bid(alone, auctionId, 60))).to.equal('BUSY')
      await comesBack(peer)
      await time.advance(20_000)
      expect(code(await bid(alone, auctionId, 61, 'max'))).to.equal('accepted')
    })

    it('is not written to by a home that is stopped while it waits: from its last start on nobody could bid', async () => {
      const { auctionId, store, peer } = await homeWithPeer()
      peer.crash()
      running.length = 0
      const alone = await again(store, { peerWaitMs: 10 * HOUR_MS })
      const asked = bid(alone, auctionId, 60)
      await time.advance(1_000)
      const stopped = alone.stop()
      running.length = 0
      await comesBack(peer)
      await time.advance(20_000)
      expect(code(await asked)).to.equal('STOPPING')
      await stopped
      expect((await store.auctions.find(auctionId))?.head.seq).to.equal(2)
    })

    it('gives back an end that falls within the wait', async () => {
      const { auctionId, store } = await homeWithPeer()
      for (const node of running.splice(0)) node.crash()
      const closesAt = (await store.auctions.find(auctionId))?.state.closesAt ?? 0
      await time.advance(closesAt - time.now() - 10_000)
      const alone = await again(store, { peerWaitMs: WAIT_MS })
      await time.advance(WAIT_MS + 5_000)
      const { state, phase } = await alone.api.show({ auction: auctionId })
      expect(phase).to.equal('open')
      expect(state.closesAt).to.be.above(closesAt)
    })

    it('is held at the next command where the peer that knows better comes after that time', async () => {
      const { auctionId, peer, store, written } = await homeWithPeer()
      peer.crash()
      running.length = 0
      const backup = await backupOf(store, written)
      const restored = await again(backup, { peerWaitMs: 0 })
      await time.advance(5_000)
      const back = await comesBack(peer)
      await time.advance(20_000)
      expect((await restored.api.status()).held).to.have.length(1)
      expect(code(await bid(restored, auctionId, 70))).to.equal('AUCTION_HELD')
      expect((await backup.auctions.find(auctionId))?.head.seq).to.equal(1)
      expect((await back.api.show({ auction: auctionId })).disputed).to.equal(false)
    })

    it('is held for good once it turns out that a second history was written', async () => {
      const { auctionId, peer, store, written } = await homeWithPeer()
      peer.crash()
      running.length = 0
      const backup = await backupOf(store, written)
      const restored = await again(backup, { peerWaitMs: 0 })
      await time.advance(5_000)
      expect(code(await bid(restored, auctionId, 70))).to.equal('accepted')
      const { head } = (await backup.auctions.find(auctionId)) as AuctionRecord
      const back = await comesBack(peer)
      await time.advance(90_000)
      expect((await back.api.show({ auction: auctionId })).disputed).to.equal(true)
      expect((await restored.api.status()).held[0]).to.deep.include({ auctionId, because: 'forked' })
      expect(code(await bid(restored, auctionId, 80))).to.equal('AUCTION_HELD')
      await time.advance(2 * HOUR_MS)
      expect((await backup.auctions.find(auctionId))?.head).to.deep.equal(head)
      restored.crash()
      expect(code(await bid(await again(backup), auctionId, 90))).to.equal('AUCTION_HELD')
    })
  })

  it('because its database is older than what it has signed is not written to, and stays undisputed', async () => {
    const { auctionId, peer, store, written } = await homeWithPeer()
    const backup = await backupOf(store, written)
    const restored = await again(backup)
    expect(code(await bid(restored, auctionId, 70))).to.equal('AUCTION_HELD')
    await time.advance(2 * HOUR_MS)
    expect((await backup.auctions.find(auctionId))?.head.seq).to.equal(1)
    const view = await peer.api.show({ auction: auctionId })
    expect(view).to.include({ disputed: false })
    expect(view.head.seq).to.equal(2)
    expect((await restored.api.status()).held[0]?.why).to.include('older than what it wrote')
    const next = await open(restored)
    expect(code(await bid(restored, next, 50))).to.equal('accepted')
  })
})

function stateOf({ auctions }: Store, change: (state: AuctionRecord['state']) => object): Pick<Store, 'auctions'> {
  const find = async (id: string) => {
    const record = await auctions.find(id)
    return record && ({ ...record, state: { ...record.state, ...change(record.state) } } as AuctionRecord)
  }
  const bound = new Proxy(auctions, {
    get: (target, key) => {
      if (key === 'find') return find
      const value = target[key as keyof typeof target] as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { auctions: bound }
}

function secretsOf({ secrets }: Store, change: object): Pick<Store, 'secrets'> {
  return {
    secrets: {
      secrets: async (id) => ({ ...((await secrets.secrets(id)) ?? NO_SECRETS), ...change }),
      sealed: (id, limit) => secrets.sealed(id, limit),
    },
  }
}
