import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { CanonicalScenario, type ScenarioNode } from '../../demo/canonical-scenario.js'
import { DemoError } from '../../demo/demo-node.js'
import { DemoStory } from '../../demo/demo-story.js'
import { runDemo } from '../../demo/run-demo.js'
import { Output } from '../../src/adapters/cli/render/output.js'
import type { AuctionView } from '../../src/ports/node/node-answers.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import { FakeNodeApi } from '../adapters/cli/support/fake-node-api.js'
import { T0 } from '../support/auction-scenario.js'

function makeOutput() {
  let text = ''
  const sink = {
    write: (more: string) => {
      text += more
    },
  }
  const options = { json: false, color: false, timeZone: 'UTC', now: () => T0 }
  return { out: new Output({ stdout: sink, stderr: sink }, options), text: () => text }
}

/** Three users of one fake node; `show` lets one of them see something else. */
function makeNodes(fake: FakeNodeApi, show: (view: AuctionView, name: string) => AuctionView = (view) => view) {
  const make = (name: string): ScenarioNode => {
    const party = { id: `node_${name}`, name }
    const api: Partial<NodeApi> = {
      open: (request) => Promise.resolve(fake.openAs(party, request)),
      bid: (request) => Promise.resolve(fake.bidAs(party, request)),
      close: (request) => Promise.resolve(fake.closeAs(party, request)),
      show: async (request) => show(await fake.show(request), name),
    }
    const hears: ScenarioNode['hears'] = (auctionId, seq) => {
      const item = fake.items.find((candidate) => candidate.auctionId === auctionId && candidate.seq === seq)
      if (!item) throw new DemoError(`${name} never heard of it`)
      const { event, ...common } = item
      return Promise.resolve({ event: { ...common, type: 'auction_started' } as never, atMs: 0 })
    }
    return { name, api: api as NodeApi, hears }
  }
  return [make('node-1'), make('node-2'), make('node-3')] as const
}

async function play(show?: Parameters<typeof makeNodes>[1]): Promise<string> {
  const { out, text } = makeOutput()
  let ids = 0
  await new CanonicalScenario({
    nodes: makeNodes(new FakeNodeApi(), show),
    story: new DemoStory(out),
    look: out.look,
    pauseMs: 0,
    newCommandId: (kind) => `${kind}_${ids++}`,
  }).play()
  return text()
}

async function failureOf(show: Parameters<typeof makeNodes>[1]): Promise<string> {
  try {
    await play(show)
  } catch (error) {
    expect(error).to.be.instanceOf(DemoError)
    return (error as DemoError).message
  }
  throw new Error('the scenario should have failed')
}

describe('the demonstration', () => {
  it('prints the canonical scenario as the nodes reported it', async () => {
    const told = (await play())
      .split('\n')
      .map((line) => line.replace(/^12:00:00\.000 {2}/, '').replace(/ {2}#.*$/, ''))
    expect(told.slice(0, 6)).to.deep.equal([
      'node-1 opens Pic#1, starting at 75.00 USDT',
      'node-2 opens Pic#2, starting at 60.00 USDT',
      'node-2 bids on Pic#1 and leads at 75.00 USDT',
      'node-3 bids on Pic#1 and leads at 75.50 USDT',
      'node-2 bids on Pic#1 and leads at 80.00 USDT',
      'node-1 closes Pic#1: won by node-2 at 80.00 USDT',
    ])
    expect(told.at(-2)).to.equal('all 3 nodes show the same winner and hold the same log')
  })

  it('fails where a node shows another winner', async () => {
    const message = await failureOf((view, name) => {
      const { state } = view
      if (name !== 'node-3' || state.status !== 'closed') return view
      return { ...view, state: { ...state, result: { sold: false, reason: 'no-bids' } } }
    })
    expect(message).to.equal('node-3 shows nobody as the winner at no price, not node-2 at 80.00 USDT')
  })

  it('fails where a node holds another log', async () => {
    const message = await failureOf((view, name) =>
      name === 'node-2' ? { ...view, head: { ...view.head, hash: 'cd'.repeat(32) } } : view,
    )
    expect(message).to.equal('node-2 holds another log than node-1')
  })

  it('exits 1 with the reason where a node does not start, and leaves nothing behind', async () => {
    const { out, text } = makeOutput()
    const io = {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      env: {},
      userHome: tmpdir(),
      timeZone: 'UTC',
      now: () => Date.now(),
      ended: new AbortController().signal,
    }
    const homes: string[] = []
    const launch = (_words: readonly string[], home: string) => {
      homes.push(home)
      return spawn(process.execPath, ['-e', 'console.error("no port left"); process.exit(3)'])
    }
    const connect = () => Promise.reject(new Error('nobody to connect to'))
    const code = await runDemo({ connect, launch }, { io, out }, { live: false })
    expect(code).to.equal(1)
    expect(text()).to.contain('the demonstration failed: node-1 ended before it was up: no port left')
    expect(homes).to.have.length(1)
    expect(readdirSync(tmpdir())).not.to.include(homes[0]?.split('/').at(-1))
  })
})
