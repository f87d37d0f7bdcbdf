import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { commitmentOf } from '../../../src/application/log/commitment.js'
import { checkReceipts } from '../../../src/application/proof/check-receipts.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { ReceiptWatch } from '../../../src/application/proof/receipt-watch.js'
import {
  type Finding,
  type Verification,
  type VerifiedLog,
  verifyLog,
} from '../../../src/application/proof/verify-log.js'
import { areSigned, signReceipts } from '../../../src/application/submissions/receipt.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionEvent } from '../../../src/domain/events.js'
import type { Party } from '../../../src/domain/party.js'
import type { PeerService } from '../../../src/ports/mesh/peer-service.js'
import type { Receipt, SignedReceipts } from '../../../src/ports/store/receipt-repository.js'
import { startAuctionMesh } from '../../support/auction-mesh.js'
import { type ManualTime, settle } from '../../support/manual-time.js'
import { MemoryBreachRepository } from '../../support/memory/memory-breach-repository.js'
import type { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'
import { silentLogger } from '../../support/silent-logger.js'

const verifier = new Ed25519Verifier()
const EVERY = { auctionId: null, after: 0, limit: 1_000 }

describe('receipts', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let home: MemoryNode
  let bidder: MemoryNode
  let auction: string

  beforeEach(async () => {
    const mesh = await startAuctionMesh(['home', 'bidder'])
    ;({ time, network, auction } = mesh)
    ;[home, bidder] = mesh.nodes as [MemoryNode, MemoryNode]
  })

  afterEach(async () => {
    await bidder.stop()
    await home.stop()
  })

  const bid = (commandId: string, amount: string, kind: 'plain' | 'max' = 'plain') =>
    bidder.api.bid({ auction, commandId, kind, amount })
  const kept = async () => {
    await bidder.services.parts.receiptKeeper.flush()
    return (await bidder.store.receipts.list(EVERY)).signed
  }
  const verify = (receipts: readonly SignedReceipts[]): Promise<Verification> =>
    verifyLog(
      unplaced(readLog(home.api, auction)),
      { verifier },
      { check: (log) => checkReceipts(log, receipts, verifier) },
    )
  const findingOf = async (receipts: readonly SignedReceipts[]): Promise<Finding> => {
    const result = await verify(receipts)
    if (result.valid) throw new Error('expected a finding')
    return result.finding
  }
  /** As the home would sign it. */
  const resigned = async (change: (receipt: Receipt) => Receipt): Promise<SignedReceipts[]> => {
    return (await kept()).map((signed) => {
      const receipts = signed.receipts.map(change)
      const signature = signReceipts(receipts, home.signer, signed.signedAt)
      return { ...signed, receipts, ...signature }
    })
  }

  it('are kept for each own bid, accepted or rejected, and hold the home to it', async () => {
    await bid('bid_00000001', '10')
    await bid('bid_00000002', '5')
    await bid('bid_00000003', '40', 'max')
    const receipts = (await kept()).flatMap(({ receipts }) => receipts)
    expect(receipts.map(({ outcome }) => [outcome.commandId, outcome.status])).to.deep.equal([
      ['bid_00000001', 'accepted'],
      ['bid_00000002', 'rejected'],
      ['bid_00000003', 'accepted'],
    ])
    expect((await kept()).every((signed) => areSigned(signed, verifier))).to.equal(true)
    expect((await verify(await kept())).valid).to.equal(true)
    const { signed } = await bidder.api.receipts({ auction })
    expect(signed).to.deep.equal(await kept())
  })

  it('gather, and are put away a moment later though nobody asks', async () => {
    await bid('bid_00000001', '10')
    expect((await bidder.store.receipts.list(EVERY)).signed).to.have.length(0)
    await time.advance(1_000)
    expect((await bidder.store.receipts.list(EVERY)).signed).to.have.length(1)
  })

  it('of one batch share one signature', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => bid(`bid_batch${String(i).padStart(4, '0')}`, '10')))
    const batches = await kept()
    expect(batches.reduce((sum, { receipts }) => sum + receipts.length, 0)).to.equal(20)
    expect(batches.length).to.be.lessThan(5)
    expect(batches.every((signed) => areSigned(signed, verifier))).to.equal(true)
  })

  it('do not hold once anything in them is changed', async () => {
    await bid('bid_00000001', '10')
    const [signed] = (await kept()) as [SignedReceipts]
    const [receipt] = signed.receipts as [Receipt]
    const { command, outcome } = receipt
    if (command.type !== 'PlaceBid' || outcome.status !== 'accepted') throw new Error('expected an accepted bid')
    const others: SignedReceipts[] = [
      { ...signed, signedAt: signed.signedAt + 1 },
      { ...signed, receipts: [] },
      { ...signed, receipts: [receipt, receipt] },
      { ...signed, receipts: [{ command: { ...command, amount: 11 }, outcome }] },
      { ...signed, receipts: [{ command, outcome: { ...outcome, seq: 9 } }] },
      { ...signed, receipts: [{ command, outcome: { ...outcome, at: 9 } }] },
      { ...signed, home: { ...signed.home, nodeId: bidder.info.nodeId } },
    ]
    for (const other of others) expect(areSigned(other, verifier)).to.equal(false)
  })

  it('find a bid that was left out of the log, and one that the log ends before', async () => {
    await bid('bid_00000001', '10')
    const left =
      (commandId: string, seq: number) =>
      (receipt: Receipt): Receipt => ({
        command: { ...receipt.command, commandId },
        outcome: { ...receipt.outcome, commandId, seq } as Receipt['outcome'],
      })
    const out = await findingOf(await resigned(left('bid_other', 2)))
    expect(out).to.include({ code: 'RECEIPT' })
    expect(out.rule).to.contain('left out').and.to.contain('bid_other')
    expect(out.commit?.firstSeq).to.equal(2)
    expect((await findingOf(await resigned(left('bid_other', 99)))).rule).to.contain('ends at event 2')
  })

  it('find a bid that was altered, or accepted although its receipt refused it', async () => {
    await bid('bid_00000001', '10')
    const altered = await resigned(({ command, outcome }) => ({
      command: command.type === 'PlaceBid' ? { ...command, amount: 12 } : command,
      outcome,
    }))
    expect((await findingOf(altered)).rule).to.contain('another amount')
    const refused = await resigned(({ command }) => ({
      command,
      outcome: {
        status: 'rejected',
        commandId: command.commandId,
        auctionId: auction,
        at: 1,
        rejection: { code: 'OWN_AUCTION' },
      },
    }))
    expect((await findingOf(refused)).rule).to.contain('was refused (OWN_AUCTION)')
  })

  describe('convict a home that charges more than a bidder has left with it,', () => {
    const SALT = '5'.repeat(32)
    const shill = { id: 'usr_shill0001', name: 'Shill' }

    /**
     * The bidder leaves 100. The home has somebody of its own bid 194 against it, and opens what it chooses of the two.
     */
    async function overcharged({ opens }: { opens: boolean }): Promise<Commit[]> {
      await bid('bid_00000001', '100', 'max')
      await settle()
      const commits = [...(await home.api.log({ auction, fromSeq: 1 })).commits]
      const { state } = await home.api.show({ auction })
      const winner = state.leader as Party
      const at = state.at
      const made = { bidId: 'bid_shill0001', amount: 194, salt: SALT }
      const bidding: AuctionEvent = {
        type: 'BidPlaced',
        at,
        bidId: made.bidId,
        bidder: shill,
        amount: null,
        price: 195,
        leads: false,
        commitment: commitmentOf({ scope: auction, id: made.bidId, ...made }),
        reserveMet: true,
      }
      const result = { sold: true, winner, bidId: 'bid_00000001', price: 195 } as const
      const closing: AuctionEvent[] = [
        { type: 'AuctionClosed', at, by: 'seller', commandId: 'cmd_close001', result, reserve: null },
        ...(opens ? [{ type: 'MaximaRevealed', at, maxima: [made] } as const] : []),
      ]
      for (const events of [[bidding], closing]) {
        const last = commits.at(-1) as Commit
        const parts = { auctionId: auction, firstSeq: last.lastSeq + 1, prevHash: last.hash, events }
        commits.push(sealCommit({ ...parts, mandates: [] }, home.signer))
      }
      return commits
    }
    async function* placed(commits: readonly Commit[]) {
      for (const commit of commits) yield { commit, place: null }
    }
    const check = async (commits: readonly Commit[], until = commits.length) => {
      const receipts = await kept()
      const options = { check: (log: VerifiedLog) => checkReceipts(log, receipts, verifier) }
      return verifyLog(placed(commits.slice(0, until)), { verifier }, options)
    }

    for (const [title, opens] of [
      ['where neither maximum is opened', false],
      ['where the maximum that it has made up is opened', true],
    ] as const) {
      it(title, async () => {
        const commits = await overcharged({ opens })
        const alone = await verifyLog(placed(commits), { verifier })
        expect(alone.valid && alone.summary.decision).to.equal(opens ? 'rerun' : 'partly')
        const result = await check(commits)
        if (result.valid) throw new Error('expected a finding')
        expect(result.finding).to.deep.include({ code: 'RECEIPT', event: { seq: 3, type: 'BidPlaced' } })
        expect(result.finding.rule).to.contain('by the maxima in the receipts')
      })
    }

    const alarm = async () => (await bidder.api.show({ auction })).breach
    const push = async (commits: readonly Commit[]) => {
      const { refused } = await bidder.services.parts.replicator.ingest(commits)
      expect(refused).to.deep.equal([])
      await settle()
    }
    const CHARGED = 'bid bid_00000001 is charged 195 minor units, and may be charged 100 at most by its receipt'

    it('and raise an alarm by themselves, as soon as the log comes in', async () => {
      const commits = await overcharged({ opens: false })
      expect(await alarm()).to.equal(null)
      await push(commits.slice(0, 3))
      expect(await alarm()).to.deep.equal({ auctionId: auction, seq: 3, rule: CHARGED })
      const { disputed } = await bidder.api.show({ auction })
      expect(disputed).to.equal(true)
      const { items } = await bidder.api.events({ auction, fromSeq: 1, waitMs: 0 })
      expect(items.every((item) => item.disputed)).to.equal(true)
    })

    it('and raise an alarm after a restart', async () => {
      const commits = await overcharged({ opens: false })
      const { store, signer, info } = bidder
      await bidder.stop()
      const options = { name: 'bidder', network, time, store, signer, address: info.address }
      bidder = await new MemoryNode(options).start()
      await settle()
      await push(commits.slice(0, 3))
      expect((await alarm())?.rule).to.equal(CHARGED)
    })

    it('and raise an alarm where the receipt comes after the log', async () => {
      const { watch, breaches } = lateWatch()
      const commits = await overcharged({ opens: false })
      await push(commits.slice(0, 3))
      await watch.start()
      for (const signed of await kept()) watch.kept(signed)
      await settle()
      expect((await breaches.find(auction))?.rule).to.equal(CHARGED)
    })

    it('and raise an alarm where a bid is left out of the log, or altered', async () => {
      await bid('bid_00000001', '10')
      await settle()
      for (const [change, rule] of [
        [{ commandId: 'bid_other0001' }, 'bid bid_other0001 was accepted as event 2, and is left out'],
        [{ amount: 11 }, 'another amount than in its receipt'],
      ] as const) {
        const { watch, breaches } = lateWatch()
        await watch.start()
        for (const signed of await kept())
          watch.kept({
            ...signed,
            receipts: signed.receipts.map(
              ({ command, outcome }) => ({ command: { ...command, ...change }, outcome }) as Receipt,
            ),
          })
        await settle()
        expect((await breaches.find(auction))?.rule).to.contain(rule)
      }
    })

    it('and raise no alarm over what stands in the log', async () => {
      await bid('bid_00000001', '100', 'max')
      await bid('bid_00000002', '90', 'max')
      await bid('bid_00000003', '120', 'max')
      await settle()
      await home.api.close({ auction, commandId: 'cmd_close001' })
      await settle()
      expect(await alarm()).to.equal(null)
    })

    /** A watch of the bidder's node that knows of no alarm before. */
    function lateWatch() {
      const breaches = new MemoryBreachRepository()
      const { auctions, receipts } = bidder.store
      const eventLog = bidder.services.parts.eventLog
      const watch = new ReceiptWatch({ auctions, breaches, eventLog, receipts, logger: silentLogger })
      return { watch, breaches }
    }

    it('while the auction is still open', async () => {
      const result = await check(await overcharged({ opens: false }), 3)
      expect(result.valid ? 'valid' : result.finding.rule).to.contain("not above the leader's maximum")
    })

    it('and no home that charges what it may', async () => {
      await bid('bid_00000001', '100', 'max')
      await settle()
      expect((await verify(await kept())).valid).to.equal(true)
      await home.api.close({ auction, commandId: 'cmd_close001' })
      await settle()
      const result = await verify(await kept())
      expect(result.valid && result.summary.decision).to.equal('rerun')
    })
  })

  it('are demanded: an answer that the home did not sign is none', async () => {
    const real = home.services.parts.peerService
    const forging = new Proxy(real, {
      get: (_, method: keyof PeerService) => {
        if (method !== 'submit') return (real[method] as () => unknown).bind(real)
        return async (...request: Parameters<PeerService['submit']>) => {
          const answer = await real.submit(...request)
          return { ...answer, receipt: answer.receipt && { ...answer.receipt, signedAt: 1 } }
        }
      },
    })
    network.serve(home.info.address, forging)
    const forged = bid('bid_00000001', '10').then(
      () => 'ACCEPTED',
      (error: { code: string }) => error.code,
    )
    for (let i = 0; i < 10; i++) await time.advance(500)
    expect(await forged).to.equal('OUTCOME_UNKNOWN')
    expect(await kept()).to.deep.equal([])
    network.serve(home.info.address, real)
    expect((await bid('bid_00000001', '10')).outcome.status).to.equal('accepted')
  })
})
