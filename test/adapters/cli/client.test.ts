import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { HistoryFile } from '../../../src/adapters/cli/client/history-file.js'
import { LineCompleter } from '../../../src/adapters/cli/client/line-completer.js'
import { TerminalPrompt } from '../../../src/adapters/cli/client/prompt.js'
import { PROMPT_COMMANDS } from '../../../src/adapters/cli/client/prompt-commands.js'
import type { CliDeps } from '../../../src/adapters/cli/session/cli-deps.js'
import type { NodeSettings } from '../../../src/adapters/system/settings.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { BOB, CAROL } from '../../support/auction-scenario.js'
import { eventually } from '../../support/eventually.js'
import { CliHarness, FakeNode } from './support/cli-harness.js'
import { FakeNodeApi, SELF } from './support/fake-node-api.js'

const PIC1 = { title: 'Pic#1', currency: 'USDT', start: '75', increment: '0.5' }

describe('the interactive client, on a pipe', () => {
  let cli: CliHarness
  let nodes: FakeNode[]
  /** Names whose data directory another process holds. */
  let held: Set<string>

  beforeEach(() => {
    cli = new CliHarness()
    nodes = []
    held = new Set()
  })
  afterEach(() => cli.dispose())

  const deps: Partial<CliDeps> = {
    createNode: (settings: NodeSettings) => {
      const inUse = Object.assign(new Error(`${settings.dataDir} is in use`), { code: 'DATA_DIR_IN_USE' })
      const node = new FakeNode(cli.api, settings, held.has(settings.name) ? inUse : null)
      nodes.push(node)
      mkdirSync(settings.dataDir, { recursive: true })
      return Promise.resolve(node)
    },
  }
  const client = (words = 'client') => cli.line(words, { deps })
  const script = (...lines: string[]) => cli.stdin.end(`${lines.join('\n')}\n`)

  it('carries out the lines of a pipe in order, then stops its node and exits 0', async () => {
    script('open "Pic #1" --start 75 --currency USDT', '', '# a remark', 'list', 'close 7k2m')
    const { code, stdout, stderr } = await client()
    expect(stdout).to.match(
      /Opened Pic #1 \(auc_7k2m\)[\s\S]*auc_7k2m {2}Pic #1[\s\S]*Closed Pic #1 \(auc_7k2m\): not sold: no bids/,
    )
    expect(stderr).to.equal('')
    expect(code).to.equal(0)
    expect(nodes.map(({ started, stopped }) => [started, stopped])).to.deep.equal([[1, 1]])
  })

  it('has short forms for each kind of bid', async () => {
    cli.api.openAs(BOB, { ...PIC1, buyNow: '200' })
    script('max 7k2m 90', 'upto 7k2m 95', 'bid 7k2m --max 91', 'buy 7k2m')
    await client()
    const sent = cli.api.calls.filter(({ method }) => ['bid', 'autoBid', 'buyNow'].includes(method))
    expect(sent.map(({ method, request }) => [method, { ...(request as object), commandId: '' }])).to.deep.equal([
      ['bid', { auction: '7k2m', kind: 'max', amount: '90', commandId: '' }],
      ['autoBid', { auction: '7k2m', limit: '95', commandId: '' }],
      ['bid', { auction: '7k2m', kind: 'max', amount: '91', commandId: '' }],
      ['buyNow', { auction: '7k2m', commandId: '' }],
    ])
  })

  it('outlives every error', async () => {
    cli.api.failures.set('peers', new Error('broken'))
    cli.api.failures.set('status', new NodeError('BUSY', 'too busy', { next: 'try again' }))
    script('opne', 'bid', 'bid "x', 'show zz', 'peers', 'status', 'bid 7k2m 5 --frist', 'list')
    const { code, stdout, stderr } = await client()
    expect(stderr.split('\n').filter((line) => line !== '')).to.deep.equal([
      'error: there is no command "opne"',
      'next: did you mean "open"?',
      'error: AUCTION is missing',
      'next: see `help bid`',
      'error: a " is not closed',
      'next: close it, or put a backslash before it',
      'show: no auction "zz" is known here',
      'next: see `vendue list`',
      'peers: broken',
      'status: too busy',
      'next: try again',
      'error: --frist is not an option of "bid"',
      'next: see `help bid`',
    ])
    expect(stdout).to.contain('No auctions yet. Open one: open TITLE')
    expect(code).to.equal(0)
  })

  it('helps, with each command and its options', async () => {
    script('help', 'help bid', 'bid --help')
    const { stdout } = await client()
    for (const { usage } of PROMPT_COMMANDS) expect(stdout).to.contain(`  ${usage.split(' ')[0]}`)
    expect(stdout.match(/Usage: bid AUCTION \[AMOUNT\]/g)).to.have.length(2)
    expect(stdout).not.to.contain('vendue bid')
  })

  it('prints what happens elsewhere, and not twice what was done here', async () => {
    cli.api.openAs(BOB, PIC1)
    const running = client()
    await eventually('it listens', () =>
      cli.api.calls.some(({ request }) => (request as { cursor?: string }).cursor !== undefined),
    )
    cli.stdin.write('bid 7k2m 75\n')
    await eventually('the bid', () => cli.stdout.includes('You lead'))
    cli.api.bidAs(CAROL, { auction: '7k2m', commandId: 'bid_carol', amount: '80', kind: 'plain' })
    await eventually('the rival', () => cli.stdout.includes('outbid'))
    cli.stdin.end()
    const { stdout } = await running
    expect(stdout).to.contain('outbid on Pic#1 (auc_7k2m): Carol leads at 80.00 USDT')
    expect(stdout).not.to.contain('you bid 75')
  })

  it('prints the events of chosen auctions only', async () => {
    cli.api.openAs(BOB, PIC1)
    cli.api.openAs(BOB, { ...PIC1, title: 'Pic#2' })
    const running = client()
    cli.stdin.write('watch 7k2n\n')
    await eventually('the choice', () => cli.stdout.includes('You hear of auc_7k2n.'))
    cli.api.bidAs(CAROL, { auction: '7k2m', commandId: 'bid_1', amount: '80', kind: 'plain' })
    cli.api.bidAs(CAROL, { auction: '7k2n', commandId: 'bid_2', amount: '90', kind: 'plain' })
    await eventually('the event', () => cli.stdout.includes('90.00 USDT'))
    cli.stdin.end()
    expect((await running).stdout).not.to.contain('80.00 USDT')
  })

  it('leaves on quit, with lines still to come', async () => {
    const running = client()
    cli.stdin.write('quit\nlist\n')
    const { code, stdout } = await running
    expect(code).to.equal(0)
    expect(stdout).not.to.contain('No auctions')
    expect(nodes[0]?.stopped).to.equal(1)
  })

  it('leaves at once on Ctrl-C, and when an operator stops it', async () => {
    const running = client()
    await eventually('ready', () => cli.stdout.includes('help lists'))
    nodes[0]?.requestStop()
    expect((await running).code).to.equal(0)
    const again = client('client --name other')
    await eventually('ready', () => nodes.length === 2 && nodes[1]?.started === 1)
    cli.ended.abort()
    expect((await again).code).to.equal(0)
    expect(nodes.map(({ stopped }) => stopped)).to.deep.equal([1, 1])
  })

  it('exits 1 when its node has to die', async () => {
    const running = client()
    await eventually('ready', () => cli.stdout.includes('help lists'))
    nodes[0]?.fail(new Error('the log failed'))
    expect((await running).code).to.equal(1)
    expect(cli.stdout).to.contain('the node has to stop: the log failed')
  })

  it('takes the first name that is free, whoever was quicker', async () => {
    cli.addNode('client-1')
    held.add('client-2')
    script('quit')
    const { stdout } = await client()
    expect(nodes.map(({ settings }) => settings.name)).to.deep.equal(['client-2', 'client-3'])
    expect(stdout).to.contain(join(cli.home, 'nodes', 'client-3'))
  })

  it('insists on a name that was given', async () => {
    held.add('alice')
    const { code, stderr } = await client('client --name alice')
    expect(stderr).to.contain('is in use')
    expect(code).to.equal(3)
    expect(nodes).to.have.length(1)
  })

  it('speaks JSON to programs', async () => {
    script('open Pic --start 5 --currency USD', 'bid 7k2m 1')
    const { stdout } = await client('client --json')
    const documents = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(documents[0]).to.include({ event: 'ready', name: 'alice' })
    const opened = documents.find(({ status }) => status === 'accepted')
    expect(opened.auction).to.include({ title: 'Pic', start_price: '5.00' })
    expect(documents.find(({ status }) => status === 'rejected').rejection.code).to.equal('OWN_AUCTION')
  })
})

