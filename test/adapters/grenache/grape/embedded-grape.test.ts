import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect } from 'chai'
import { EmbeddedGrape, type EmbeddedGrapeOptions } from '../../../../src/adapters/grenache/grape/embedded-grape.js'
import {
  BootstrapAddressError,
  startStandaloneGrape,
} from '../../../../src/adapters/grenache/grape/standalone-grape.js'
import { ListenError } from '../../../../src/adapters/grenache/transport/listen-error.js'
import { eventually } from '../../../support/eventually.js'
import { silentLogger } from '../../../support/silent-logger.js'
import { rejection } from '../fakes.js'

const portOf = (address: string) => Number(address.split(':').at(-1))

async function bindUdp(port: number, address: string): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind({ port, address, exclusive: true })
  await once(socket, 'listening')
  return socket
}

describe('the embedded Grape', () => {
  const cleanups: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  async function start(options: EmbeddedGrapeOptions = {}): Promise<EmbeddedGrape> {
    const grape = new EmbeddedGrape({ logger: silentLogger }, options)
    cleanups.push(() => grape.stop())
    await grape.start()
    return grape
  }

  async function ask(grape: EmbeddedGrape, path: string, body: unknown): Promise<unknown> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`${grape.url}/${path}`, { method: 'POST', body: text })
    const answer = await response.text()
    try {
      return JSON.parse(answer)
    } catch {
      return answer
    }
  }
  const announce = (grape: EmbeddedGrape, key: string, port: number) =>
    ask(grape, 'announce', { rid: '1', data: [key, port] })
  const lookup = (grape: EmbeddedGrape, key: string) => ask(grape, 'lookup', { rid: '1', data: key })

  it('takes free ports and says which, however often it is started', async () => {
    const grape = await start()
    await grape.start()
    expect(grape.url).to.match(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/)
    expect(grape.dhtAddress).to.match(/^127\.0\.0\.1:[1-9]\d+$/)
    expect(await lookup(grape, 'nobody')).to.deep.equal([])
  })

  it('binds 127.0.0.1 and nothing else, over UDP and TCP', async () => {
    const grape = await start()
    const elsewhere = await bindUdp(portOf(grape.dhtAddress), '127.0.0.2')
    elsewhere.close()
    const [udp] = await Promise.allSettled([bindUdp(portOf(grape.dhtAddress), '127.0.0.1')])
    expect(udp).to.have.nested.property('reason.code', 'EADDRINUSE')
    const socket = connect(portOf(grape.url), '127.0.0.2')
    expect(((await once(socket, 'error')) as [Error & { code: string }])[0].code).to.equal('ECONNREFUSED')
  })

  describe('when a port is taken', () => {
    async function takenPorts() {
      const udp = await bindUdp(0, '127.0.0.1')
      const tcp = createServer().listen(0, '127.0.0.1')
      await once(tcp, 'listening')
      cleanups.push(
        () => udp.close(),
        () => tcp.close(),
      )
      return { dhtPort: udp.address().port, apiPort: (tcp.address() as AddressInfo).port }
    }

    it('takes others, if the ports were only preferred', async () => {
      const { dhtPort, apiPort } = await takenPorts()
      const grape = await start({ dhtPort, apiPort })
      expect(portOf(grape.dhtAddress)).to.not.equal(dhtPort)
      expect(portOf(grape.url)).to.not.equal(apiPort)
      expect(await lookup(grape, 'nobody')).to.deep.equal([])
    })

    it('refuses to start if they were exact, says which and what to do, and leaves nothing behind', async () => {
      const taken = await takenPorts()
      for (const ports of [{ dhtPort: taken.dhtPort }, { apiPort: taken.apiPort }]) {
        const grape = new EmbeddedGrape({ logger: silentLogger }, { ...ports, ports: 'exact' })
        const before = process.getActiveResourcesInfo().sort()
        const error = await rejection(grape.start(), ListenError)
        expect(error.code).to.equal('PORT_IN_USE')
        expect(error.port).to.equal(Object.values(ports)[0])
        expect(error.message).to.include(`127.0.0.1:${error.port}`).and.to.include('choose another port')
        await grape.stop()
        await eventually('nothing is left', () => {
          expect(process.getActiveResourcesInfo().sort()).to.deep.equal(before)
          return true
        })
      }
    })

    it('starts on them once they are free', async () => {
      const first = await start()
      const [dhtPort, apiPort] = [portOf(first.dhtAddress), portOf(first.url)]
      const second = new EmbeddedGrape({ logger: silentLogger }, { dhtPort, apiPort, ports: 'exact' })
      cleanups.push(() => second.stop())
      await rejection(second.start(), ListenError)
      await first.stop()
      await second.start()
      expect(second.dhtAddress).to.equal(first.dhtAddress)
    })
  })

  it('refuses an address that is not its own', async () => {
    const grape = new EmbeddedGrape({ logger: silentLogger }, { host: '203.0.113.7' })
    expect((await rejection(grape.start(), ListenError)).code).to.equal('ADDRESS_NOT_AVAILABLE')
    await grape.stop()
  })

  it('finds on one Grape what is announced on another that it is linked to, both ways', async () => {
    const first = await start()
    const second = await start({ bootstrap: [first.dhtAddress] })
    await eventually('announced', async () => typeof (await announce(first, 'rpc', 4001)) === 'number')
    await announce(second, 'rpc', 4002)
    for (const grape of [first, second]) {
      await eventually('both are seen', async () => {
        const found = (await lookup(grape, 'rpc')) as string[]
        return found.includes('127.0.0.1:4001') && found.includes('127.0.0.1:4002')
      })
    }
  })

  it('is up at once with dead bootstrap nodes, works alone, and joins them when they come', async () => {
    const late = await start()
    const { dhtAddress } = late
    await late.stop()
    const before = performance.now()
    const grape = await start({ bootstrap: [dhtAddress] })
    expect(performance.now() - before).to.be.below(1_000)
    await announce(grape, 'rpc', 4001)
    expect(await lookup(grape, 'rpc')).to.deep.equal(['127.0.0.1:4001'])
    const back = await start({ dhtPort: portOf(dhtAddress), ports: 'exact' })
    await eventually('the late one finds it', async () =>
      ((await lookup(back, 'rpc')) as string[]).includes('127.0.0.1:4001'),
    )
  })

  it('gets to know another node by its address alone', async () => {
    const [first, second] = [await start(), await start()]
    await announce(second, 'rpc', 4002)
    first.addNode('not an address')
    first.addNode(first.dhtAddress)
    first.addNode(second.dhtAddress)
    await eventually('it is found', async () => ((await lookup(first, 'rpc')) as string[]).includes('127.0.0.1:4002'))
  })

  it('leaves an evicted address out of lookups though the DHT still returns it, until it is announced anew', async () => {
    const [first, second] = [await start(), await start()]
    second.addNode(first.dhtAddress)
    await eventually('both addresses are announced', async () => {
      await announce(second, 'rpc', 4001)
      return typeof (await announce(second, 'rpc', 4002)) === 'number'
    })
    const sees = async (grape: EmbeddedGrape, port: number) =>
      ((await lookup(grape, 'rpc')) as string[]).includes(`127.0.0.1:${port}`)
    await eventually('both are seen', async () => (await sees(first, 4001)) && (await sees(first, 4002)))

    first.evict('rpc', '127.0.0.1:4001')
    for (let i = 0; i < 3; i++) expect(await lookup(first, 'rpc')).to.deep.equal(['127.0.0.1:4002'])
    // Nor does it hand the address to others: what it held itself is gone.
    second.evict('rpc', '127.0.0.1:4001')
    second.admit('rpc', '127.0.0.1:4001')
    expect(await lookup(second, 'rpc')).to.deep.equal(['127.0.0.1:4002'])

    await announce(second, 'rpc', 4001)
    await eventually('it is back', () => sees(first, 4001))
    first.evict('rpc', 'not an address')
  })

  it('gives an evicted address again that was admitted', async () => {
    const [first, second] = [await start(), await start()]
    second.addNode(first.dhtAddress)
    await eventually('announced', async () => typeof (await announce(second, 'rpc', 4001)) === 'number')
    first.evict('rpc', '127.0.0.1:4001')
    expect(await lookup(first, 'rpc')).to.deep.equal([])
    first.admit('rpc', '127.0.0.1:4001')
    await eventually('the other one still knows', async () => {
      return ((await lookup(first, 'rpc')) as string[]).length === 1
    })
  })

  it('survives what strangers send to its HTTP API', async () => {
    const grape = await start()
    const bad: [string, unknown][] = [
      ['announce', { data: ['key', 70_000] }],
      ['announce', { data: ['key', 0] }],
      ['announce', { data: ['key', -1] }],
      ['announce', { data: ['key', '80'] }],
      ['announce', { data: [{ length: 2e9 }, 80] }],
      ['announce', { data: null }],
      ['announce', {}],
      ['lookup', { data: { length: 2e9 } }],
      ['lookup', { data: 'x'.repeat(5_000) }],
      ['lookup', { data: '' }],
      ['lookup', 'null'],
      ['lookup', '{broken'],
      ['lookup', 'x'.repeat(20_000)],
      ['put', { data: { v: 'x', salt: '{"length":2000000000}' } }],
      ['get', { data: null }],
      ['constructor', { data: 'x' }],
      ['', {}],
    ]
    for (const [path, body] of bad) {
      expect(await ask(grape, path, body), JSON.stringify(body).slice(0, 80)).to.match(/ERR_|Cannot read/)
    }
    expect(await lookup(grape, 'nobody')).to.deep.equal([])
  })

  it('survives malformed DHT packets', async () => {
    const grape = await start()
    const stranger = await bindUdp(0, '127.0.0.1')
    cleanups.push(() => stranger.close())
    const id = `2:id20:${'a'.repeat(20)}`
    const packets = [
      '',
      'garbage',
      'd1:y1:qe',
      'd1:t2:aa1:y1:q1:q4:pinge',
      'd1:ai5e1:q4:ping1:t2:aa1:y1:qe',
      `d1:ad${id}9:info_hashi5ee1:q9:get_peers1:t2:aa1:y1:qe`,
      `d1:ad${id}9:info_hash20:${'b'.repeat(20)}4:porti99999e5:tokeni5ee1:q13:announce_peer1:t2:aa1:y1:qe`,
      'd1:rd2:idi5ee1:t2:aa1:y1:re',
      'd1:eli1ee1:t2:aa1:y1:ee',
    ]
    const { port } = new URL(`udp://${grape.dhtAddress}`)
    for (const packet of packets) stranger.send(packet, Number(port), '127.0.0.1')
    stranger.send(`d1:ad${id}e1:q4:ping1:t2:zz1:y1:qe`, Number(port), '127.0.0.1')
    const answers: string[] = []
    stranger.on('message', (message) => answers.push(message.toString('latin1')))
    await eventually('a good ping is answered after all of them', () =>
      answers.some((answer) => answer.includes('1:t2:zz')),
    )
    expect(await lookup(grape, 'nobody')).to.deep.equal([])
  })

  it('stops at once though a client keeps its connection, and can be stopped twice', async () => {
    const grape = await start()
    const socket = connect(portOf(grape.url), '127.0.0.1')
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    const before = performance.now()
    await Promise.all([grape.stop(), grape.stop()])
    expect(performance.now() - before).to.be.below(1_000)
    await closed
    await grape.stop()
    grape.addNode('127.0.0.1:20001')
  })

  it('standalone: stands on exactly its ports, and refuses a bootstrap that is no address', async () => {
    const first = await start()
    const [dhtPort, apiPort] = [portOf(first.dhtAddress), portOf(first.url)]
    const deps = { logger: silentLogger }
    expect((await rejection(startStandaloneGrape(deps, { dhtPort, apiPort }), ListenError)).code).to.equal(
      'PORT_IN_USE',
    )
    await first.stop()
    const bootstrap = ['http://127.0.0.1:20001']
    const refused = startStandaloneGrape(deps, { dhtPort, apiPort, bootstrap })
    expect((await rejection(refused, BootstrapAddressError)).message).to.include(bootstrap[0])
    const grape = await startStandaloneGrape(deps, { dhtPort, apiPort })
    cleanups.push(() => grape.stop())
    expect(grape.url).to.equal(`http://127.0.0.1:${apiPort}`)
  })
})
