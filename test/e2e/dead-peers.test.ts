import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { PeerView } from '../../src/ports/node/node-info.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, testEnv, untilConnected, VENDUE, vendue, vendueJson } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
/** What a loaded machine may add to the times that membership promises. */
const SLACK_MS = 2_000

describe('a mesh of three processes, one of which', () => {
  const { home, remove } = makeTempHome()
  let watchers: NodeProcess[]
  let victim: NodeProcess

  before(async () => {
    watchers = [
      await NodeProcess.start({ home, name: 'one', args: FREE_PORTS }),
      await NodeProcess.start({ home, name: 'two', args: FREE_PORTS }),
    ]
    victim = await NodeProcess.start({ home, name: 'three', args: FREE_PORTS })
    await untilConnected([...watchers, victim])
  })

  after(async () => {
    victim.signal('SIGCONT')
    await Promise.all([victim, ...watchers].map((node) => node.end()))
    remove()
  })

  const seenBy = async (watcher: NodeProcess): Promise<PeerView | undefined> =>
    (await watcher.api.peers()).find(({ name }) => name === 'three')

  /** Milliseconds until every watcher sees it in that state. */
  async function untilAll(state: PeerView['state'], withinMs: number): Promise<number> {
    const startedAt = performance.now()
    await Promise.all(
      watchers.map((watcher) =>
        eventually(
          `${watcher.options.name} sees it ${state}`,
          async () => (await seenBy(watcher))?.state === state,
          withinMs + SLACK_MS,
        ),
      ),
    )
    return performance.now() - startedAt
  }

  it('is killed with -9, is out of use everywhere within 5 s, and back within 5 s on another port', async () => {
    const before = (await victim.api.status()).node
    await victim.end('SIGKILL')
    await untilAll('dead', 5_000)
    await victim.start()
    const { address, incarnation } = (await victim.api.status()).node
    expect(address).to.not.equal(before.address)
    expect(incarnation).to.be.above(before.incarnation)
    await untilAll('alive', 5_000)
    for (const watcher of watchers) expect(await seenBy(watcher)).to.include({ address, incarnation })
  })

  it('stands still for 2 s, and is not put out', async () => {
    const states = new Set<string | undefined>()
    victim.signal('SIGSTOP')
    const stoppedAt = performance.now()
    let resumed = false
    while (performance.now() - stoppedAt < 6_000) {
      if (!resumed && performance.now() - stoppedAt > 2_000) {
        victim.signal('SIGCONT')
        resumed = true
      }
      for (const watcher of watchers) states.add((await seenBy(watcher))?.state)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect([...states]).to.not.include('dead')
    await untilAll('alive', 2_000)
  })

  it('stands still for 15 s, is put out within 10 s, and comes back when it goes on', async () => {
    victim.signal('SIGSTOP')
    const stoppedAt = performance.now()
    await untilAll('dead', 10_000)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 15_000 - (performance.now() - stoppedAt))))
    for (const watcher of watchers) expect((await seenBy(watcher))?.state).to.equal('dead')
    victim.signal('SIGCONT')
    await untilAll('alive', 5_000)
    await eventually('it sees the others', async () => {
      const peers = await victim.api.peers()
      return peers.filter(({ state }) => state === 'alive').length === 2
    })
  })

  it('stops as it should, and is known at once to have left', async () => {
    await victim.end('SIGTERM')
    await untilAll('left', 500)
    await victim.start()
    await untilAll('alive', 5_000)
  })

  it('shows in `vendue peers` with its state, address, version and times', async () => {
    const { address, version } = (await victim.api.status()).node
    const { peers } = await vendueJson<{ peers: Record<string, unknown>[] }>(home, ['peers', '--name', 'one'])
    const peer = peers.find(({ name }) => name === 'three')
    expect(peer).to.include({ state: 'alive', address, version })
    const text = await vendue(home, ['peers', '--name', 'one'])
    expect(text.stdout).to.include(address).and.include('alive').and.match(/ms/)
  })
})

describe('vendue peers --watch', () => {
  const { home, remove } = makeTempHome()
  after(remove)

  it('prints a line for each peer, then one for each change, and ends with Ctrl-C', async () => {
    const nodes = [
      await NodeProcess.start({ home, name: 'one', args: FREE_PORTS }),
      await NodeProcess.start({ home, name: 'two', args: FREE_PORTS }),
    ]
    try {
      await untilConnected(nodes)
      const args = [VENDUE, 'peers', '--watch', '--json', '--name', 'one']
      const watch = spawn(process.execPath, args, { env: testEnv(home) })
      let output = ''
      watch.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
      })
      const states = () =>
        output
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => (JSON.parse(line) as { state: string }).state)
      await eventually('the peer is shown', () => states().length === 1)
      await nodes[1]?.end('SIGTERM')
      await eventually('the change is shown', () => states().at(-1) === 'left')
      watch.kill('SIGINT')
      const [code] = (await once(watch, 'close')) as [number | null]
      expect(code).to.equal(0)
      expect(states()).to.deep.equal(['alive', 'left'])
    } finally {
      await Promise.all(nodes.map((node) => node.end()))
    }
  })
})

describe('nodes that use a standalone Grape', () => {
  const { home, remove } = makeTempHome()
  after(remove)

  it('put out a killed peer within 5 s, though the Grape goes on naming it, and take it back', async () => {
    const grape = await NodeProcess.start({ home, name: 'grape', args: FREE_PORTS })
    const { grapeUrl } = await grape.api.status()
    const args = ['--grape', grapeUrl]
    const nodes = [grape]
    try {
      const watcher = await NodeProcess.start({ home, name: 'watcher', args })
      nodes.push(watcher)
      const victim = await NodeProcess.start({ home, name: 'victim', args })
      nodes.push(victim)
      await untilConnected(nodes)
      const see = async (state: string) =>
        (await watcher.api.peers()).some((peer) => peer.name === 'victim' && peer.state === state)
      await victim.end('SIGKILL')
      await eventually('it is dead', () => see('dead'), 5_000 + SLACK_MS)
      await new Promise((resolve) => setTimeout(resolve, 3_000))
      expect(await see('dead')).to.equal(true)
      await victim.start()
      await eventually('it is back', () => see('alive'), 5_000 + SLACK_MS)
    } finally {
      await Promise.all(nodes.map((node) => node.end()))
    }
  })
})

describe('a node with a copy of another’s data directory', () => {
  const { home, remove } = makeTempHome()
  after(remove)

  it('ends by itself and says what to do, while the first one runs on', async () => {
    const first = await NodeProcess.start({ home, name: 'first', args: FREE_PORTS })
    try {
      await first.end()
      cpSync(first.dataDir, join(home, 'nodes', 'copy'), { recursive: true })
      await first.start()
      const { nodeId, dhtAddress } = (await first.api.status()).node
      const bootstrap = ['--bootstrap', dhtAddress as string]
      const run = await vendue(home, ['start', '--name', 'copy', ...FREE_PORTS, ...bootstrap])
      expect(run.code).to.not.equal(0)
      expect(run.stderr).to.include('already runs with this node').and.include('data directory of its own')
      expect((await first.api.status()).node.nodeId).to.equal(nodeId)
    } finally {
      await first.end()
    }
  })
})
