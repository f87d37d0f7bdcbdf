import { expect } from 'chai'
import { tokenize } from '../../../src/adapters/cli/client/tokenize.js'
import { makePaint, relative, showSpan, showTime, showWhen } from '../../../src/adapters/cli/render/look.js'
import { facts, table } from '../../../src/adapters/cli/render/table.js'
import { columnsOf, oneLine, prose, truncate } from '../../../src/adapters/cli/render/terminal-text.js'
import { parseDuration, parseSoftClose } from '../../../src/adapters/system/parse-duration.js'
import { parseTime } from '../../../src/application/log/time-text.js'

describe('durations', () => {
  const cases = {
    '30s': 30_000,
    '10m': 600_000,
    '2h': 7_200_000,
    '1d': 86_400_000,
    '1h30m': 5_400_000,
    ' 5s ': 5_000,
  }
  for (const [text, ms] of Object.entries(cases)) {
    it(`reads "${text}"`, () => expect(parseDuration(text)).to.equal(ms))
  }
  for (const text of ['', '0s', '10', 'm', '-5m', '1.5h', '30m1h', '5 m', '1e3s', '10ms', '99999999999s']) {
    it(`refuses "${text}"`, () => expect(parseDuration(text)).to.equal(null))
  }

  it('reads a soft close of one or two durations', () => {
    expect(parseSoftClose('30s/1m')).to.deep.equal({ windowMs: 30_000, extensionMs: 60_000 })
    expect(parseSoftClose('30s')).to.deep.equal({ windowMs: 30_000, extensionMs: 30_000 })
    for (const text of ['30s/', '/30s', '30s/30s/30s', '']) expect(parseSoftClose(text), text).to.equal(null)
  })
})

describe('times', () => {
  const noon = Date.UTC(2030, 0, 1, 12)
  for (const text of [
    '2030-01-01T12:00:00Z',
    '2030-01-01T13:00+01:00',
    '2030-01-01 07:00:00.000-05:00',
    '2030-01-01t12:00z',
  ]) {
    it(`reads ${text}`, () => expect(parseTime(text)).to.deep.equal({ ok: true, ms: noon }))
  }

  it('refuses a time without a zone and says what to add', () => {
    expect(parseTime('2030-01-01T12:00:00')).to.deep.include({ ok: false, rule: 'has no time zone' })
  })

  for (const text of [
    'tomorrow',
    '2030-01-01',
    '12:00Z',
    '1893499200',
    '2030-13-01T12:00Z',
    '2030-02-30T12:00Z',
    '2030-01-01T25:00Z',
    '2030-01-01T12:00+99:00',
  ]) {
    it(`refuses ${text}`, () => expect(parseTime(text).ok).to.equal(false))
  }

  const look = { timeZone: 'Europe/Berlin', now: () => noon }
  it('are shown in the zone of the user, which is stated', () => {
    expect(showTime(noon + 5_000, look)).to.equal('13:00:05 CET')
    expect(showTime(Date.UTC(2030, 6, 1, 12), look)).to.equal('2030-07-01 14:00:00 CEST')
    expect(showWhen(noon + 540_000, look)).to.equal('13:09:00 CET (in 9 min)')
  })

  it('are shown relative to now', () => {
    expect(relative(-3_000)).to.equal('3 s ago')
    expect(relative(0)).to.equal('now')
    expect([45_000, 70_000, 540_000, 3_540_000, 7_500_000, 273_600_000].map(showSpan)).to.deep.equal([
      '45 s',
      '1 min 10 s',
      '9 min',
      '59 min',
      '2 h 5 min',
      '3 d 4 h',
    ])
  })
})

describe('text on a terminal', () => {
  it('never holds what could steer it', () => {
    expect(oneLine('a\u001b[2Jb\nc\rd\u0007\u009b31m')).to.equal('a\\x1b[2Jb\\x0ac\\x0dd\\x07\\x9b31m')
    expect(oneLine('evil\u202egnp.exe\u2066x\u200b\u2028y\ufeff')).to.equal(
      'evil\\u202egnp.exe\\u2066x\\u200b\\u2028y\\ufeff',
    )
    expect(oneLine('half \ud800 of a pair')).to.equal('half \ufffd of a pair')
    expect(oneLine('Émile’s 画 🖼️')).to.equal('Émile’s 画 🖼️')
  })

  it('keeps the lines of a description, and nothing else', () => {
    expect(prose('one\n\ttwo\u001b]0;title\u0007\r\n')).to.equal('one\n  two\\x1b]0;title\\x07\\x0d\n')
  })

  it('is measured in columns', () => {
    expect(columnsOf('abc')).to.equal(3)
    expect(columnsOf('画家')).to.equal(4)
    expect(columnsOf('e\u0301')).to.equal(1)
    expect(columnsOf(makePaint(true).good('won'))).to.equal(3)
    expect(truncate('a long title', 8)).to.equal('a long …')
    expect(truncate('画家画家', 5)).to.equal('画家…')
    expect(truncate('short', 8)).to.equal('short')
  })

  it('is aligned in tables, without columns that would be empty', () => {
    const rows = [
      { name: '画', price: '5.00', note: '' },
      { name: 'vase', price: '105.00', note: '' },
    ]
    expect(
      table(rows, [
        { title: 'NAME', cell: ({ name }) => name },
        { title: 'NOTE', cell: ({ note }) => note },
        { title: 'PRICE', cell: ({ price }) => price, align: 'right' },
      ]),
    ).to.deep.equal(['NAME   PRICE', '画      5.00', 'vase  105.00'])
    expect(
      facts([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).to.deep.equal(['a     1', 'long  2'])
  })

  it('has colours only where they are wanted', () => {
    expect(makePaint(false).bad('lost')).to.equal('lost')
    expect(makePaint(true).bad('lost')).to.equal('\u001b[31mlost\u001b[39m')
  })
})

describe('words of a line', () => {
  const words = (line: string) => {
    const tokens = tokenize(line)
    return tokens.ok ? tokens.words : tokens.message
  }
  it('are held together by quotes', () => {
    expect(words('open "Pic #1" --start 75')).to.deep.equal(['open', 'Pic #1', '--start', '75'])
    expect(words(`open 'a "b" c' x"y z"w ""`)).to.deep.equal(['open', 'a "b" c', 'xy zw', ''])
    expect(words('a\\ b "c\\"d" \\\\ e\\')).to.deep.equal(['a b', 'c"d', '\\', 'e\\'])
    expect(words('  \t ')).to.deep.equal([])
  })
  it('are refused where a quote stays open, or where there are far too many', () => {
    expect(words('open "Pic')).to.equal('a " is not closed')
    expect(words('x'.repeat(100_001))).to.contain('more than 100,000 characters')
  })
})
