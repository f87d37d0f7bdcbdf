import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { testEnv, VENDUE, vendueJson } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const DOCKER = resolve(import.meta.dirname, '../../../docker')

/** What the containers of docker/compose.yaml do, without containers: homes of their own, and host names. */
describe('the scripts of the containers', function () {
  this.timeout(60_000)
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
      if (child.exitCode !== null) done(child.exitCode)
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

  it('make a mesh, and bring nodes and gateways into it, which are healthy and stop when told to', async () => {
    const invite = join(home, 'invite')
    const [first, second, gateway, metrics, http] = await freePorts(5)
    const init = [join(DOCKER, 'mesh-init.sh'), `localhost:${first}`, invite, '1', '1']
    expect(await ended(run('node1', init, {})), output).to.equal(0)
    expect(await ended(run('node1', init, {})), 'again').to.equal(0)

    const start = ['vendue', 'start', '--rpc', `localhost:${first}`]
    const node1 = run('node1', start, { VENDUE_METRICS_PORT: String(metrics) })
    const isHealthy = async (url: string) => (await fetch(url).catch(() => null))?.ok === true
    await eventually('node1 is healthy', () => isHealthy(`http://127.0.0.1:${metrics}/health`), 20_000)

    const script = join(DOCKER, 'join-and-start.sh')
    run('node2', [script, join(invite, 'node'), `localhost:${second}`], {})
    run('gateway1', [script, join(invite, 'gateway'), `localhost:${gateway}`], {
      ...{ VENDUE_GATEWAY: 'yes', VENDUE_HTTP_PORT: String(http) },
    })
    const url = `http://127.0.0.1:${http}`
    await eventually('the gateway is healthy', () => isHealthy(`${url}/health`), 20_000)
    await eventually(
      'all see each other',
      async () => {
        const { peers } = (await (await fetch(`${url}/api/v1/peers`)).json()) as {
          peers: { name: string; state: string }[]
        }
        const alive = peers.filter(({ state }) => state === 'alive').map(({ name }) => name)
        return alive.includes('node1') && alive.includes('node2')
      },
      20_000,
    )
    const opened = await fetch(`${url}/api/v1/auctions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Lot', start_price: 1, currency: 'EUR', user_id: 'sam' }),
    })
    expect(opened.status).to.equal(201)
    const { id } = (await opened.json()) as { id: string }
    await eventually('node2 has it', () => vendueJson(join(home, 'node2'), ['show', id, '--name', 'node2']))
    const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    expect(page).to.match(/^vendue_peers\{state="alive"\} 2$/m)
    node1.kill('SIGTERM')
    expect(await ended(node1)).to.equal(0)
  })
})

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