describe('completion at the prompt', () => {
  const api = new FakeNodeApi()
  for (const title of ['Pic #1', 'Pic #2', 'Vase']) api.openAs(SELF, { ...PIC1, title })
  const completer = new LineCompleter({ commands: PROMPT_COMMANDS, api })

  const cases: readonly (readonly [line: string, candidates: string[], replaced: string])[] = [
    ['op', ['open '], 'op'],
    ['c', ['close', 'cancel'], 'c'],
    ['help wat', ['watch '], 'wat'],
    ['bid 7k2m --', ['--max', '--up-to', '--buy-now', '--id', '--ack', '--help'], '--'],
    ['open x --cur', ['--currency '], '--cur'],
    ['list --status c', ['closed', 'cancelled'], 'c'],
    ['show auc_7', ['auc_7k2n0000000000000000000000', 'auc_7k2m0000000000000000000000'], 'auc_7'],
    ['show va', ['auc_9xyz0000000000000000000000 '], 'va'],
    ['bid --max 80 "pic', ['"Pic #2', '"Pic #1'], '"pic'],
    ['bid 7k2m 8', [], '8'],
    ['nonsense x', [], 'x'],
  ]
  for (const [line, candidates, replaced] of cases) {
    it(`knows what may follow: ${line}`, async () => {
      expect(await completer.complete(line)).to.deep.equal([candidates, replaced])
    })
  }
})

