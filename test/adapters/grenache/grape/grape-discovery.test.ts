import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import {
  EmbeddedGrape,
  type EmbeddedGrapeOptions,
  type GrapeAccess,
} from '../../../../src/adapters/grenache/grape/embedded-grape.js'
import { GrapeDiscovery, remoteGrape } from '../../../../src/adapters/grenache/grape/grape-discovery.js'
import type { DiscoveryState } from '../../../../src/ports/mesh/discovery.js'
import type { Logger } from '../../../../src/ports/system/logger.js'
import { eventually } from '../../../support/eventually.js'
import { silentLogger } from '../../../support/silent-logger.js'

const FAST = { eagerLookupMs: 50, lookupMs: 100, retryMs: 50, maxRetryMs: 200 }
const portOf = (address: string) => Number(address.split(':').at(-1))

describe('discovery through a Grape', () => {
  const cleanups: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  async function startGrape(options: EmbeddedGrapeOptions = {}): Promise<EmbeddedGrape> {
    const grape = new EmbeddedGrape({ logger: silentLogger }, options)
    cleanups.push(() => grape.stop())
    await grape.start()
    return grape
  }

  async function discover(grape: GrapeAccess, rpcPort: number, options: { mesh?: string } & object = {}) {
    const seen = new Set<string>()
    const states: DiscoveryState[] = []
    const causes: (Error | undefined)[] = []
    let failedLookups = 0
    const logger: Logger = {
      ...silentLogger,
      debug: (_, message) => {
        if (message === 'could not look up') failedLookups += 1
      },
    }
    const discovery = new GrapeDiscovery({ grape, logger }, { mesh: 'test', ...FAST, ...options })
    cleanups.push(() => discovery.stop())
    await discovery.start(rpcPort, {
      addresses: (addresses) => {
        for (const address of addresses) seen.add(address)
      },
      state: (state, cause) => {
        states.push(state)
        causes.push(cause)
      },
    })
    return { discovery, seen, states, causes, failedLookups: () => failedLookups }
  }

  it('lets nodes on two linked Grapes find each other, in any order of starting', async () => {
    const first = await startGrape()
    const early = await discover(first, 4001)
    await eventually('the first one is connected, alone', () => early.states.length === 1)
    const second = await startGrape({ bootstrap: [first.dhtAddress] })
    const late = await discover(second, 4002)
    await eventually('each sees the other', () => early.seen.has('127.0.0.1:4002') && late.seen.has('127.0.0.1:4001'))
    expect(early.states).to.deep.equal(['connected'])
    expect(late.states).to.deep.equal(['connected'])
    expect(early.discovery.state).to.equal('connected')
  })

  it('lets nodes that share one Grape find each other, and no other mesh', async () => {
    const grape = await startGrape()
    const url = `${grape.url}/`
    const [a, b] = [await discover(remoteGrape(url), 4001), await discover(remoteGrape(url), 4002)]
    const stranger = await discover(remoteGrape(url), 4003, { mesh: 'other' })
    await eventually('they meet', () => a.seen.has('127.0.0.1:4002') && b.seen.has('127.0.0.1:4001'))
    await eventually('the stranger is up', () => stranger.seen.has('127.0.0.1:4003'))
    expect([...stranger.seen]).to.deep.equal(['127.0.0.1:4003'])
    expect([...a.seen]).to.not.include('127.0.0.1:4003')
    expect(a.discovery.dhtAddress).to.equal(null)
    expect(a.discovery.grapeUrl).to.equal(grape.url)
  })

  it('introduces Grapes to each other', async () => {
    const [first, second] = [await startGrape(), await startGrape()]
    const a = await discover(first, 4001)
    await discover(second, 4002)
    a.discovery.introduce(second.dhtAddress)
    await eventually('they meet', () => a.seen.has('127.0.0.1:4002'))
  })

  it('goes on without a Grape, says so once with the cause, and joins when it comes', async () => {
    const grape = await startGrape()
    const apiPort = portOf(grape.url)
    const dhtPort = portOf(grape.dhtAddress)
    await grape.stop()
    const node = await discover(remoteGrape(grape.url), 4001)
    await eventually('it is told', () => node.states.length === 1)
    expect(node.states).to.deep.equal(['unreachable'])
    expect(node.causes[0]?.message).to.include('ECONNREFUSED')
    await eventually('it has asked again and again', () => node.failedLookups() >= 4)
    expect(node.states).to.deep.equal(['unreachable'])
    await startGrape({ apiPort, dhtPort, ports: 'exact' })
    await eventually('it joins', () => node.seen.has('127.0.0.1:4001'))
    expect(node.states).to.deep.equal(['unreachable', 'connected'])
  })

  it('recovers when a shared Grape dies and comes back without its memory', async () => {
    const first = await startGrape()
    const [a, b] = [await discover(remoteGrape(first.url), 4001), await discover(remoteGrape(first.url), 4002)]
    await eventually('they meet', () => a.seen.has('127.0.0.1:4002') && b.seen.has('127.0.0.1:4001'))
    await first.stop()
    await eventually('both notice', () => [a, b].every((node) => node.discovery.state === 'unreachable'))
    a.seen.clear()
    b.seen.clear()
    await startGrape({ apiPort: portOf(first.url), dhtPort: portOf(first.dhtAddress), ports: 'exact' })
    await eventually('they meet again', () => a.seen.has('127.0.0.1:4002') && b.seen.has('127.0.0.1:4001'))
    expect(a.states).to.deep.equal(['connected', 'unreachable', 'connected'])
  })

  it('announces itself afresh to a Grape that was replaced between two lookups', async () => {
    const first = await startGrape()
    const slow = { eagerLookupMs: 300, lookupMs: 300 }
    const node = await discover(remoteGrape(first.url), 4001, slow)
    await eventually('it is announced', () => node.seen.has('127.0.0.1:4001'))
    await first.stop()
    await startGrape({ apiPort: portOf(first.url), dhtPort: portOf(first.dhtAddress), ports: 'exact' })
    node.seen.clear()
    await eventually('it is known again', () => node.seen.has('127.0.0.1:4001'))
  })

  it('looks up at once for somebody who waits', async () => {
    const grape = await startGrape()
    const rare = { eagerLookupMs: 60_000, lookupMs: 60_000 }
    const node = await discover(grape, 4001, rare)
    await eventually('it is connected', () => node.states.length === 1)
    await discover(grape, 4002)
    await eventually('it is found', () => {
      node.discovery.refresh()
      return node.seen.has('127.0.0.1:4002')
    })
  })

  for (const [what, status, body] of [
    ['a web page', 200, '<html>hello</html>'],
    ['an error', 500, 'ERR_GRAPE'],
    ['an endless list', 200, JSON.stringify(Array(100_000).fill('127.0.0.1:1'))],
  ] as const) {
    it(`calls a server that answers ${what} unreachable`, async () => {
      const server = createServer((_request, response) => response.writeHead(status).end(body))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      cleanups.push(() => server.close())
      const node = await discover(remoteGrape(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 4001)
      await eventually('it is told', () => node.states.length === 1)
      expect(node.states).to.deep.equal(['unreachable'])
      expect([...node.seen]).to.deep.equal([])
    })
  }

  it('passes on addresses only', async () => {
    const answer = ['127.0.0.1:4001', '127.0.0.1:70000', 7, null, 'x'.repeat(1_000), '127.0.0.1:4002/../']
    const server = createServer((_request, response) => response.end(JSON.stringify(answer)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => server.close())
    const node = await discover(remoteGrape(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 4001)
    await eventually('they are seen', () => node.seen.size > 0)
    expect([...node.seen]).to.deep.equal(['127.0.0.1:4001'])
  })

  it('leaves no timer and no socket when it stops, even with a Grape that does not answer', async () => {
    const server = createServer(() => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const before = process.getActiveResourcesInfo().sort()
    let asked = 0
    server.on('request', () => {
      asked += 1
    })
    const node = await discover(remoteGrape(url), 4001)
    await eventually('both are asked', () => asked === 2)
    await Promise.all([node.discovery.stop(), node.discovery.stop()])
    await eventually('nothing is left', () => {
      expect(process.getActiveResourcesInfo().sort()).to.deep.equal(before)
      return true
    })
    expect(node.states).to.deep.equal([])
    server.close()
  })

  it('survives its Grape being stopped first, and a listener that fails', async () => {
    const grape = await startGrape()
    const discovery = new GrapeDiscovery({ grape, logger: silentLogger }, { mesh: 'test', ...FAST })
    cleanups.push(() => discovery.stop())
    let told = 0
    await discovery.start(4001, {
      addresses: () => {
        throw new Error('a bug')
      },
      state: () => {
        told += 1
        throw new Error('a bug')
      },
    })
    await eventually('it is connected', () => told === 1)
    await grape.stop()
    await eventually('it notices', () => told === 2 && discovery.state === 'unreachable')
  })
})
