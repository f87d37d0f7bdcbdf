import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'

const BIN = fileURLToPath(new URL('../../bin/', import.meta.url))
/** Of a start, on a machine that has much else to do. */
const DEADLINE_MS = 90_000

/** A process and what it has said so far. */
interface Running {
  readonly child: ChildProcess
  stdout: string
  stderr: string
  readonly ended: Promise<number | null>
}

describe('the command line, in real processes', () => {
  let home: string
  let mesh: string
  let running: Running[]

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'vendue-e2e-cli-'))
    mesh = `e2e-${process.pid}-${Date.now() % 1_000_000}`
    running = []
  })

  afterEach(async () => {
    for (const { child } of running) if (child.exitCode === null) child.kill('SIGKILL')
    await Promise.all(running.map(({ ended }) => ended))
    rmSync(home, { recursive: true, force: true })
  })

  function launch(words: readonly string[], program = 'vendue.js', more: Record<string, string> = {}): Running {
    const own = Object.entries(process.env).filter(([name]) => !/^(VENDUE_|npm_)/.test(name))
    const env = { ...Object.fromEntries(own), VENDUE_HOME: home, VENDUE_MESH: mesh, ...more }
    const child = spawn(process.execPath, [join(BIN, program), ...words], { env })
    const process_: Running = {
      child,
      stdout: '',
      stderr: '',
      ended: new Promise((resolve) => child.once('close', resolve)),
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      process_.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      process_.stderr += text
    })
    running.push(process_)
    return process_
  }

  async function vendue(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const process_ = launch(words)
    const code = await process_.ended
    return { code, stdout: process_.stdout, stderr: process_.stderr }
  }

  async function start(name: string, ...words: string[]): Promise<Running> {
    const node = launch(['start', '--name', name, '--grape-port', '0', '--dht-port', '0', ...words])
    await eventually(`${name} is ready`, () => node.stdout.includes('Ready'), DEADLINE_MS)
    return node
  }

  it('holds an auction between two nodes, and every exit code means what it says', async () => {
    const alice = await start('alice')
    const bob = await start('bob')
    const opened = await vendue('open', 'Pic#1', '--start', '75', '--currency', 'USDT', '--name', 'alice', '--json')
    const { auction_id: id } = JSON.parse(opened.stdout)
    await eventually(
      'bob knows the auction',
      async () => (await vendue('list', '--name', 'bob')).stdout.includes('Pic#1'),
      DEADLINE_MS,
    )
    expect((await vendue('bid', id, '70', '--name', 'bob')).code).to.equal(1)
    expect((await vendue('bid', id, '1e3', '--name', 'bob')).code).to.equal(2)
    const bid = await vendue('bid', id.slice(0, 10), '80', '--name', 'bob', '--id', 'bid_0123456789')
    expect(bid.stdout).to.contain('You lead Pic#1')
    const again = await vendue('bid', id, '80', '--name', 'bob', '--id', 'bid_0123456789')
    expect(again.stdout).to.contain('receipt: seq 2').and.contain('bid_0123456789')
    const closed = await vendue('close', id, '--name', 'alice')
    expect(closed.stdout).to.contain('won by bob at 80.00 USDT')
    expect((await vendue('stop', '--name', 'alice')).stdout).to.equal('Node alice has stopped.\n')
    expect(await alice.ended).to.equal(0)
    expect((await vendue('list', '--name', 'alice')).code).to.equal(3)
    bob.child.kill('SIGINT')
    expect(await bob.ended).to.equal(0)
    expect(bob.stderr).not.to.match(/\n\s+at /)
  })

  it('does and says the same where the time zone is empty or unknown: times are in UTC then', async () => {
    await start('alice')
    for (const TZ of ['', 'Mars/Olympus', 'Etc/Unknown']) {
      const run = async (...words: string[]) => {
        const process_ = launch([...words, '--name', 'alice'], 'vendue.js', { TZ })
        const code = await process_.ended
        return { code, text: process_.stdout, stderr: process_.stderr }
      }
      const opened = await run('open', 'Vase', '--start', '5', '--currency', 'USD', '--closes-in', '1h')
      expect(opened, `TZ=${TZ}`).to.include({ code: 0, stderr: '' })
      expect(opened.text).to.match(/ends .*\d\d:\d\d:\d\d UTC/)
      const id = /auc_\w+/.exec(opened.text)?.[0] as string
      for (const words of [['show', id], ['list'], ['extend', id, '--by', '10m']]) {
        const shown = await run(...words)
        expect(shown.code, `TZ=${TZ} ${words.join(' ')}: ${shown.stderr}`).to.equal(0)
        expect(shown.text).to.contain('UTC')
      }
    }
  })

  it('refuses a second node on a data directory, and a port that is taken', async () => {
    await start('alice')
    const twice = await vendue('start', '--name', 'alice', '--grape-port', '0')
    expect(twice.stderr).to.contain('in use')
    expect(twice.code).to.equal(3)
    const status = JSON.parse((await vendue('status', '--name', 'alice', '--json')).stdout)
    const taken = await vendue('start', '--name', 'bob', '--rpc', status.address)
    expect(taken.stderr).to.contain(status.address)
    expect(taken.code).to.equal(3)
    for (const { stderr } of [twice, taken]) expect(stderr).not.to.match(/\n\s+at /)
  })

  it('gives clients that start at the same moment names of their own, and shows them each other', async () => {
    const grape = launch(['grape', '--grape-port', '0', '--dht-port', '0', '--json'])
    await eventually('the Grape is up', () => grape.stdout.includes('ready'), DEADLINE_MS)
    const { url } = JSON.parse(grape.stdout)
    const clients = [0, 1, 2].map(() => launch(['client', '--grape', url]))
    await eventually(
      'all are up',
      () => clients.every(({ stdout }) => stdout.includes('help lists')),
      DEADLINE_MS,
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${clients.map(({ stdout, stderr }) => stdout + stderr).join(' | ')}`)
    })
    const names = clients.map(({ stdout }) => stdout.split(',')[0])
    expect([...names].sort()).to.deep.equal(['client-1', 'client-2', 'client-3'])
    clients[0]?.child.stdin?.write('open "Pic #1" --start 75 --currency USDT\n')
    await eventually(
      'all hear of it',
      () => clients.every(({ stdout }) => /[Oo]pened Pic #1/.test(stdout)),
      DEADLINE_MS,
    )
    for (const { child } of clients) child.stdin?.end()
    expect(await Promise.all(clients.map(({ ended }) => ended))).to.deep.equal([0, 0, 0])
    grape.child.kill('SIGTERM')
    expect(await grape.ended).to.equal(0)
  })

  it('ends a watch quietly when its reader has had enough', async () => {
    await start('alice')
    const watch = launch(['watch', '--name', 'alice'])
    await eventually('it watches', () => watch.stderr.includes('watching'), DEADLINE_MS)
    watch.child.stdout?.destroy()
    const open = () => vendue('open', 'Pic', '--start', '1', '--currency', 'USD', '--name', 'alice')
    await open()
    await open()
    expect(await watch.ended).to.equal(0)
    expect(watch.stderr).to.equal('watching; Ctrl-C ends it\n')
  })

  it('plays the demonstration, and its three nodes agree', async () => {
    const demo = launch([], '../demo/main.js')
    expect(await demo.ended, demo.stderr).to.equal(0)
    expect(demo.stdout).to.contain('all 3 nodes show the same winner and hold the same log')
  })
})
