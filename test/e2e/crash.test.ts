import { expect } from 'chai'
import { NodeError } from '../../src/ports/node/node-error.js'
import type { BidRecord } from '../../src/ports/store/auction-repository.js'
import type { Accepted } from '../../src/ports/store/outcome-repository.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
const ROUNDS = 3
const BIDDERS = 32

describe('a home that is killed while bids come in', () => {
  const { home, remove } = makeTempHome()
  let seller: NodeProcess
  let bidder: NodeProcess

  before(async () => {
    seller = await NodeProcess.start({ home, name: 'seller', args: FREE_PORTS })
    bidder = await NodeProcess.start({ home, name: 'bidder', args: FREE_PORTS })
    await untilConnected([seller, bidder])
  })

  after(async () => {
    await Promise.all([seller.end(), bidder.end()])
    remove()
  })

  it('has every acknowledged bid, with its seq, after kill -9 and restart', async () => {
    const { outcome } = await seller.api.open({
      commandId: 'cmd_crash0001',
      title: 'Crash',
      currency: 'EUR',
      start: '1',
      increment: '0.01',
    })
    const auction = outcome.auctionId
    await eventually('the bidder knows the auction', () => bidder.api.show({ auction }))
    const acknowledged: Accepted[] = []
    const unknown: { commandId: string; amount: string }[] = []
    let cents = 100

    for (let round = 0; round < ROUNDS; round++) {
      let killed = false
      const worker = async () => {
        while (!killed) {
          const amount = (cents++ / 100).toFixed(2)
          const commandId = `bid_crash${String(cents).padStart(8, '0')}`
          // A leader may go on changing the own maximum, so that every one of these is accepted.
          try {
            const result = await bidder.api.bid({ auction, commandId, kind: 'max', amount })
            if (result.outcome.status === 'accepted') acknowledged.push(result.outcome)
          } catch (error) {
            if (!(error instanceof NodeError)) throw error
            if (error.code === 'OUTCOME_UNKNOWN') unknown.push({ commandId, amount })
            else expect(error.code).to.be.oneOf(['HOME_UNREACHABLE', 'BUSY'])
            if (error.code === 'HOME_UNREACHABLE') await new Promise((resolve) => setTimeout(resolve, 50))
          }
        }
      }
      const workers = Array.from({ length: BIDDERS }, worker)
      const target = acknowledged.length + 200
      await eventually('bids are acknowledged', () => acknowledged.length >= target, 30_000)
      await seller.end('SIGKILL')
      killed = true
      await Promise.all(workers)
      await seller.start()
      await untilConnected([bidder, seller])
    }

    const stored = await history(seller, auction)
    for (const { commandId, seq } of acknowledged) {
      expect(stored.get(commandId)?.seq, `${commandId} was acknowledged`).to.equal(seq)
    }
    for (const { commandId, amount } of unknown) {
      const settled = await bidder.api.bid({ auction, commandId, kind: 'max', amount })
      const { outcome: first } = settled
      if (first.status === 'accepted') expect(await seqOf(seller, auction, commandId)).to.equal(first.seq)
      else expect(await seqOf(seller, auction, commandId)).to.equal(undefined)
    }
    const view = await seller.api.show({ auction })
    await eventually('the replica has caught up', async () => {
      return (await bidder.api.show({ auction })).head.hash === view.head.hash
    })
  })
})

async function seqOf(node: NodeProcess, auction: string, bidId: string): Promise<number | undefined> {
  return (await history(node, auction)).get(bidId)?.seq
}

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
