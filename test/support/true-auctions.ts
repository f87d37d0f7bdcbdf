import fc from 'fast-check'
import { takeOver } from '../../src/application/log/cluster-takeover.js'
import { sealCommit } from '../../src/application/log/commit.js'
import type { Party } from '../../src/domain/party.js'
import type { SignedReceipts } from '../../src/ports/store/receipt-repository.js'
import { SeededRandom } from '../sim/seeded-random.js'
import { Ed25519KeyRing } from '../sim/sim-keys.js'
import { MemoryClusterSigner } from './cluster-auction.js'
import type { ForgedLog } from './forged-logs.js'
import { ManualTime, settle } from './manual-time.js'
import { MemoryNetwork } from './memory-network.js'
import { MemoryNode } from './memory-node.js'

/** Auctions in which everything happens that can, with the receipts of those who bid. */
export class TrueAuctions {
  readonly time = new ManualTime()
  readonly network = new MemoryNetwork()
  readonly nodes: MemoryNode[] = []
  readonly #random: SeededRandom
  /** Of the nodes that are homes. The forger does not have its key. */
  readonly #cluster: MemoryClusterSigner
  #ids = 0

  /** The same seed gives the same bytes. */
  constructor(seed: string) {
    this.#random = new SeededRandom(seed)
    const ofCluster = this.#random.stream('cluster')
    this.#cluster = new MemoryClusterSigner(() => new Ed25519KeyRing().newSigner(ofCluster))
  }

  async start(): Promise<this> {
    const keys = new Ed25519KeyRing()
    const { network, time } = this
    for (const name of ['home', 'next', 'anna', 'bert']) {
      const random = this.#random.stream(name)
      const signer = keys.newSigner(random)
      const clusterSigner = name === 'home' || name === 'next' ? this.#cluster : undefined
      this.nodes.push(await new MemoryNode({ name, network, time, random, signer, clusterSigner }).start())
    }
    await settle()
    return this
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop()
  }

