import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { checkReceipts } from '../../../src/application/proof/check-receipts.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { SignedReceipts } from '../../../src/ports/store/receipt-repository.js'
import { type Forgery, forgeries, spoiled } from '../../support/forged-logs.js'
import type { MemoryNode } from '../../support/memory-node.js'
import { HISTORIES, type History, randomHistories, TrueAuctions } from '../../support/true-auctions.js'

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
  /** In these histories alone. */
  readonly of?: RegExp
}

const FREE: readonly Free[] = [
  {
    what: /^(?!AuctionOpened|AuctionHandedOver)\w+\.at(, without its mandate)?$/,
    verdict: 'free',
    why: "times are the home's clock: others see that it does not run backwards or ahead of theirs, and no more",
  },
  {
    what: /^AuctionTakenOver\.(since|why)$/,
    verdict: 'free',
    why: "why it took the auction over, and since when, is the new home's word; what follows for the end is checked",
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
  {
    what: /^(no AuctionExtended|AuctionExtended\.(closesAt|commandId), without its mandate)$/,
    verdict: 'free',
    why: 'a home that the cluster of the opening has made speaks for the account that sells, as the first home did',
    of: /of an account/,
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

describe('a forger with the keys of the homes', () => {
  const house = new TrueAuctions('forgeries')
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

  for (const [title, history] of [...Object.entries(HISTORIES), ...randomHistories(RANDOM_AUCTIONS, SEED)]) {
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
          ({ what, verdict: those, of }) =>
            [those].flat().includes(verdict) && what.test(forgery.what) && (of?.test(title) ?? true),
        )
        if (free) used.add(free)
        else surprises.set(`${forgery.what}: ${verdict}`, (surprises.get(`${forgery.what}: ${verdict}`) ?? 0) + 1)
      }
      expect(Object.fromEntries(surprises)).to.deep.equal({})
      expect(counts.refused).to.be.above(10)
    })
  }

  it('is no stronger as a peer that passes a log on: verify finds each change of a commit, and each one that is missing but the last', async () => {
    const history = HISTORIES['an auction that moves, is extended and ends'] as History
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
