import { expect } from 'chai'
import { PAGE_TIMEOUT_MS } from '../../../src/application/replication/pull-lane.js'
import { COMPARE_INTERVAL_MS } from '../../../src/application/replication/syncer.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { PeerService } from '../../../src/ports/mesh/peer-service.js'
import type { PulledPage, PullWant } from '../../../src/ports/mesh/sync-messages.js'
import { LongAuction } from '../../support/long-auction.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, type MemoryNodeOptions } from '../../support/memory-node.js'

const AUCTIONS = 150
/** By pretenders, in each answer. */
const OFFERED_AT_ONCE = 100

describe('the initial sync', () => {
  /** Written by homes that are not there: more than two pages of many auctions, and one that takes pages of its own. */
  const histories: Commit[][] = []
  let events = 0
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]

  before(() => {
    for (let i = 0; i < AUCTIONS; i++) histories.push([...new LongAuction({ bids: 6, bidsPerCommit: 2 }).commits()])
    histories.push([...new LongAuction({ bids: 2_600, bidsPerCommit: 1 }).commits()])
    events = histories.reduce((sum, commits) => sum + (commits.at(-1)?.lastSeq ?? 0), 0)
  })

  beforeEach(() => {
    // After the histories: what is dated ahead of a node's clock is not taken.
    time = new ManualTime(Date.UTC(2031, 0, 1))
    network = new MemoryNetwork()
    for (const [opening] of histories) if (opening) network.members.addHomeOf(opening)
    nodes = []
  })

  afterEach(async () => {
    for (const node of nodes) await node.stop()
  })

  /** A node that holds replicas of all of it. `wrap` changes how it serves pulls. */
  async function source(name: string, wrap?: (inner: PeerService) => Partial<PeerService>): Promise<MemoryNode> {
    const node = new MemoryNode({ name, network, time })
    nodes.push(node)
    for (const commits of histories) await node.services.parts.replicator.ingestPages([commits])
    await node.start()
    const inner = node.services.parts.peerService
    const served = wrap
      ? new Proxy(inner, {
          get: (target, key) => {
            const method = wrap(inner)[key as keyof PeerService] ?? target[key as keyof PeerService]
            return (method as (...args: unknown[]) => unknown).bind(target)
          },
        })
      : inner
    network.serve(node.info.address, served, node.time)
    return node
  }

  async function join(name = 'new', budgets: MemoryNodeOptions['budgets'] = {}): Promise<MemoryNode> {
    const node = new MemoryNode({ name, network, time, budgets })
    nodes.push(node)
    return node.start()
  }

  const headsOf = (node: MemoryNode) => node.store.eventLog.heads(null, 1_000)
  const syncOf = (node: MemoryNode) => node.services.parts.syncer.status

  /** Lets simulated time pass until it is synced; returns how much of it did. */
  async function untilSynced(node: MemoryNode, stepMs = 100): Promise<number> {
    const startedAt = time.now()
    while ((await headsOf(node)).length < histories.length || syncOf(node).state !== 'synced') {
      if (time.now() - startedAt > 60_000) throw new Error(`not synced: ${JSON.stringify(syncOf(node))}`)
      await time.advance(stepMs)
      await settle(200)
    }
    return time.now() - startedAt
  }

  const pullsFrom = (node: MemoryNode) =>
    network.calls.filter(({ method, address }) => method === 'pullCommits' && address === node.info.address)

  it('brings everything from several peers at once, many auctions in a call', async () => {
    const sources = [await source('one'), await source('two')]
    await time.advance(1_000)
    const joined = await join()
    await untilSynced(joined)
    expect(await headsOf(joined)).to.deep.equal(await headsOf(sources[0] as MemoryNode))
    expect(syncOf(joined)).to.include({ state: 'synced', done: events, total: events, refused: 0 })
    for (const one of sources) expect(pullsFrom(one)).not.to.deep.equal([])
    expect(pullsFrom(sources[0] as MemoryNode).length + pullsFrom(sources[1] as MemoryNode).length).to.be.below(20)
  })

  it('exchanges no more than a digest between equal nodes', async () => {
    const one = await source('one')
    const two = await source('two')
    await time.advance(2 * COMPARE_INTERVAL_MS)
    const called = new Set(network.calls.map(({ method }) => method))
    expect([...called]).to.include('digest')
    expect([...called]).not.to.include.oneOf(['heads', 'pullCommits'])
    expect(syncOf(one).state).to.equal('synced')
    expect(syncOf(two).state).to.equal('synced')
  })

  it('compares itself with each peer once a round', async () => {
    const peers = 6
    const asked = new Map<string, number>()
    for (let i = 0; i <= peers; i++) {
      const node = await new MemoryNode({ name: `n${i}`, network, time }).start()
      nodes.push(node)
      const inner = node.services.parts.peerService
      const counting = new Proxy(inner, {
        get: (target, key) => {
          if (key === 'digest') asked.set(node.info.name, (asked.get(node.info.name) ?? 0) + 1)
          return (target[key as keyof PeerService] as () => unknown).bind(target)
        },
      })
      network.serve(node.info.address, counting, node.time)
    }
    await settle()
    await time.advance(COMPARE_INTERVAL_MS)
    for (const node of nodes.slice(1)) node.services.parts.syncer.stop()
    await settle()
    asked.clear()
    await time.advance(2 * peers * COMPARE_INTERVAL_MS)
    expect([...asked.values()])
      .to.have.length(peers)
      .and.satisfy((counts: number[]) => {
        return counts.every((count) => Math.abs(count - 2) <= 1) && counts.reduce((a, b) => a + b) === 2 * peers
      })
  })

  it('starts alone, and syncs when a peer appears', async () => {
    const joined = await join()
    await time.advance(1_000)
    expect(syncOf(joined).state).to.equal('alone')
    await source('one')
    await untilSynced(joined)
    expect(syncOf(joined).done).to.equal(events)
  })

  it('goes on with another peer when one dies', async () => {
    let pulls = 0
    const dying = await source('dying', (inner) => ({
      pullCommits: async (wants: readonly PullWant[]) => {
        // Of the first page already: how many each of two peers is asked for depends on the auctions' random ids.
        if (++pulls === 1) dying.crash()
        return inner.pullCommits(wants)
      },
    }))
    await source('sound')
    await time.advance(1_000)
    const joined = await join()
    await untilSynced(joined)
    expect(pulls).to.be.at.least(1)
    expect(syncOf(joined).done).to.equal(events)
  })

  it('goes on with another peer when one stalls, once it has waited for a page for long enough', async () => {
    const stalling = await source('stalling', (inner) => {
      let pulls = 0
      return { pullCommits: (wants) => (++pulls > 0 ? new Promise(() => {}) : inner.pullCommits(wants)) }
    })
    const joined = await join()
    await time.advance(500)
    expect(syncOf(joined)).to.include({ state: 'syncing', done: 0, total: events })
    const sound = await source('sound')
    expect(await untilSynced(joined)).to.be.within(PAGE_TIMEOUT_MS - 1_000, PAGE_TIMEOUT_MS + 3_000)
    expect(pullsFrom(stalling).length).to.be.below(6)
    expect(pullsFrom(sound)).not.to.deep.equal([])
  })

  it('takes nothing from a liar, counts the lie, leaves it alone, and asks another peer', async () => {
    const lied: string[] = []
    const liar = await source('liar', (inner) => ({
      pullCommits: async (wants) =>
        (await inner.pullCommits(wants)).map((page): PulledPage => {
          const last = page.commits.at(-1)
          if (last === undefined) return page
          lied.push(page.auctionId)
          const { signature } = page.commits[0] as Commit
          const forged = page.commits.length > 1 ? { ...last, signature } : { ...last, signature: 'AAAA' }
          return { ...page, commits: [...page.commits.slice(0, -1), forged] }
        }),
    }))
    const joined = await join()
    await time.advance(500)
    await settle(200)
    expect(syncOf(joined).refused).to.be.above(0)
    // One whose next page was on its way when the first was looked at was asked for twice.
    expect(lied.length - new Set(lied).size, 'asked again').to.be.below(4)
    // What stood before the lie was signed for, so it is there; the lie is not.
    for (const { auctionId, seq } of await headsOf(joined)) {
      const history = histories.find(([opening]) => opening?.auctionId === auctionId) ?? []
      expect(seq).to.be.below(history.at(-1)?.lastSeq ?? 0)
    }
    await source('sound')
    await untilSynced(joined)
    expect(await headsOf(joined)).to.deep.equal(await headsOf(liar))
  })

  it('believes no peer that says it has more than it sends', async () => {
    const boaster = await source('boaster', (inner) => ({
      pullCommits: async (wants) => (await inner.pullCommits(wants)).map((page) => ({ ...page, commits: [] })),
    }))
    const joined = await join()
    await time.advance(2_000)
    expect(await headsOf(joined)).to.deep.equal([])
    expect(pullsFrom(boaster).length).to.be.below(10)
    await source('sound')
    await untilSynced(joined)
  })

  /** Says that it has auctions which nobody has, and answers with nothing, late. */
  async function pretender(name: string, delayMs: number, pullMs = delayMs): Promise<MemoryNode> {
    const node = new MemoryNode({ name, network, time })
    nodes.push(node)
    await node.start()
    const inner = node.services.parts.peerService
    const later = <T>(value: T, ms = delayMs) =>
      new Promise<T>((resolve) => {
        time.after(ms, () => resolve(value))
      })
    const served: Partial<PeerService> = {
      digest: () => later([{ prefix: 'auc_0', sum: 'e'.repeat(64) }]),
      heads: ({ afterId }) => {
        const from = afterId === null ? 0 : Number(afterId.slice(-20)) + 1
        const heads = Array.from({ length: OFFERED_AT_ONCE }, (_, i) => ({
          auctionId: `auc_0${name.slice(-1)}00000${String(from + i).padStart(19, '0')}`,
          seq: 9,
          hash: 'f'.repeat(64),
        }))
        return later({ heads, next: heads.at(-1)?.auctionId ?? null })
      },
      pullCommits: (wants) =>
        later(
          wants.map(({ auctionId }) => ({ auctionId, commits: [], head: null })),
          pullMs,
        ),
    }
    const wrapped = new Proxy(inner, {
      get: (target, key) => {
        const method = served[key as keyof PeerService] ?? target[key as keyof PeerService]
        return (method as (...args: unknown[]) => unknown).bind(target)
      },
    })
    network.serve(node.info.address, wrapped, node.time)
    return node
  }

  it('is not held up by a dozen peers that offer without end, and answer late and with nothing', async () => {
    for (let i = 0; i < 12; i++) await pretender(`pretender ${i % 10}`, 900 + 300 * i)
    const joined = await join('new', { awaited: 5 * OFFERED_AT_ONCE })
    await time.advance(10_000)
    await source('honest')
    const startedAt = time.now()
    while ((await headsOf(joined)).length < histories.length) {
      if (time.now() - startedAt > 60_000) throw new Error(`not there: ${JSON.stringify(syncOf(joined))}`)
      await time.advance(100)
      await settle(50)
    }
    const { fullest, limit } = joined.services.parts.budgets.of('awaited').status()
    expect(fullest?.used ?? 0).to.be.at.most(limit)
  })

  it('pulls from others beside peers that keep it waiting, before their pages come', async () => {
    const delayMs = 4_500
    for (let i = 0; i < 3; i++) await pretender(`pretender ${i}`, 10, delayMs)
    const joined = await join()
    while (network.calls.filter(({ method }) => method === 'pullCommits').length < 3) {
      await time.advance(50)
      await settle(50)
    }
    await source('quick')
    const startedAt = time.now()
    while ((await headsOf(joined)).length === 0) {
      if (time.now() - startedAt > delayMs - 500) throw new Error(`not there: ${JSON.stringify(syncOf(joined))}`)
      await time.advance(50)
      await settle(50)
    }
  })

  it('keeps no more of a home than it has a budget for, says so, and leaves who passes it on alone', async () => {
    await source('passing')
    const joined = await join('small', { 'log-bytes': 4_000 })
    for (let i = 0; i < 100; i++) {
      await time.advance(100)
      await settle(20)
    }
    const usage = await joined.store.eventLog.usage()
    expect(usage.length, 'of every home').to.equal(histories.length)
    for (const { bytes } of usage) expect(bytes).to.be.at.most(4_000)
    expect((await headsOf(joined)).filter(({ seq }) => seq > 6).length, 'short ones are whole').to.be.above(100)
    const { budgets: told } = await joined.api.status()
    expect(told.find(({ name }) => name === 'log-bytes')?.refused).to.be.above(0)
    const rests = network.calls.filter(({ method }) => method === 'digest')
    expect(rests.length, 'it is compared with as before').to.be.above(3)
    expect(joined.services.parts.syncer.status.refused).to.equal(0)
  })

  it('takes what one peer claims of an auction for no debt of the others that have it', async () => {
    const boaster = await source('boaster', (inner) => ({
      heads: async (range) => {
        const page = await inner.heads(range)
        return { ...page, heads: page.heads.map((head) => ({ ...head, seq: head.seq + 1_000 })) }
      },
      pullCommits: async (wants) => wants.map(({ auctionId }) => ({ auctionId, commits: [], head: null })),
    }))
    const honest = await source('honest')
    await time.advance(1_000)
    const joined = await join()
    const startedAt = time.now()
    const whole = JSON.stringify(await headsOf(honest))
    while (JSON.stringify(await headsOf(joined)) !== whole) {
      if (time.now() - startedAt > 20_000) throw new Error(`not there: ${JSON.stringify(syncOf(joined))}`)
      await time.advance(100)
      await settle(50)
    }
    expect(boaster.failure).to.equal(null)
  })

  it('goes on where it stopped', async () => {
    let pulls = 0
    const one = await source('one', (inner) => ({
      // Two pages, and then none for this life.
      pullCommits: (wants) => (++pulls > 2 ? new Promise(() => {}) : inner.pullCommits(wants)),
    }))
    const joined = await join()
    for (let i = 0; i < 20 && syncOf(joined).done === 0; i++) {
      await time.advance(100)
      await settle(200)
    }
    joined.crash()
    // What was being written then is written, as it may be by a process that is killed.
    await settle(3_000)
    const stored = (await headsOf(joined)).reduce((sum, { seq }) => sum + seq, 0)
    expect(stored).to.be.within(1, events - 1)
    network.serve(one.info.address, one.services.parts.peerService, one.time)
    const { store, signer } = joined
    const again = new MemoryNode({ name: 'new', network, time, store, signer, startedAt: time.now() + 1 })
    nodes.push(again)
    await again.start()
    await untilSynced(again)
    expect(await headsOf(again)).to.deep.equal(await headsOf(one))
    expect(syncOf(again).done).to.equal(events - stored)
  })
})
