import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { makeTempDir } from '../../support/temp-dir.js'
import { CliHarness } from './support/cli-harness.js'

describe('a list of lots on the command line', () => {
  let cli: CliHarness
  let dir: { path: string; remove(): void }

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
    dir = makeTempDir()
  })
  afterEach(() => {
    cli.dispose()
    dir.remove()
  })

  const list = (text: string | Uint8Array): string => {
    const path = join(dir.path, 'lots.csv')
    writeFileSync(path, text)
    return path
  }
  const open = (text: string | Uint8Array, ...more: string[]) => cli.run(['open', '--from', list(text), ...more])
  const requests = () =>
    cli.api.calls.filter(({ method }) => method === 'open').map(({ request }) => request as Record<string, unknown>)

  it('is opened row by row, with what the command line gives for all rows', async () => {
    const { code, stderr } = await open(
      '\ufeffTitle,Start,Reserve,Closes in\r\n"Map, old",20,60,2h\r\n\r\nVase,5.50,,\r\n',
      ...['--currency', 'eur', '--closes-in', '1d'],
    )
    expect(code, stderr).to.equal(0)
    expect(requests()).to.have.length(2)
    expect(requests()[0]).to.include({ title: 'Map, old', start: '20', reserve: '60', currency: 'EUR' })
    expect(requests().map(({ closesInMs }) => closesInMs)).to.deep.equal([7_200_000, 86_400_000])
  })

  it('may have semicolons and decimal commas, as European spreadsheets write them', async () => {
    const { code } = await open('title;start;currency\nMap;1234,50;EUR\nVase;5;EUR\n')
    expect(code).to.equal(0)
    expect(requests().map(({ start }) => start)).to.deep.equal(['1234.50', '5'])
  })

  const wrong: [title: string, text: string | Uint8Array, said: RegExp][] = [
    ['an amount is none', 'title,start,currency\nMap,20,EUR\nVase,x,EUR\n', /row 3: start .*amount/],
    ['an amount has too many decimals', 'title,start,currency\nMap,20.123,EUR\n', /row 2: start .*2 decimals/],
    ['a reserve is below the start', 'title,start,currency,reserve\nMap,20,EUR,5\n', /row 2: reserve must be at least/],
    ['an end is past', 'title,start,currency,closes-at\nMap,20,EUR,2001-01-01T00:00:00Z\n', /row 2: closes-at/],
    ['a duration is none', 'title,start,currency,closes-in\nMap,20,EUR,soon\n', /row 2: closes-in "soon"/],
    ['a cell is missing', 'title,start,currency\nMap,,EUR\n', /row 2: start is missing/],
    ['a column is unknown', 'title,start,curency\nMap,20,EUR\n', /column 3, "curency"/],
    ['a row is too long', 'title,start,currency\nMap,1,000,EUR\n', /row 2 has 4 cells/],
    ['thousands are separated', 'title;start;currency\nMap;1.234;EUR\n', /row 2, start: "1.234" may hold/],
    ['the encoding is another', Buffer.from('title,start,currency\nM\xe4p,1,EUR\n', 'latin1'), /not in UTF-8/],
    ['it is empty', 'title,start,currency\n', /holds no lots/],
  ]
  for (const [title, text, said] of wrong) {
    it(`is refused as a whole, with row, column and rule, where ${title}`, async () => {
      const { code, stderr } = await open(text)
      expect(code).to.equal(2)
      expect(stderr).to.match(said)
      expect(requests()).to.deep.equal([])
    })
  }

  const TWICE = 'title,start,currency\nMap,20,EUR\nMap,20,EUR\nVase,5,EUR\n'

  it('sends the same rows under the same ids, whatever else has been added, so that none is opened twice', async () => {
    await open(TWICE)
    const first = requests().map(({ commandId }) => commandId)
    expect(new Set(first).size).to.equal(3)
    cli.api.calls.length = 0
    await open(`title,start,currency\nLamp,9,EUR\n${TWICE.split('\n').slice(1).join('\n')}`)
    expect(
      requests()
        .slice(1)
        .map(({ commandId }) => commandId),
    ).to.deep.equal(first)
  })

  it('opens the same rows once more under the name of another batch', async () => {
    await open(TWICE)
    await open(TWICE, '--batch', 'spring')
    expect(new Set(requests().map(({ commandId }) => commandId)).size).to.equal(6)
  })

  it('says the row, and to give the same command again, where an answer does not come', async () => {
    cli.api.failures.set('open', new NodeError('OUTCOME_UNKNOWN', 'no answer came'))
    const { code, stderr } = await open(TWICE)
    expect(code).to.not.equal(0)
    expect(stderr).to.match(/row 2: no answer came/)
    expect(stderr).to.contain('the same command again: no lot is opened twice')
  })

  it('is only checked with --dry-run', async () => {
    const { code, stdout } = await open(TWICE, '--dry-run')
    expect([code, stdout.trim()]).to.deep.equal([0, '3 lots are right. Nothing was opened.'])
    expect(requests()).to.deep.equal([])
  })

  it('is no place for what one auction has', async () => {
    const { code, stderr } = await cli.run(['open', 'Vase', '--from', list(TWICE)])
    expect(code).to.equal(2)
    expect(stderr).to.contain('TITLE is for one auction')
  })
})
