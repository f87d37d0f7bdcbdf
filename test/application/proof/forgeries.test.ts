import { expect } from 'chai'
import fc from 'fast-check'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { checkReceipts } from '../../../src/application/proof/check-receipts.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { SignedReceipts } from '../../../src/ports/store/receipt-repository.js'
import { type ForgedLog, type Forgery, forgeries, spoiled } from '../../support/forged-logs.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, startMemoryNodes } from '../../support/memory-node.js'

/**
 * Random auctions besides those below, a few hundred forgeries each. `VENDUE_FORGERIES=200 npm test --
 * test/application/proof/forgeries.test.ts` takes a minute or two.
 */
const RANDOM_AUCTIONS = Number(process.env.VENDUE_FORGERIES ?? 3)
/** The same each time, unless more are asked for. */
const SEED = Number(
  process.env.VENDUE_FORGERIES_SEED ?? (process.env.VENDUE_FORGERIES ? Date.now() % 1_000_000_000 : 1),
)

/** What keeps a forgery from being believed; `free` where nothing does. */
type Verdict = 'refused' | 'unproven' | 'receipts' | 'free'

/** A forgery that neither replicas nor verify can refuse, and why that is right. */
interface Free {
  readonly what: RegExp
  readonly verdict: Verdict | readonly Verdict[]
  readonly why: string
}

const FREE: readonly Free[] = [
  {
    what: /^(?!AuctionOpened|AuctionHandedOver)\w+\.at(, without its mandate)?$/,
    verdict: 'free',
    why: "times are the home's clock: others see that it does not run backwards or ahead of theirs, and no more",
  },
  {
    what: /^no (AuctionClosed|AuctionCancelled)$/,
    verdict: 'free',
    why: 'a log without its end is what anybody had who copied it before',
  },
  {
    what: /^AuctionClosed\.commandId(, without its mandate)?$/,
    verdict: 'free',
    why: 'this home is the seller: its own commands have the ids that it gives them',
  },
  {
    what: /^(no MaximaRevealed|MaximaRevealed\.maxima)$/,
    verdict: 'unproven',
    why: 'what is kept shut proves nothing, and is not called valid',
  },
  {
    what: /^(BidPlaced|MaxBidChanged)\.price(, without its mandate)?$/,
    verdict: 'unproven',
    why: "the price would be the winner's maximum, which would have to be opened then",
  },
  {
    what: /^(no MaximaRevealed|MaximaRevealed\.maxima)$/,
    verdict: 'free',
    why: "a maximum of the winner's that made no price changes nothing where it stays shut",
  },
  {
    what: /^no (BidPlaced|MaxBidChanged)$/,
    verdict: ['receipts', 'unproven'],
    why: 'only who has placed a bid knows that it was left out, and has the receipt',
  },
  {
    what: /^(BidPlaced|MaxBidChanged)\.bidder(\.id)?, without its mandate$/,
    verdict: 'receipts',
    why: "the bid was left out, and an account's of the home's own stands in its place, as it may elsewhere",
  },
  {
    what: /^(BidPlaced|MaxBidChanged)\.(price|leads|reserveMet)$/,
    verdict: 'receipts',
    why: 'before the close nobody but its bidder knows what a maximum makes of the price, and of the reserve',
  },
  {
    what: /^no mandate$/,
    verdict: 'free',
    why: 'the home vouches for the account itself then, and so it says: the mandate of the gateway is gone',
  },
  {
    what: /^no AuctionHandedOver$/,
    verdict: 'receipts',
    why: 'the forger has the keys of both homes, which agree on who wrote; but they sign their own receipts',
  },
  {
    what: /^(BidPlaced|MaxBidChanged)\.(?!bidder\.name).*, without its mandate$/,
    verdict: ['receipts', 'unproven'],
    why: 'any node may vouch for an account, the home too; the gateway that brought the bid has the receipt',
  },
  {
    what: /^(BidPlaced|MaxBidChanged)\.(bidder|bidder\.name|commitment|amount), without its mandate$/,
    verdict: 'free',
    why: 'any node may vouch for an account, and so for its name: the log shows which one did',
  },
]

class CachingVerifier extends Ed25519Verifier {
  readonly #known = new Map<string, boolean>()

  override verify(text: string, signature: string, publicKey: string): boolean {
    const key = `${publicKey}${signature}${text}`
    const known = this.#known.get(key) ?? super.verify(text, signature, publicKey)
    this.#known.set(key, known)
    return known
  }
}

const verifier = new CachingVerifier()

async function* placed(commits: readonly Commit[]) {
  for (const commit of commits) yield { commit, place: null }
}

