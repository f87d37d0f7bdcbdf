import { expect } from 'chai'
import { NodeError } from '../../src/ports/node/node-error.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
/** Grapes of one machine find each other: whatever else is announced there is no peer of these. */
const MESH = { VENDUE_MESH: `stopped-home-${process.pid}` }
const BIDDERS = 8

describe('a home that stands still (SIGSTOP) while bids come in', () => {
  const { home: root, remove } = makeTempHome()
  let home: NodeProcess
  let bidder: NodeProcess

  before(async () => {
    home = await NodeProcess.start({ home: root, name: 'home', args: FREE_PORTS, env: MESH })
    bidder = await NodeProcess.start({ home: root, name: 'bidder', args: FREE_PORTS, env: MESH })
    await untilConnected([home, bidder])
  })

  after(async () => {
    home.signal('SIGCONT')
    await Promise.all([home.end(), bidder.end()])
    remove()
  })

  it('lets no bid be called rejected, and settles each one after SIGCONT', async () => {
    const { outcome } = await home.api.open({
      commandId: 'cmd_sigstop01',
      title: 'Still',
      currency: 'EUR',
      start: '1',
      increment: '0.01',
    })
    const auction = outcome.auctionId
    await eventually('the bidder knows the auction', () => bidder.api.show({ auction }))
    const accepted = new Map<string, number>()
    const unsettled = new Map<string, string>()
    const failures: string[] = []
    let cents = 100
    let stopped = false

    const worker = async () => {
      while (unsettled.size === 0 || !stopped) {
        const amount = (cents++ / 100).toFixed(2)
        const commandId = `bid_still${String(cents).padStart(8, '0')}`
        try {
          const result = await bidder.api.bid({ auction, commandId, kind: 'max', amount })
          if (result.outcome.status === 'accepted') accepted.set(commandId, result.outcome.seq)
        } catch (error) {
          if (!(error instanceof NodeError)) throw error
          unsettled.set(commandId, amount)
          failures.push(error.code)
        }
        if (accepted.size >= 100 && !stopped) {
          stopped = true
          home.signal('SIGSTOP')
        }
      }
    }
    await Promise.all(Array.from({ length: BIDDERS }, worker))
    expect(new Set(failures)).to.satisfy((codes: Set<string>) =>
      [...codes].every((code) => code === 'OUTCOME_UNKNOWN' || code === 'HOME_UNREACHABLE'),
    )
    expect((await bidder.api.show({ auction })).state.status).to.equal('open')

    home.signal('SIGCONT')
    await untilConnected([bidder, home])
    for (const [commandId, amount] of unsettled) {
      const settled = await eventually(`${commandId} is settled`, async () => {
        return (await bidder.api.bid({ auction, commandId, kind: 'max', amount })).outcome
      })
      if (settled.status === 'accepted') accepted.set(commandId, settled.seq)
    }
    const { bids } = await home.api.history({ auction, limit: 1_000 })
    expect(new Map(bids.map(({ bidId, seq }) => [bidId, seq]))).to.deep.equal(
      new Map([...accepted].sort(([, a], [, b]) => b - a)),
    )
  })
})
