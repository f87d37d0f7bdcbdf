import { expect } from 'chai'
import type { CliDeps } from '../../../src/adapters/cli/session/cli-deps.js'
import type { NodeSettings } from '../../../src/adapters/system/settings.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { BOB } from '../../support/auction-scenario.js'
import { eventually } from '../../support/eventually.js'
import { CliHarness, FakeNode } from './support/cli-harness.js'
import { SELF } from './support/fake-node-api.js'

const PIC1 = { title: 'Pic#1', currency: 'USDT', start: '75', increment: '0.5' }
const bid = (commandId: string, amount: string) => ({
  auction: '7k2m',
  commandId,
  amount,
  kind: 'plain' as const,
})

describe('watch', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
  })
  afterEach(() => cli.dispose())

  const asked = (count: number) =>
    eventually(
      `${count} calls for events`,
      () => cli.api.calls.filter(({ method }) => method === 'events').length >= count,
    )

  it('prints events as they happen, marks what concerns the user, and ends at once', async () => {
    cli.api.openAs(BOB, PIC1)
    cli.api.bidAs(SELF, bid('bid_1', '75'))
    const watching = cli.line('watch')
    await asked(2)
    cli.api.bidAs(BOB_RIVAL, bid('bid_2', '80'))
    await eventually('the event', () => cli.stdout.includes('80.00'))
    cli.ended.abort()
    const { code, stdout } = await watching
    expect(stdout).to.equal('13:00:00 CET #3  outbid on Pic#1 (auc_7k2m): Rival leads at 80.00 USDT\n')
    expect(code).to.equal(0)
  })

  it('begins at a seq, and prints one JSON document a line', async () => {
    cli.api.openAs(BOB, PIC1)
    cli.api.bidAs(SELF, bid('bid_1', '75'))
    const watching = cli.line('watch 7k2m --from 1 --json')
    await eventually('both events', () => cli.stdout.split('\n').length === 3)
    cli.ended.abort()
    const { stdout, stderr } = await watching
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ seq, type }) => [seq, type])).to.deep.equal([
      [1, 'auction_opened'],
      [2, 'bid_placed'],
    ])
    expect(stderr).to.equal('')
  })

  it('says that an auction moves to another node, and that it does no longer, of those that are watched', async () => {
    cli.api.openAs(BOB, PIC1)
    const moves = (...ids: string[]) => cli.api.setMoving(ids.map((auctionId) => ({ auctionId, since: cli.api.now })))
    const watching = cli.line('watch 7k2m')
    await asked(2)
    moves('auc_7k2m0000000000000000000000', 'auc_9xyz0000000000000000000000')
    await eventually('it is said', () => cli.stdout.includes('auc_7k2m  is moving to another node'))
    moves()
    await eventually('it is over', () => cli.stdout.includes('auc_7k2m  bids are answered again'))
    cli.ended.abort()
    expect((await watching).stdout).not.to.contain('9xyz')
  })

  it('waits for a node that went away, and goes on where it was', async () => {
    cli.api.openAs(BOB, PIC1)
    const watching = cli.line('watch')
    await asked(2)
    cli.api.failures.set('events', new NodeError('NODE_UNREACHABLE', 'nobody listens'))
    cli.api.bidAs(BOB_RIVAL, bid('bid_1', '75'))
    await eventually('the loss is told', () => cli.stderr.includes('does not answer; waiting'))
    cli.api.bidAs(BOB_RIVAL_2, bid('bid_2', '80'))
    await eventually('both bids', () => cli.stdout.includes('80.00'))
    cli.ended.abort()
    const { stdout, stderr } = await watching
    expect(stdout.match(/#\d/g)).to.include.members(['#2', '#3'])
    expect(stdout.match(/#3 /g)).to.have.length(1)
    expect(stderr).to.contain('the node is back')
    expect(cli.targets).to.have.length(2)
  })

  it('exits 3 where there is no node to begin with', async () => {
    cli.api.failures.set('status', new NodeError('NODE_UNREACHABLE', 'nobody listens'))
    expect((await cli.line('watch')).code).to.equal(3)
  })
})

const BOB_RIVAL = { id: 'node_rival', name: 'Rival' }
const BOB_RIVAL_2 = { id: 'node_rival_2', name: 'Other' }

describe('start', () => {
  let cli: CliHarness
  let nodes: FakeNode[]
  let stops: string[]

  beforeEach(() => {
    cli = new CliHarness()
    nodes = []
    stops = []
  })
  afterEach(() => cli.dispose())

  const creating = (startError: Error | null = null): Partial<CliDeps> => ({
    createNode: (settings: NodeSettings) => {
      const node = new FakeNode(cli.api, settings, startError)
      nodes.push(node)
      return Promise.resolve(node)
    },
    startGateway: ({ host, port }) => {
      const stop = () => {
        stops.push(`gateway, ${nodes[0]?.stopped} nodes stopped before`)
        return Promise.resolve()
      }
      return Promise.resolve({ url: `http://${host}:${port}`, open: true, fellBack: false, stop })
    },
  })
  const ready = () => eventually('ready', () => (cli.stdout.includes('eady') ? nodes[0] : undefined))

  it('says where everything is and what to try, and stops cleanly', async () => {
    const running = cli.line('start --name alice --rpc 127.0.0.1:7000', { deps: creating() })
    const node = await ready()
    cli.ended.abort()
    const { code, stdout, stderr } = await running
    expect(stdout).to.equal(
      [
        'node   alice',
        'id     node_self',
        `data   ${cli.home}/nodes/alice`,
        'rpc    127.0.0.1:7000',
        'grape  http://127.0.0.1:30001 (embedded; DHT 127.0.0.1:20001)',
        'http   http://127.0.0.1:8080 (auth open: bidders’ names are taken on trust)',
        'Ready: open http://127.0.0.1:8080 in a browser. Ctrl-C stops the node. Try in another terminal:',
        '  vendue open Pic#1 --start 75 --currency USDT --name alice',
        '  vendue list --name alice',
        '  vendue watch --name alice',
        '',
      ].join('\n'),
    )
    expect(stderr).to.equal('stopping\n')
    expect(code).to.equal(0)
    expect(node).to.include({ started: 1, stopped: 1 })
    expect(stops).to.deep.equal(['gateway, 0 nodes stopped before'])
    expect(node.settings).to.deep.include({ name: 'alice', rpc: { host: '127.0.0.1', port: 7_000 } })
  })

  for (const [title, isShown, said] of [
    ['shows the web page in the browser where --open asks for it', true, ''],
    [
      'says where the web page is where --open finds no browser',
      false,
      'no browser could be started here: open http://127.0.0.1:8080 yourself\n',
    ],
  ] as const) {
    it(title, async () => {
      const shown: string[] = []
      const showInBrowser = (url: string) => {
        shown.push(url)
        return Promise.resolve(isShown)
      }
      const running = cli.line('start --open', { deps: { ...creating(), showInBrowser } })
      await eventually('shown', () => shown.length > 0)
      cli.ended.abort()
      expect((await running).stderr).to.equal(`${said}stopping\n`)
      expect(shown).to.deep.equal(['http://127.0.0.1:8080'])
    })
  }

  it('prints one JSON document when it is ready', async () => {
    const running = cli.line('start --json', { deps: creating() })
    await ready()
    cli.ended.abort()
    const { stdout, stderr } = await running
    expect(JSON.parse(stdout)).to.include({ event: 'ready', node_id: 'node_self', rpc: '127.0.0.1:7000' })
    expect(stderr).to.equal('')
  })

  it('leaves the gateway out where nobody wants it', async () => {
    const running = cli.line('start --no-gateway --json', { deps: creating() })
    await ready()
    cli.ended.abort()
    expect(JSON.parse((await running).stdout).http).to.equal(null)
    expect(stops).to.deep.equal([])
  })

  it('stops when an operator asks it to', async () => {
    const running = cli.line('start', { deps: creating() })
    const node = await ready()
    node.requestStop()
    const { code, stderr } = await running
    expect(code).to.equal(0)
    expect(stderr).to.contain('as an operator asked')
    expect(node.stopped).to.equal(1)
  })

  it('exits 1 with the message when the node has to die', async () => {
    const running = cli.line('start', { deps: creating() })
    const node = await ready()
    node.fail(new Error('the log failed with an I/O error'))
    const { code, stderr } = await running
    expect(code).to.equal(1)
    expect(stderr).to.contain('the node has to stop: the log failed with an I/O error')
    expect(node.stopped).to.equal(1)
  })

  it('says what is in the way without a stack trace, and exits 3', async () => {
    const taken = Object.assign(new Error('port 7000 is taken; stop what uses it'), { code: 'PORT_IN_USE' })
    const { code, stdout, stderr } = await cli.line('start', { deps: creating(taken) })
    expect(stderr).to.equal('vendue start: port 7000 is taken; stop what uses it\n')
    expect(stdout).to.equal('')
    expect(code).to.equal(3)
  })

  it('warns of a Grape that does not answer, and goes on', async () => {
    const status = await cli.api.status()
    cli.api.status = () => Promise.resolve({ ...status, grape: 'unreachable', grapeUrl: 'http://127.0.0.1:1' })
    const running = cli.line('start --grape http://127.0.0.1:1', { deps: creating() })
    await eventually('the warning', () => cli.stderr.includes('does not answer: the node goes on alone'))
    cli.ended.abort()
    expect((await running).code).to.equal(0)
  })

  it('warns of listening beyond this machine', async () => {
    const running = cli.line('start --rpc 0.0.0.0:7000', { deps: creating() })
    await ready()
    cli.ended.abort()
    expect((await running).stderr).to.contain('warning: RPC listens on 0.0.0.0 (--rpc)')
  })
})

describe('stop', () => {
  it('asks the node, and waits until it is gone', async () => {
    const cli = new CliHarness()
    try {
      const dataDir = cli.addNode('main')
      const { rmSync } = await import('node:fs')
      const stopping = cli.line('stop')
      await eventually('the node is asked', () => cli.api.stopped)
      expect(cli.stdout).to.equal('')
      rmSync(`${dataDir}/node.json`)
      expect(await stopping).to.deep.equal({ code: 0, stdout: 'Node main has stopped.\n', stderr: '' })
    } finally {
      cli.dispose()
    }
  })
})

describe('grape', () => {
  it('runs on exactly the ports that are named or usual, until it is ended', async () => {
    const cli = new CliHarness()
    const started: unknown[] = []
    let stopped = 0
    const startGrape: CliDeps['startGrape'] = (options) => {
      started.push(options)
      const stop = () => {
        stopped += 1
        return Promise.resolve()
      }
      return Promise.resolve({ url: 'http://127.0.0.1:30001', dhtAddress: '127.0.0.1:20001', stop })
    }
    try {
      const running = cli.line('grape', { deps: { startGrape } })
      await eventually('ready', () => cli.stdout.includes('Ready'))
      cli.ended.abort()
      const { code, stdout } = await running
      expect(stdout).to.contain('vendue start --grape http://127.0.0.1:30001')
      expect(started).to.deep.equal([{ host: '127.0.0.1', apiPort: 30_001, dhtPort: 20_001, bootstrap: [] }])
      expect([code, stopped]).to.deep.equal([0, 1])
    } finally {
      cli.dispose()
    }
  })
})
