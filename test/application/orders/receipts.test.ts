import { expect } from 'chai'
import { tokens } from '../../../services/node/node-tokens.js'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { areSigned, signReceipts } from '../../../src/application/orders/receipt.js'
import { checkReceipts } from '../../../src/application/proof/check-receipts.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { type Finding, type Verification, verifyLog } from '../../../src/application/proof/verify-log.js'
import type { PeerService } from '../../../src/ports/mesh/peer-service.js'
import type { Receipt, SignedReceipts } from '../../../src/ports/store/receipt-repository.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { type MemoryNode, startMemoryNodes } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()
const EVERY = { auctionId: null, after: 0, limit: 1_000 }

describe('receipts', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let home: MemoryNode
  let bidder: MemoryNode
  let auction: string

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    const nodes = await startMemoryNodes(network, time, ['home', 'bidder'])
    ;[home, bidder] = nodes as [MemoryNode, MemoryNode]
    const { outcome } = await home.api.open({
      ...{ commandId: 'cmd_open0001', title: 'Pic#1', currency: 'JPY', start: '10', increment: '1' },
    })
    auction = outcome.auctionId
    await settle()
  })

  afterEach(async () => {
    await bidder.stop()
    await home.stop()
  })

  const bid = (commandId: string, amount: string, kind: 'plain' | 'max' = 'plain') =>
    bidder.api.bid({ auction, commandId, kind, amount })
  const kept = async () => {
    await bidder.services.get(tokens.receiptKeeper).flush()
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
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => bid(`bid_batch${String(i).padStart(4, '0')}`, '10')),
    )
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
    if (command.type !== 'bid' || outcome.status !== 'accepted') throw new Error('expected an accepted bid')
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
      command: command.type === 'bid' ? { ...command, amount: 12 } : command,
      outcome,
    }))
    expect((await findingOf(altered)).rule).to.contain('another amount')
    const refused = await resigned(({ command }) => ({
      command,
      outcome: {
        ...{ status: 'rejected', commandId: command.commandId, auctionId: auction, at: 1 },
        rejection: { code: 'OWN_AUCTION' },
      },
    }))
    expect((await findingOf(refused)).rule).to.contain('was refused (OWN_AUCTION)')
  })

  it('are demanded: an answer that the home did not sign is none', async () => {
    const real = home.services.get(tokens.peerService)
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
