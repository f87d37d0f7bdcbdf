import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { NodeProcess, testEnv, untilConnected, VENDUE, vendue } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']

async function listenAnywhere(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, port: address.port }
}

async function freePort(): Promise<number> {
  const { server, port } = await listenAnywhere()
  server.close()
  await once(server, 'close')
  return port
}

describe('what can go wrong around a node', () => {
  const { home, remove } = makeTempHome()
  const children: ChildProcess[] = []

  after(() => {
    for (const child of children) child.kill('SIGKILL')
    remove()
  })

  async function grape(apiPort: number, dhtPort: number, bootstrap: number): Promise<ChildProcess> {
    const args = [
      'grape',
      '--grape-port',
      `${apiPort}`,
      '--dht-port',
      `${dhtPort}`,
      '--bootstrap',
      `127.0.0.1:${bootstrap}`,
    ]
    const child = spawn(process.execPath, [VENDUE, ...args], { env: testEnv(home), stdio: 'ignore' })
    children.push(child)
    await eventually('the Grape answers', async () => {
      const answer = await fetch(`http://127.0.0.1:${apiPort}/lookup`, {
        method: 'POST',
        body: '{"rid":"1","data":"x"}',
      })
      return answer.ok
    })
    return child
  }

  /** Homes that know nothing of each other's nodes, under one authority: as on two machines, without the joining. */
  function homes(...names: string[]): string[] {
    const meshes = join(home, `meshes-of-${names[0]}`)
    mkdirSync(meshes, { recursive: true })
    return names.map((name) => {
      mkdirSync(join(home, name))
      symlinkSync(meshes, join(home, name, 'meshes'))
      return join(home, name)
    })
  }

  it('goes on alone while no Grape answers, says so, and finds the others once one does', async () => {
    const [api, dht, other] = [await freePort(), await freePort(), await freePort()]
    const url = `http://127.0.0.1:${api}`
    const [here = '', there = ''] = homes('here', 'there')
    const one = await NodeProcess.start({ home: here, name: 'lone-1', args: ['--grape', url] })
    const two = await NodeProcess.start({ home: there, name: 'lone-2', args: ['--grape', url] })
    try {
      expect((await one.api.status()).grape).to.equal('unreachable')
      await eventually('it is said', () => one.output.includes('the Grape does not answer'))
      const { outcome } = await one.api.open({
        commandId: 'cmd_faults001',
        title: 'Alone',
        currency: 'EUR',
        start: '1',
      })
      expect(outcome.status).to.equal('accepted')
      const child = await grape(api, dht, other)
      await untilConnected([one, two])
      await eventually('the auction arrives', () => two.api.show({ auction: outcome.auctionId }))

      child.kill('SIGKILL')
      await once(child, 'exit')
      await eventually('it is noticed', async () => (await one.api.status()).grape === 'unreachable', 20_000)
      const bid = {
        auction: outcome.auctionId,
        commandId: 'bid_faults001',
        kind: 'plain',
        amount: '2',
      } as const
      expect((await two.api.bid(bid)).outcome.status).to.equal('accepted')
    } finally {
      await Promise.all([one.end(), two.end()])
    }
  })

  it('shares two linked standalone Grapes between nodes', async () => {
    const [api1, dht1, api2, dht2] = [await freePort(), await freePort(), await freePort(), await freePort()]
    await grape(api1, dht1, dht2)
    await grape(api2, dht2, dht1)
    const ownHomes = homes('home-0', 'home-1', 'home-2')
    const nodes = await Promise.all(
      [api1, api2, api1].map((api, i) =>
        NodeProcess.start({
          home: ownHomes[i] as string,
          name: `shared-${i}`,
          args: ['--grape', `http://127.0.0.1:${api}`],
        }),
      ),
    )
    try {
      await untilConnected(nodes)
    } finally {
      await Promise.all(nodes.map((node) => node.end()))
    }
  })

  it('names a port that is taken, and what to do', async () => {
    const { server, port } = await listenAnywhere()
    try {
      for (const flags of [
        ['--rpc', `127.0.0.1:${port}`, ...FREE_PORTS],
        ['--grape-port', `${port}`, '--dht-port', '0'],
      ]) {
        const run = await vendue(home, ['start', '--name', 'ports', ...flags])
        expect(run.code).to.equal(3)
        expect(run.stderr)
          .to.include(String(port))
          .and.match(/another program has this port/)
        expect(run.stderr).to.not.match(/\n\s+at /)
      }
    } finally {
      server.close()
    }
  })

  it('says what is wrong with a data directory that cannot be one', async () => {
    const path = join(home, 'a-file')
    writeFileSync(path, 'not a directory')
    const run = await vendue(home, ['start', '--data', path, ...FREE_PORTS])
    expect(run.code).to.not.equal(0)
    expect(run.stderr).to.include(path)
    expect(run.stderr).to.not.match(/\n\s+at /)
  })

  it('says so where no directory can be made', async () => {
    const run = await vendue(home, ['start', '--data', '/proc/nowhere/node', ...FREE_PORTS])
    expect(run.code).to.not.equal(0)
    expect(run.stderr)
      .to.include('/proc/nowhere')
      .and.match(/--data|another/)
    expect(run.stderr).to.not.match(/\n\s+at /)
  })

  it('refuses a file that is not a Vendue database, and leaves it as it is', async () => {
    const dataDir = join(home, 'nodes', 'foreign')
    mkdirSync(dataDir, { recursive: true })
    writeFileSync(
      join(dataDir, 'vendue.db'),
      'this is not a database, and long enough to be read as a header page'.repeat(100),
    )
    const run = await vendue(home, ['start', '--name', 'foreign', ...FREE_PORTS])
    expect(run.code).to.not.equal(0)
    expect(run.stderr).to.include('vendue.db')
    expect(run.stderr).to.not.match(/\n\s+at /)
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stops cleanly on ${signal}, with exit code 0 and nothing left behind`, async () => {
      const node = await NodeProcess.start({ home, name: `stops-${signal.toLowerCase()}`, args: FREE_PORTS })
      expect(await node.end(signal)).to.equal(0)
      expect(existsSync(join(node.dataDir, 'node.json'))).to.equal(false)
    })
  }
})
