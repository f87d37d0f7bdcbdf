import { expect } from 'chai'
import { CliHarness } from './support/cli-harness.js'

/** Words, and what the complaint has to name. */
const USAGE_ERRORS: readonly (readonly [words: string[], complaint: string, next?: string])[] = [
  [['opne'], 'there is no command "opne"', 'did you mean "open"?'],
  [['open'], 'TITLE is missing'],
  [['open', 'Pic', '--start', '75'], '--currency is missing'],
  [['open', 'Pic'], '--start and --currency are missing'],
  [['open', 'Pic', '--strat', '75'], '--strat is not an option of "open"', 'did you mean --start?'],
  [['open', 'Pic', '--start'], '--start needs a value'],
  [['open', 'two', 'words', '--start', '1', '--currency', 'USD'], '"words" is one argument too many', 'quote'],
  [['bid'], 'AUCTION is missing'],
  [['bid', '7k2m'], 'AMOUNT is missing', 'AMOUNT, --max, --up-to and --buy-now'],
  [['bid', '7k2m', '80', '--max', '90'], 'AMOUNT and --max exclude each other'],
  [['bid', '7k2m', '--max', '90', '--buy-now'], '--max and --buy-now exclude each other'],
  [['bid', '7k2m', '80', '--id', 'x'], '--id "x" must be "bid_" or "cmd_"'],
  [['bid', '7k2m', '--up-to', '80', '--id', 'bid_12345678'], '--up-to takes no --id'],
  [['bid', '7k2m', '80', '--max', '1', '--max', '2'], '--max is given more than once', 'give it once'],
  [['extend', '7k2m'], '--by or --to is missing'],
  [['extend', '7k2m', '--by', '10m', '--to', '2030-01-01T12:00:00Z'], '--by and --to exclude each other'],
  [['extend', '7k2m', '--by', 'ten'], '--by "ten" must be a duration such as'],
  [['extend', '7k2m', '--to', '2030-01-01T12:00:00'], '--to "2030-01-01T12:00:00" has no time zone', 'add Z'],
  [['list', '--limit', '0'], '--limit "0" must be a whole number from 1 to 1,000'],
  [['list', '--status', 'sold'], '--status "sold" must be one or more of scheduled, open, ended, closed, cancelled'],
  [['history', '7k2m', '--before', 'x'], '--before "x" must be a whole number'],
  [['watch', '--from', '3'], '--from "3" needs an auction'],
  [['status', '--rpc', 'nonsense'], '--rpc "nonsense": must be HOST:PORT'],
  [['status', '--rpc', '127.0.0.1:0'], '--rpc 127.0.0.1:0 names no port'],
  [['status', '--name', 'main', '--rpc', '127.0.0.1:7000'], '--rpc already says which node'],
  [['status', '--name', 'Not A Name'], '--name "Not A Name": must be 1 to 32 characters'],
  [['start', '--grape-port', '99999'], '--grape-port "99999": must be a port'],
  [['start', '--grape', 'ftp://x'], '--grape "ftp://x": must be "embedded" or the URL'],
]

const OPEN = ['open', 'Pic', '--start', '75', '--currency', 'USDT']
const OPEN_ERRORS: readonly (readonly [words: string[], complaint: string])[] = [
  [['--closes-in', '10'], '--closes-in "10" must be a duration'],
  [['--closes-at', 'tomorrow'], '--closes-at "tomorrow" must be a time in RFC 3339'],
  [['--closes-in', '10m', '--closes-at', '2030-01-01T13:00:00Z'], '--closes-in and --closes-at exclude each other'],
  [['--soft-close', '30s'], '--soft-close needs an end'],
  [['--soft-close', '30s/', '--closes-in', '10m'], '--soft-close "30s/" must be WINDOW/EXTENSION'],
  [['--hard-stop', '+5m', '--closes-in', '10m'], '--hard-stop caps a soft close, and there is none'],
  [['--hard-stop', '+5', '--closes-in', '10m', '--soft-close', '30s'], '--hard-stop "+5" must be a duration'],
]

describe('usage errors', () => {
  let cli: CliHarness

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
  })
  afterEach(() => cli.dispose())

  for (const [words, complaint, next] of [
    ...USAGE_ERRORS,
    ...OPEN_ERRORS.map(([extra, text]) => [[...OPEN, ...extra], text] as const),
  ]) {
    it(`exits 2 and says: ${complaint}`, async () => {
      const { code, stdout, stderr } = await cli.run(words)
      expect(stderr).to.contain(complaint)
      if (next !== undefined) expect(stderr).to.contain(next)
      expect(stderr).not.to.match(/\n\s+at /)
      expect(stdout).to.equal('')
      expect(code).to.equal(2)
      const asked = cli.api.calls.filter(({ method }) => method !== 'show')
      expect(asked, 'nothing may be asked of the node').to.deep.equal([])
    })
  }

  it('shows the help and exits 2 without a command', async () => {
    const { code, stderr } = await cli.run([])
    expect(stderr).to.contain('Usage: vendue COMMAND').and.contain('Exit codes:')
    expect(code).to.equal(2)
  })

  it('reports usage errors as JSON to programs', async () => {
    const { code, stdout, stderr } = await cli.line('bid 7k2m --json')
    expect(JSON.parse(stdout).error).to.include({
      code: 'USAGE',
      field: 'amount',
      message: 'AMOUNT is missing',
    })
    expect(stderr).to.equal('')
    expect(code).to.equal(2)
  })

  it('has help with an example for every command', async () => {
    const { stdout } = await cli.run(['--help'])
    const commands = [...stdout.matchAll(/^ {2}vendue ([a-z-]+)/gm)].map((match) => match[1] as string)
    expect(commands).to.include.members(['start', 'open', 'bid', 'client', 'grape', 'watch', 'completion'])
    for (const command of commands.filter((name) => name !== 'completion')) {
      const help = await cli.run([command, '--help'])
      expect(help.stdout, command).to.contain(`Usage: vendue ${command}`).and.contain('Examples:')
      expect(help.code, command).to.equal(0)
    }
  })

  it('says in the help of bid who sees a maximum and who sees a limit', async () => {
    const { stdout } = await cli.run(['bid', '--help'])
    const text = stdout.replace(/\s+/g, ' ')
    expect(text).to.contain("--max is kept by the auction's home").and.contain('works while you are away')
    expect(text).to.contain('--up-to is kept by your own node').and.contain('must be running')
  })

  it('prints its version', async () => {
    expect((await cli.run(['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/)
  })

  it('takes words after "--" as they stand', async () => {
    const { code } = await cli.run(['open', '--start', '75', '--currency', 'USDT', '--', '--title'])
    expect(code).to.equal(0)
    expect(cli.api.calls.find(({ method }) => method === 'open')?.request).to.include({ title: '--title' })
  })

  it('completes commands, options and their values for a shell', async () => {
    const complete = async (...words: string[]) =>
      (await cli.run(['--get-yargs-completions', 'vendue', ...words])).stdout.trim().split('\n')
    expect(await complete('auto')).to.deep.equal(['autobids', 'autobid-stop'])
    expect(await complete('open', 'Pic', '--s')).to.deep.equal(['--start', '--soft-close'])
    expect(await complete('list', '--status', 'c')).to.deep.equal(['closed', 'cancelled'])
    expect((await cli.run(['completion'])).stdout).to.contain('--get-yargs-completions')
  })
})