/** Auctions in which everything happens that can, with the receipts of those who bid. */
class TrueAuctions {
  readonly time = new ManualTime()
  readonly network = new MemoryNetwork()
  nodes: MemoryNode[] = []
  #ids = 0

  async start(): Promise<this> {
    this.nodes = await startMemoryNodes(this.network, this.time, ['home', 'next', 'anna', 'bert'])
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

  buy(auction: string, who: number) {
    return (this.nodes[who] as MemoryNode).api.buyNow({ auction, commandId: this.#id('bid') }).then(() => settle())
  }

  close(auction: string) {
    return this.#home.api.close({ auction, commandId: this.#id('cmd') }).then(() => settle())
  }

  extend(auction: string, closesAt: number) {
    return this.#home.api.extend({ auction, commandId: this.#id('cmd'), closesAt }).then(() => settle())
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
const ADA = { id: 'usr_ada000001', name: 'Ada' }

/** By what happens in them. */
const HISTORIES: Readonly<Record<string, (house: TrueAuctions) => Promise<string>>> = {
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
  'an auction that is still open': async (house) => {
    const auction = await house.open({ reserve: '60' })
    await house.bid(auction, 2, 'max', 50)
    await house.bid(auction, 3, 'max', 30)
    return auction
  },
}

function randomHistories(): [string, (house: TrueAuctions) => Promise<string>][] {
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
  return fc.sample(auctions, { numRuns: RANDOM_AUCTIONS, seed: SEED }).map(({ reserve, buyNow, closes, bids }, i) => [
    `random auction ${i} of seed ${SEED}`,
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

describe('a forger with the keys of the homes', () => {
  const house = new TrueAuctions()
  let replica: MemoryNode
  const used = new Set<Free>()

  before(async () => {
    await house.start()
    replica = house.replica()
  })

  after(() => house.stop())

  /** What a replica and verify make of it, in this order of how much is known. */
  async function judge({ commits }: Forgery, receipts: readonly SignedReceipts[]): Promise<Verdict> {
    const result = await verifyLog(placed(commits), { verifier })
    if (!result.valid) return 'refused'
    const { refused } = await replica.services.parts.replicator.ingest(commits)
    if (refused.length > 0) return 'refused'
    if (result.summary.decision === 'partly') return 'unproven'
    const check = (log: Parameters<typeof checkReceipts>[0]) => checkReceipts(log, receipts, verifier)
    return (await verifyLog(placed(commits), { verifier }, { check })).valid ? 'free' : 'receipts'
  }

  for (const [title, history] of [...Object.entries(HISTORIES), ...randomHistories()]) {
    it(`changes nothing unnoticed in ${title}`, async () => {
      const log = await house.log(await history(house))
      const { receipts, ...forged } = log
      expect(await judge({ what: 'nothing', commits: log.commits }, receipts)).to.equal('free')
      const head = log.commits.at(-1)?.hash
      const all = [...forgeries(forged)].filter(({ commits }) => commits.length > 0 && commits.at(-1)?.hash !== head)
      const counts: Record<Verdict, number> = { refused: 0, unproven: 0, receipts: 0, free: 0 }
      const surprises = new Map<string, number>()
      for (const forgery of all) {
        const verdict = await judge(forgery, receipts)
        counts[verdict] += 1
        if (verdict === 'refused') continue
        const free = FREE.find(
          ({ what, verdict: those }) => [those].flat().includes(verdict) && what.test(forgery.what),
        )
        if (free) used.add(free)
        else surprises.set(`${forgery.what}: ${verdict}`, (surprises.get(`${forgery.what}: ${verdict}`) ?? 0) + 1)
      }
      expect(Object.fromEntries(surprises)).to.deep.equal({})
      expect(counts.refused).to.be.above(10)
    })
  }

  it('is no stronger as a peer that passes a log on: verify finds each change of a commit, and each one that is missing but the last', async () => {
    const history = HISTORIES['an auction that moves, is extended and ends'] as (typeof HISTORIES)[string]
    const { commits } = await house.log(await history(house))
    let found = 0
    for (const forgery of spoiled(commits)) {
      if (forgery.what === 'no commit' && forgery.commits.at(-1) !== commits.at(-1)) continue
      const result = await verifyLog(placed(forgery.commits), { verifier }, { allSignatures: true })
      expect(result.valid, forgery.what).to.equal(false)
      found += 1
    }
    expect(found).to.be.above(10 * commits.length)
  })

  it('has no licence that no forgery makes use of', () => {
    expect(FREE.filter((free) => !used.has(free)).map(({ what }) => String(what))).to.deep.equal([])
  })
})
