import { expect } from 'chai'
import { UsageError } from '../../../src/adapters/cli/parse/usage-error.js'
import { exitCodeOf } from '../../../src/adapters/cli/session/exit-code.js'
import { OutcomeUnknownError } from '../../../src/adapters/cli/session/outcome-unknown.js'
import { SettingsError } from '../../../src/adapters/system/settings-error.js'
import { NODE_ERROR_CODES, NodeError, type NodeErrorCode } from '../../../src/ports/node/node-error.js'
import { BOB } from '../../support/auction-scenario.js'
import { eventually } from '../../support/eventually.js'
import { CliHarness } from './support/cli-harness.js'

const CODES: Readonly<Record<NodeErrorCode, number>> = {
  INVALID_INPUT: 2,
  AUCTION_NOT_FOUND: 2,
  AUCTION_AMBIGUOUS: 2,
  HOME_UNREACHABLE: 3,
  BUSY: 3,
  DISK_FULL: 3,
  AUCTION_HELD: 3,
  LOG_IO_ERROR: 3,
  LOG_UNREACHABLE: 3,
  FORBIDDEN: 3,
  NODE_UNREACHABLE: 3,
  STOPPING: 3,
  INTERNAL: 3,
  PICTURE_REFUSED: 2,
  PICTURE_NOT_FOUND: 2,
  PICTURE_UNAVAILABLE: 3,
  PICTURES_FULL: 3,
  NOT_HOME: 2,
  NOT_MOVED: 2,
  NOT_HELD: 2,
  PEERS_AWAY: 3,
  TOO_FEW_REPLICAS: 3,
  MANDATE_OUT_OF_TIME: 3,
  NOT_REPLICATED: 4,
  OUTCOME_UNKNOWN: 4,
  TOKEN_MALFORMED: 2,
  TOKEN_UNKNOWN: 3,
  TOKEN_USED: 3,
  TOKEN_EXPIRED: 3,
  CA_MISMATCH: 3,
  NOT_A_MEMBER: 3,
  MEMBER_REVOKED: 3,
  CERTIFICATE_EXPIRED: 3,
  NO_AUTHORITY: 3,
  OTHER_MESH: 3,
  NAME_TAKEN: 3,
  MEMBER_LOG_CONFLICT: 3,
  NO_CLUSTER: 2,
  OTHER_CLUSTER: 2,
  NOBODY_TAKES_OVER: 3,
}

describe('exit codes', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
    cli.api.openAs(BOB, { title: 'Pic#1', currency: 'USDT', start: '75', increment: '0.5' })
  })
  afterEach(() => cli.dispose())

  /** Whoever looks at it fails, as with a time zone that nobody knows. */
  const unshowable = new Proxy(
    {},
    {
      get: (_, name) => {
        if (name === 'then') return undefined
        throw new Error('this cannot be shown')
      },
    },
  ) as never
  const answers: [line: string, method: keyof CliHarness['api'], code: number][] = [
    ['open Vase --start 5 --currency USD', 'open', 0],
    ['bid 7k2m 80', 'bid', 0],
    ['bid 7k2m 70', 'bid', 1],
    ['bid 7k2m --up-to 90', 'autoBid', 0],
    ['close 7k2m', 'close', 1],
  ]
  for (const [line, method, code] of answers) {
    for (const form of ['', ' --json']) {
      it(`is ${code} for "${line}${form}" also where its answer cannot be shown`, async () => {
        // biome-ignore lint/suspicious/noExplicitAny: whatever the method is.
        const api = cli.api as any
        const real = api[method].bind(api)
        api[method] = async (request: object) => ({ ...(await real(request)), auction: unshowable })
        const ran = await cli.line(line + form)
        expect(ran.code, ran.stderr).to.equal(code)
        expect(ran.stderr).to.contain('cannot be shown')
        if (form === '') expect(ran.stdout).to.match(code === 1 ? /code: [A-Z_]+/ : /auction id: auc_\w+/)
        else expect(JSON.parse(ran.stdout)).to.include.keys(code === 1 ? 'code' : 'auction_id')
      })
    }
  }

  it('shows times in UTC where the zone is none', async () => {
    for (const timeZone of ['', 'Etc/Unknown', 'Mars/Olympus']) {
      const ran = await cli.line('open Vase --start 5 --currency USD --closes-in 1h', { timeZone })
      expect(ran, timeZone).to.include({ code: 0, stderr: '' })
      expect(ran.stdout).to.contain(' UTC')
      expect((await cli.line('list', { timeZone })).code, timeZone).to.equal(0)
    }
  })

  for (const code of NODE_ERROR_CODES) {
    it(`is ${CODES[code]} for ${code}`, async () => {
      cli.api.failures.set('bid', new NodeError(code, 'it went wrong', { next: 'try this' }))
      const ran = await cli.line('bid 7k2m 80')
      expect(ran.code).to.equal(CODES[code])
      expect(ran.stderr).to.contain('vendue bid: it went wrong')
      if (CODES[code] !== 4) expect(ran.stderr).to.contain('next: try this')
    })
  }

  it('is 0 for what was done and 1 for what a rule refused', async () => {
    expect((await cli.line('bid 7k2m 80')).code).to.equal(0)
    expect((await cli.line('bid 7k2m 80')).code).to.equal(1)
  })

  it('is 2 for settings and usage, 3 for what failed below, 4 for the unknown', () => {
    expect(exitCodeOf(new UsageError('x'))).to.equal(2)
    expect(exitCodeOf(new SettingsError('rpc', 'x', 'y'))).to.equal(2)
    expect(exitCodeOf(Object.assign(new Error('x'), { code: 'PORT_IN_USE' }))).to.equal(3)
    expect(exitCodeOf(new OutcomeUnknownError('OUTCOME_UNKNOWN', 'x', 'vendue bid'))).to.equal(4)
  })
})

