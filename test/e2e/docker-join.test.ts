import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { testEnv, VENDUE, vendueJson } from '../support/node-process.js'
import { PostgresServer } from '../support/postgres/postgres-server.js'
import { makeTempHome } from '../support/temp-home.js'

const DOCKER = resolve(import.meta.dirname, '../../../docker')

/** What the containers of docker/compose.yaml do, without containers: homes of their own, and host names. */
describe('the scripts of the containers', () => {
  const { home, remove } = makeTempHome()
  const children: ChildProcess[] = []
  let output = ''

  const run = (name: string, command: readonly string[], env: NodeJS.ProcessEnv): ChildProcess => {
    const [program = '', ...args] = command
    const child = spawn(program, args, {
      env: {
        ...testEnv(join(home, name), { VENDUE_NAME: name, VENDUE_MESH: 'fair', ...env }),
        VENDUE_GRAPE_PORT: '0',
        PATH: `${join(home, 'bin')}:${process.env.PATH}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-20_000)
      })
    }
    children.push(child)
    return child
  }
  const ended = (child: ChildProcess) =>
    new Promise<number | null>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) done(child.exitCode)
      else child.once('close', done)
    })

  before(() => {
    mkdirSync(join(home, 'bin'))
    mkdirSync(join(home, 'invite'))
    writeFileSync(join(home, 'bin/vendue'), `#!/bin/sh\nexec "${process.execPath}" "${VENDUE}" "$@"\n`)
    chmodSync(join(home, 'bin/vendue'), 0o755)
  })

  after(async () => {
    for (const child of children) child.kill('SIGTERM')
    await Promise.all(children.map(ended))
    remove()
  })

  it('make a mesh of nodes, and of gateways that know the same accounts', async () => {
    const invite = join(home, 'invite')
    const [first, second, third, fourth, metrics, http1, http2] = await freePorts(7)
    const init = [join(DOCKER, 'mesh-init.sh'), `localhost:${first}`, invite, '1', '2']
    expect(await ended(run('node1', init, {})), output).to.equal(0)
    expect(await ended(run('node1', init, {})), 'again').to.equal(0)

    const start = ['vendue', 'start', '--rpc', `localhost:${first}`]
    const node1 = run('node1', start, { VENDUE_METRICS_PORT: String(metrics) })
    await healthy(`http://127.0.0.1:${metrics}`)

    const script = join(DOCKER, 'join-and-start.sh')
    run('node2', [script, join(invite, 'node'), `localhost:${second}`], {})
    const accounts = {
      VENDUE_GATEWAY: 'yes',
      VENDUE_AUTH: 'accounts',
      VENDUE_ACCOUNTS_DIR: join(home, 'accounts'),
    }
    const startGateway = (name: string, rpc: number | undefined, http: number | undefined) =>
      run(name, [script, join(invite, 'gateway'), `localhost:${rpc}`], {
        ...accounts,
        VENDUE_HTTP_PORT: String(http),
      })
    const gateway1 = startGateway('gateway1', third, http1)
    startGateway('gateway2', fourth, http2)
    const [url1, url2] = [`http://127.0.0.1:${http1}`, `http://127.0.0.1:${http2}`]
    await healthy(url1)
    await healthy(url2)
    for (const url of [url1, url2]) {
      await eventually(
        'all see each other',
        async () => {
          const { peers } = (await (await fetch(`${url}/ready`)).json()) as { peers: { alive: number } }
          return peers.alive === 3
        },
        20_000,
      )
    }

    const anna = await register(url1, 'anna')
    const opened = await post(`${url2}/api/v1/auctions`, anna, {
      title: 'Lot',
      start_price: 1,
      currency: 'EUR',
    })
    expect(opened.status).to.equal(201)
    const { id } = (await opened.json()) as { id: string }
    await eventually('node2 has it', () => vendueJson(join(home, 'node2'), ['show', id, '--name', 'node2']))
    await eventually('node1 sees all of them too', async () => {
      const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
      return /^vendue_peers\{state="alive"\} 3$/m.test(page)
    })

    const ben = await register(url1, 'ben')
    await eventually('gateway1 has it', async () => (await fetch(`${url1}/api/v1/auctions/${id}`)).ok)
    const bid = (url: string, token: string, amount: number, key: string) =>
      post(`${url}/api/v1/auctions/${id}/bids`, token, { amount }, { 'idempotency-key': key })
    const carl = await register(url1, 'carl')
    const once = await bid(url1, ben, 5, 'first')
    expect(once.status).to.equal(201)
    gateway1.kill('SIGKILL')
    await ended(gateway1)
    const again = await bid(url2, ben, 5, 'first')
    expect(again.status, 'the same bid, through the other gateway').to.equal(201)
    const { seq } = (await once.json()) as { seq: number }
    expect(await again.json()).to.include({ seq })
    expect((await bid(url2, carl, 7, 'second')).status, 'another, by a login of the first').to.equal(201)

    node1.kill('SIGTERM')
    expect(await ended(node1)).to.equal(0)
  })

  it('make a cluster of nodes that share a log, which goes on without the first of them', async () => {
    const invite = join(home, 'invite-cluster')
    mkdirSync(invite)
    const server = await PostgresServer.start()
    try {
      const [first, second, metrics] = await freePorts(3)
      const log = { VENDUE_SHARED_LOG: server.url(await server.createDatabase()), VENDUE_MESH: 'shared' }
      const init = [join(DOCKER, 'mesh-init.sh'), `localhost:${first}`, invite, '1', '0']
      expect(await ended(run('one', init, log)), output).to.equal(0)
      const clusterInit = [join(DOCKER, 'cluster-init.sh'), invite, '1']
      expect(await ended(run('one', clusterInit, log)), output).to.equal(0)
      expect(await ended(run('one', clusterInit, log)), 'again').to.equal(0)
      const start = ['vendue', 'start', '--rpc', `localhost:${first}`]
      const one = run('one', start, { ...log, VENDUE_METRICS_PORT: String(metrics) })
      await healthy(`http://127.0.0.1:${metrics}`)
      const joining = { ...log, CLUSTER_TOKEN: join(invite, 'cluster') }
      run('two', [join(DOCKER, 'join-and-start.sh'), join(invite, 'node'), `localhost:${second}`], joining)
      const ask = (name: string, words: readonly string[]) => vendueJson(join(home, name), [...words, '--name', name])
      const opened = await ask('one', ['open', 'Lot', '--start', '5', '--currency', 'EUR', '--closes-in', '1h'])
      const { auction_id: auction } = opened as { auction_id: string }
      await eventually('two has it', () => ask('two', ['show', auction]))
      await eventually('both are alive in the cluster', async () => {
        const { nodes } = (await ask('two', ['cluster', 'nodes'])) as { nodes: { state: string }[] }
        return nodes.filter(({ state }) => state === 'alive').length === 2
      })
      one.kill('SIGKILL')
      await ended(one)
      const bidden = await eventually('two takes a bid', () => ask('two', ['bid', auction, '7']), 60_000)
      expect(bidden).to.include({ status: 'accepted' })
      const status = (await ask('two', ['cluster', 'nodes'])) as { taken_over: number }
      expect(status.taken_over).to.equal(1)
    } finally {
      for (const child of children) child.kill('SIGTERM')
      await Promise.all(children.map(ended))
      await server.dispose()
    }
  })
})

async function healthy(url: string): Promise<void> {
  const isHealthy = async () => (await fetch(`${url}/health`).catch(() => null))?.ok === true
  await eventually(`${url} is healthy`, isHealthy, 60_000)
}

function post(url: string, token: string, body: object, headers: object = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify(body),
  })
}

/** An access token. */
async function register(url: string, username: string): Promise<string> {
  const registered = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password: 'a horse, and 9 batteries' }),
  })
  expect(registered.status).to.equal(201)
  return ((await registered.json()) as { access_token: string }).access_token
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((done) => {
          server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port))
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}