  get #home(): MemoryNode {
    return this.nodes[0] as MemoryNode
  }

  #id(kind: 'bid' | 'cmd'): string {
    return `${kind}_${String(++this.#ids).padStart(8, '0')}`
  }

  async open(terms: object): Promise<string> {
    const { outcome } = await this.#home.api.open({
      commandId: this.#id('cmd'),
      title: 'Pic#1',
      currency: 'JPY',
      start: '10',
      increment: '0:1,40:5',
      ...terms,
    })
    if (outcome.status !== 'accepted') throw new Error(JSON.stringify(outcome))
    await settle()
    return outcome.auctionId
  }

  async bid(auction: string, who: number, kind: 'plain' | 'max', amount: number, as?: { id: string; name: string }) {
    const request = { auction, commandId: this.#id('bid'), kind, amount: String(amount), ...(as && { as }) }
    const { outcome } = await (this.nodes[who] as MemoryNode).api.bid(request)
    await settle()
    return outcome.status
  }

  async handOver(auction: string): Promise<void> {
    await this.#home.api.handover({ auction, peer: 'next' })
    await settle()
  }

  /** The second node takes it over from the first one. */
  async takeOver(auction: string): Promise<void> {
    const [home, next] = this.nodes as [MemoryNode, MemoryNode]
    const record = await home.store.auctions.find(auction)
    const secrets = await home.store.secrets.secrets(auction)
    if (record === null || secrets === null) throw new Error('the first node is its home')
    const to = { nodeId: next.info.nodeId, publicKey: next.info.publicKey }
    const now = this.time.now()
    const taking = { to, now, since: record.state.at, why: 'home-dead' } as const
    const decision = takeOver({ ...record, secrets }, taking, this.#cluster)
    if (!decision.accepted) throw new Error(JSON.stringify(decision.rejection))
    const { seq, hash: prevHash } = record.head
    const parts = { auctionId: auction, firstSeq: seq + 1, prevHash, events: decision.events }
    const commit = sealCommit(parts, next.signer)
    const { outcomes, sealed } = await home.store.handovers.page(auction, null, 1_000)
    await next.store.handovers.keep(auction, { outcomes, sealed, secrets })
    await next.services.parts.replicator.takeBack([commit], home.info.nodeId)
    for (const node of this.nodes) if (node !== next) await node.services.parts.replicator.ingest([commit])
    await settle()
  }

  buy(auction: string, who: number) {
    return (this.nodes[who] as MemoryNode).api.buyNow({ auction, commandId: this.#id('bid') }).then(() => settle())
  }

  close(auction: string, who = 0, as?: Party) {
    const request = { auction, commandId: this.#id('cmd'), ...(as && { as }) }
    return (this.nodes[who] as MemoryNode).api.close(request).then(() => settle())
  }

  extend(auction: string, closesAt: number, who = 0, as?: Party) {
    const request = { auction, commandId: this.#id('cmd'), closesAt, ...(as && { as }) }
    return (this.nodes[who] as MemoryNode).api.extend(request).then(() => settle())
  }

  cancel(auction: string) {
    return this.#home.api.cancel({ auction, commandId: this.#id('cmd'), reason: 'It broke.' }).then(() => settle())
  }

  async log(auction: string): Promise<ForgedLog & { receipts: SignedReceipts[] }> {
    const { state } = await this.#home.api.show({ auction })
    const receipts: SignedReceipts[] = []
    for (const node of this.nodes) {
      await node.services.parts.receiptKeeper.flush()
      receipts.push(...(await node.store.receipts.list({ auctionId: auction, after: 0, limit: 1_000 })).signed)
    }
    const { commits } = await this.#home.api.log({ auction, fromSeq: 1 })
    const homes = this.nodes.slice(0, 2).map(({ signer }) => signer)
    return { commits, seller: state, homes, receipts }
  }

  /** A node of the same mesh that has none of its auctions. */
  replica(): MemoryNode {
    const { time, network } = this
    return new MemoryNode({ name: 'replica', network: new MemoryNetwork(), time, members: network.members })
  }
}

const STEP = 5_000
const ADA: Party = { id: 'usr_ada000001', name: 'Ada' }

export type History = (house: TrueAuctions) => Promise<string>

/** By what happens in them. */
export const HISTORIES: Readonly<Record<string, History>> = {
  'maxima and a reserve, closed by the seller': async (house) => {
    const auction = await house.open({ reserve: '30', buyNow: '90' })
    await house.bid(auction, 2, 'plain', 10)
    await house.bid(auction, 3, 'max', 25)
    await house.bid(auction, 2, 'max', 20)
    await house.bid(auction, 3, 'max', 40)
    await house.bid(auction, 1, 'plain', 36, ADA)
    await house.bid(auction, 2, 'max', 70)
    await house.bid(auction, 3, 'max', 48)
    await house.close(auction)
    return auction
  },
  'an auction that moves, is extended and ends': async (house) => {
    const now = house.time.now()
    const softClose = { windowMs: STEP, extensionMs: 2 * STEP }
    const auction = await house.open({ opensAt: now + STEP, closesAt: now + 10 * STEP, softClose })
    await house.time.advance(2 * STEP)
    await house.bid(auction, 2, 'max', 30)
    await house.handOver(auction)
    await house.extend(auction, now + 12 * STEP)
    await house.time.advance(9.5 * STEP)
    await house.bid(auction, 3, 'plain', 20)
    await house.time.advance(5 * STEP)
    return auction
  },
  'an auction that is taken over close to its end': async (house) => {
    const softClose = { windowMs: 2 * STEP, extensionMs: STEP }
    const auction = await house.open({ reserve: '20', closesAt: house.time.now() + 10 * STEP, softClose })
    await house.bid(auction, 2, 'max', 30)
    await house.time.advance(9.5 * STEP)
    await house.takeOver(auction)
    await house.bid(auction, 3, 'max', 25)
    await house.time.advance(6 * STEP)
    return auction
  },
  'a maximum that answers twice': async (house) => {
    const auction = await house.open({})
    await house.bid(auction, 2, 'max', 60)
    await house.bid(auction, 3, 'max', 20)
    await house.bid(auction, 3, 'max', 30)
    await house.close(auction)
    return auction
  },
  'a maximum that makes the price': async (house) => {
    const auction = await house.open({})
    await house.bid(auction, 2, 'max', 30)
    await house.bid(auction, 3, 'max', 29)
    await house.close(auction)
    return auction
  },
  'a buy-now': async (house) => {
    const auction = await house.open({ buyNow: '90' })
    await house.buy(auction, 2)
    return auction
  },
  'an auction that moves and is cancelled': async (house) => {
    const auction = await house.open({})
    await house.handOver(auction)
    await house.cancel(auction)
    return auction
  },
  'an auction of an account, extended and closed where its cluster has moved it': async (house) => {
    const now = house.time.now()
    const auction = await house.open({ closesAt: now + 10 * STEP, as: ADA })
    await house.bid(auction, 2, 'max', 30)
    await house.takeOver(auction)
    await house.extend(auction, now + 12 * STEP, 1, ADA)
    await house.extend(auction, now + 13 * STEP, 0, ADA)
    await house.close(auction, 1, ADA)
    return auction
  },
  'an auction that is still open': async (house) => {
    const auction = await house.open({ reserve: '60' })
    await house.bid(auction, 2, 'max', 50)
    await house.bid(auction, 3, 'max', 30)
    return auction
  },
}

export function randomHistories(count: number, seed: number): [string, History][] {
  const auctions = fc.record({
    reserve: fc.option(fc.integer({ min: 10, max: 60 })),
    buyNow: fc.option(fc.integer({ min: 60, max: 90 })),
    closes: fc.boolean(),
    bids: fc.array(
      fc.record({
        who: fc.integer({ min: 1, max: 3 }),
        kind: fc.constantFrom('plain', 'max'),
        amount: fc.integer({ min: 8, max: 99 }),
      }),
      { minLength: 1, maxLength: 10 },
    ),
  })
  return fc.sample(auctions, { numRuns: count, seed }).map(({ reserve, buyNow, closes, bids }, i) => [
    `random auction ${i} of seed ${seed}`,
    async (house) => {
      const auction = await house.open({
        ...(reserve !== null && { reserve: String(reserve) }),
        ...(buyNow !== null && { buyNow: String(buyNow) }),
      })
      await house.bid(auction, 2, 'plain', 10)
      for (const { who, kind, amount } of bids)
        await house.bid(auction, who, kind as 'plain' | 'max', amount, who === 1 ? ADA : undefined)
      if (closes) await house.close(auction)
      return auction
    },
  ])
}
