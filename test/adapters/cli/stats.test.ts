import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Kysely } from 'kysely'
import { sqliteDialect } from '../../../src/adapters/sql/sql-database.js'
import type { SqlTables } from '../../../src/adapters/sql/sql-tables.js'
import { seededCommits } from '../../support/consumers/auction-commits.js'
import { factsOf } from '../../support/consumers/consumer-house.js'
import { fillFacts } from '../../support/consumers/fill-facts.js'
import { makeTempDir } from '../../support/temp-dir.js'
import { CliHarness } from './support/cli-harness.js'

describe('statistics on the command line', () => {
  const dir = makeTempDir()
  const file = join(dir.path, 'stats.db')
  const facts = factsOf(seededCommits('cli', 20))
  let cli: CliHarness

  before(async () => {
    const db = new Kysely<SqlTables>({ dialect: sqliteDialect(file) })
    await fillFacts(db, facts)
    await db.destroy()
  })
  after(() => dir.remove())
  beforeEach(() => {
    cli = new CliHarness()
  })
  afterEach(() => cli.dispose())

  const stats = (...words: string[]) => cli.run(['stats', ...words, '--db', file])
  const bids = facts.filter(({ kind }) => kind === 'bid').length

  it('are words and a table for people, and the numbers of the API for programs', async () => {
    const { code, stdout, stderr } = await stats('--by', 'day')
    expect(code, stderr).to.equal(0)
    expect(stdout).to.contain('20 auctions')
    expect(stdout).to.match(/REVENUE/)
    expect(JSON.parse((await stats('--by', 'day', '--json')).stdout).totals).to.include({ opened: 20, bids })
  })

  it('are written as a table for spreadsheets', async () => {
    const out = join(dir.path, 'bids.csv')
    const { code, stderr } = await stats('bids', '--out', out)
    expect(code, stderr).to.equal(0)
    expect(readFileSync(out, 'utf8').split('\r\n')).to.have.length(bids + 2)
    const { stdout } = await stats('bids', '--ndjson')
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).to.have.length(bids)
  })

  it('list lots and bidders', async () => {
    expect((await stats('lots')).stdout).to.contain('TITLE')
    expect((await stats('bidders')).stdout).to.match(/BIDDER +BIDS +AUCTIONS/)
  })

  it('name the option that is wrong', async () => {
    for (const [option, value] of [
      ['from', 'noon'],
      ['by', 'week'],
      ['time-zone', 'Mars'],
    ] as const) {
      const { code, stderr } = await stats(`--${option}`, value)
      expect([code, stderr.includes(`--${option}`)], stderr).to.deep.equal([2, true])
    }
  })
})