describe('the prompt on a terminal', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'vendue-prompt-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  function open() {
    const stdin = new PassThrough()
    const stdout = new PassThrough()
    let shown = ''
    stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text
    })
    const prompt = new TerminalPrompt(
      { stdin, stdout },
      { prompt: 'alice> ', history: new HistoryFile(dir), complete: () => Promise.resolve([['bid '], 'b']) },
    )
    return { stdin, prompt, shown: () => shown }
  }

  it('prints above what is being typed, which stays as it is', async () => {
    const { stdin, prompt, shown } = open()
    const line = prompt.next()
    stdin.write('bid 7k2m 8')
    await eventually('the echo', () => shown().endsWith('8'))
    prompt.print('somebody bid\n')
    await eventually('the line again', () => shown().includes('somebody bid\n'))
    expect(shown().slice(shown().indexOf('somebody bid'))).to.contain('alice> bid 7k2m 8')
    stdin.write('0\r')
    expect(await line).to.equal('bid 7k2m 80')
    prompt.close()
  })

  for (const [key, name] of [
    ['\u0003', 'Ctrl-C'],
    ['\u0004', 'Ctrl-D'],
  ] as const) {
    it(`ends the input on ${name}`, async () => {
      const { stdin, prompt } = open()
      const line = prompt.next()
      stdin.write(key)
      expect(await line).to.equal(null)
    })
  }

  it('remembers lines over restarts, for its owner only', async () => {
    const first = open()
    for (const text of ['list', 'bid 7k2m --max 90']) {
      const line = first.prompt.next()
      first.stdin.write(`${text}\r`)
      await line
    }
    first.prompt.close()
    const file = join(dir, 'client_history')
    expect(readFileSync(file, 'utf8')).to.equal('list\nbid 7k2m --max 90\n')
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    const { stdin, prompt } = open()
    const line = prompt.next()
    stdin.write('\u001b[A\r')
    expect(await line).to.equal('bid 7k2m --max 90')
    prompt.close()
  })
})
