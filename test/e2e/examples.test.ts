import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const EXAMPLES = resolve(import.meta.dirname, '../../../examples')

interface Run {
  readonly child: ChildProcess
  readonly output: () => string
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
}

describe('the examples', () => {
  const runs: Run[] = []
  let mesh: TestMesh
  let gateway: TestGateway

  const run = (name: string, args: readonly string[] = []): Run => {
    const env = { ...process.env, VENDUE_GATEWAYS: gateway.url, VENDUE_MESH: 'examples' }
    const child = spawn(process.execPath, [resolve(EXAMPLES, name), ...args], { env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
      })
    }
    const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)))
    const started = { child, output: () => output, ended }
    runs.push(started)
    return started
  }

  before(async () => {
    mesh = await createTestMesh(1)
    gateway = await TestGateway.start(mesh.nodes[0]!)
  })

  after(async () => {
    for (const { child } of runs) if (child.exitCode === null) child.kill('SIGKILL')
    await gateway?.stop()
    await mesh?.stop()
  })

  it('embedded-node: initiates, lets others bid, finalizes, and says to each who has won', async () => {
    const { ended, output } = run('embedded-node.mjs')
    expect(await ended, output()).to.equal(0)
    expect(output().trim().split('\n')).to.include.members([
      'shop: opened Pic#1 at 75.00 USDT',
      'bidder: heard of Pic#1, own: false',
      'shop: anna bids, now 80.00 USDT (own auction)',
      'anna: BID_TOO_LOW, Bid 76.00 USDT or more.',
      'shop: sold to anna for 80.00 USDT',
      'anna: won at 80.00 USDT',
      'ben: lost at 80.00 USDT',
    ])
  })

  it('price-watcher: shows prices as they move, until it is stopped', async () => {
    await gateway.open({ title: 'Old lot' })
    const { child, ended, output } = run('price-watcher.mjs')
    await eventually('it is connected', () => output().includes('online'))
    // Connected, but perhaps not subscribed yet: what is opened from now on may be told, the last of it will.
    await eventually('it hears of a new lot', async () => {
      await gateway.open({ title: 'New lot' })
      return output().includes('New lot: new, from 10.00 EUR')
    })
    const id = await gateway.open({ title: 'Sold lot' })
    await gateway.bid(id, 'ben', '1250')
    await gateway.post(`/api/v1/auctions/${id}/close`, { user_id: 'sam' })
    await eventually('it is told', () => output().includes('Sold lot: sold'))
    expect(output()).to.include('Old lot: 10.00 EUR\n')
    expect(output()).to.include('Sold lot: 1,250.00 EUR (ben)\nSold lot: sold to ben for 1,250.00 EUR\n')
    child.kill('SIGTERM')
    expect(await ended, output()).to.equal(0)
  })

  it('bidder: bids step by step up to its limit, and says how it ended', async () => {
    const [won, lost] = [await gateway.open({ title: 'Chair' }), await gateway.open({ title: 'Table' })]
    const first = run('bidder.mjs', [won, '20'])
    const second = run('bidder.mjs', [lost, '12.50'])
    await eventually('both lead', () =>
      [first, second].every(({ output }) => output().includes('bid 10.00 EUR: leading')),
    )
    for (const [auction, amount] of [
      [won, '14'],
      [lost, '12'],
    ] as const)
      await gateway.bid(auction, 'ben', amount)
    await eventually('one answers', () => first.output().includes('bid 15.00 EUR: leading'))
    await eventually('the other is out', () => second.output().includes('out: 13.00 is past the limit'))
    for (const auction of [won, lost]) await gateway.post(`/api/v1/auctions/${auction}/close`, { user_id: 'sam' })
    expect([await first.ended, await second.ended], first.output() + second.output()).to.deep.equal([0, 0])
    expect(first.output()).to.include('won for 15.00 EUR')
    expect(second.output()).to.include('lost: ben won for 12.00 EUR')
  })
})