describe('an unknown outcome', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
    cli.api.openAs(BOB, { title: 'Pic#1', currency: 'USDT', start: '75' })
  })
  afterEach(() => cli.dispose())

  const lost = new NodeError('OUTCOME_UNKNOWN', 'the answer did not arrive')

  it('prints the command that asks again with the same id, and that command works', async () => {
    cli.api.failures.set('bid', lost)
    const { stderr, code } = await cli.line('bid 7k2m 80 --name main')
    expect(code).to.equal(4)
    const again = /vendue (bid 7k2m 80 --name main --id (bid_\w+))/.exec(stderr)
    const [first] = cli.api.calls.filter(({ method }) => method === 'bid')
    expect(first?.request).to.include({ commandId: again?.[2] })
    expect((await cli.line(again?.[1] ?? '')).code).to.equal(0)
    expect(cli.api.calls.filter(({ method }) => method === 'bid')[1]?.request).to.deep.equal(first?.request)
  })

  it('says while a bid waits that its auction moves to another node, and not that another one does', async () => {
    let go = () => {}
    cli.api.held = new Promise<void>((resolve) => {
      go = resolve
    })
    cli.api.setMoving([{ auctionId: 'auc_9xyz0000000000000000000000', since: 1 }])
    const bidding = cli.line('bid 7k2m 80')
    await eventually('it has asked', () => cli.api.calls.some(({ method }) => method === 'moving'))
    expect(cli.stderr).to.equal('')
    cli.api.setMoving([{ auctionId: 'auc_7k2m0000000000000000000000', since: 1 }])
    await eventually('it says so', () => cli.stderr.includes('moving to another node; your bid is not placed yet'))
    go()
    expect(await bidding).to.include({ code: 0 })
  })

  it('keeps an id that was given, and quotes what a shell would take apart', async () => {
    cli.api.failures.set('open', lost)
    const id = ['--id', 'cmd_0123456789']
    const { stderr } = await cli.run(['open', "Bob's pic", ...id, '--start', '75', '--currency', 'USDT'])
    expect(stderr).to.contain(`vendue open 'Bob'\\''s pic' --start 75 --currency USDT ${id.join(' ')}`)
  })

  it('asks again by 10m where the first try said so', async () => {
    await cli.line('open Own --start 5 --currency USD --closes-in 1h')
    cli.api.failures.set('extend', lost)
    const { stderr } = await cli.line('extend 7k2n --by 10m')
    expect(stderr).to.match(/vendue extend 7k2n --by 10m --id cmd_\w+/)
  })

  it('gives programs the command as a field', async () => {
    cli.api.failures.set('close', lost)
    const { stdout, code } = await cli.line('close 7k2m --json')
    expect(JSON.parse(stdout).error.ask_again).to.match(/^vendue close 7k2m --json --id cmd_\w+$/)
    expect(code).to.equal(4)
  })
})
