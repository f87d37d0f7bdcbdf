import { expect } from 'chai'
import type { AuctionView } from '../../src/ports/node/node-answers.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected, vendue, vendueJson } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

/** Ports that nobody else uses: each node takes free ones, and the first one's DHT is where the others start. */
const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']

describe('a mesh of three nodes in three processes', () => {
  const { home, remove } = makeTempHome()
  const nodes: NodeProcess[] = []

  before(async () => {
    for (const name of ['one', 'two', 'three']) {
      nodes.push(await NodeProcess.start({ home, name, args: FREE_PORTS }))
    }
    await untilConnected(nodes)
  })

  after(async () => {
    await Promise.all(nodes.map((node) => node.end()))
    remove()
  })

  it('plays the canonical scenario from the command line', async () => {
    const opened = await vendueJson<{ auction_id: string }>(home, [
      ...['open', 'Pic#1', '--start', '75', '--currency', 'USDT', '--increment', '0.5', '--name', 'one'],
    ])
    await vendueJson(home, ['open', 'Pic#2', '--start', '60', '--currency', 'USDT', '--name', 'two'])
    const id = opened.auction_id
    await seenBy(nodes, id, ({ state }) => state.status === 'open')

    await vendueJson(home, ['bid', id, '75', '--name', 'two'])
    await seenBy(nodes, id, ({ state }) => state.leader?.name === 'two')
    await vendueJson(home, ['bid', id, '75.5', '--name', 'three'])
    await seenBy(nodes, id, ({ state }) => state.leader?.name === 'three')
    await vendueJson(home, ['bid', id, '80', '--name', 'two'])

    const low = await vendue(home, ['bid', id, '80', '--name', 'three', '--json'])
    expect(low.code).to.equal(1)
    expect(low.stdout + low.stderr)
      .to.include('BID_TOO_LOW')
      .and.include('80.50')

    const stranger = await vendue(home, ['close', id, '--name', 'three', '--json'])
    expect(stranger.code).to.equal(1)
    expect(stranger.stdout + stranger.stderr).to.include('NOT_SELLER')

    const closed = await vendue(home, ['close', id, '--name', 'one'])
    expect(closed.code, closed.stderr).to.equal(0)
    expect(closed.stdout).to.include('two').and.include('80.00 USDT')
    const views = await seenBy(nodes, id, ({ state }) => state.status === 'closed')
    for (const { state } of views) {
      expect(state.status === 'closed' && state.result.sold && state.result.winner.name).to.equal('two')
      expect(state.price).to.equal(80_000_000)
    }
    expect(new Set(views.map(({ head }) => head.hash)).size).to.equal(1)
  })

  it('answers a repeated command id with the first outcome', async () => {
    const [one, two] = nodes as [NodeProcess, NodeProcess]
    const { outcome } = await one.api.open({
      commandId: 'cmd_e2erepeat1',
      title: 'Twice',
      currency: 'EUR',
      start: '10',
    })
    const again = await one.api.open({
      commandId: 'cmd_e2erepeat1',
      title: 'Twice',
      currency: 'EUR',
      start: '10',
    })
    expect(again.outcome).to.deep.equal(outcome)
    await seenBy(nodes, outcome.auctionId, () => true)
    const bid = {
      auction: outcome.auctionId,
      commandId: 'bid_e2erepeat1',
      kind: 'plain',
      amount: '12',
    } as const
    const first = await two.api.bid(bid)
    const second = await two.api.bid(bid)
    expect(second.outcome).to.deep.equal(first.outcome)
    await seenBy(nodes, outcome.auctionId, ({ state }) => state.bidCount === 1)
  })

  it('shows a node that starts later all auctions and their bids', async () => {
    const late = await NodeProcess.start({ home, name: 'late', args: FREE_PORTS })
    try {
      const expected = await (nodes[0] as NodeProcess).api.list({ limit: 100 })
      await eventually('the late node has every auction', async () => {
        const { auctions } = await late.api.list({ limit: 100 })
        return auctions.length === expected.auctions.length
      })
      for (const { auctionId, head } of expected.auctions) {
        await eventually(`the late node has all of ${auctionId}`, async () => {
          return (await late.api.show({ auction: auctionId })).head.hash === head.hash
        })
      }
    } finally {
      await late.end()
    }
  })

  it('refuses a second node on the same data directory', async () => {
    const run = await vendue(home, ['start', '--name', 'one', ...FREE_PORTS])
    expect(run.code).to.not.equal(0)
    expect(run.stderr + run.stdout).to.match(/in use/i)
    expect(run.stderr + run.stdout).to.not.match(/\n\s+at /)
  })
})

async function seenBy(
  nodes: readonly NodeProcess[],
  auction: string,
  holds: (view: AuctionView) => boolean,
): Promise<AuctionView[]> {
  return Promise.all(
    nodes.map((node) =>
      eventually(`${node.options.name} sees it`, async () => {
        const view = await node.api.show({ auction })
        return holds(view) ? view : null
      }),
    ),
  )
}
