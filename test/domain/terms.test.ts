import { expect } from 'chai'
import { MAX_INCREMENT_BANDS } from '../../src/domain/increments.js'
import { MAX_DURATION_MS } from '../../src/domain/limits.js'
import { openingProblems, type Terms, type TermsProblem, termsProblems } from '../../src/domain/terms.js'
import { AuctionScenario, HOUR, MINUTE, openCommand, T0, termsWith } from '../support/auction-scenario.js'

const ENDS = T0 + HOUR
const SOFT = { windowMs: MINUTE, extensionMs: MINUTE, hardStopAt: null }
const COMMITMENT = 'a'.repeat(64)
const BANDS_AT_BOUND = Array.from({ length: MAX_INCREMENT_BANDS }, (_, from) => ({ from, step: 1 }))

function problems(overrides: Partial<Terms>, reserve: number | null = null): TermsProblem[] {
  return termsProblems(termsWith(overrides), reserve)
}

describe('sound terms', () => {
  const cases: [what: string, overrides: Partial<Terms>, reserve?: number][] = [
    ['the least that is needed', {}],
    ['a title in any script', { title: 'Ölbild «Müller», 油絵 🖼' }],
    ['a title at its bound', { title: 'x'.repeat(200) }],
    ['line breaks and tabs in the description', { description: 'first\n\tsecond' }],
    ['a description at its bound', { description: 'x'.repeat(10_000) }],
    ['as many bands as are allowed', { increments: BANDS_AT_BOUND }],
    ['a reserve at the start price', { reserveCommitment: COMMITMENT }, 7_500],
    ['a buy-now at the reserve', { reserveCommitment: COMMITMENT, buyNow: 9_000 }, 9_000],
    ['a buy-now at the start price', { buyNow: 7_500 }],
    ['a soft close with a hard stop at the end', { closesAt: ENDS, softClose: { ...SOFT, hardStopAt: ENDS } }],
    [
      'a soft close of a whole day',
      { closesAt: ENDS, softClose: { windowMs: 24 * HOUR, extensionMs: 24 * HOUR, hardStopAt: null } },
    ],
    ['an opening before the end', { opensAt: ENDS - 1, closesAt: ENDS }],
  ]
  for (const [what, overrides, reserve] of cases) {
    it(`may have ${what}`, () => expect(problems(overrides, reserve)).to.deep.equal([]))
  }
})

describe('terms', () => {
  const bands = (...from: number[]) => from.map((at) => ({ from: at, step: 100 }))
  const CONTROL = 'must not hold control or text-direction characters'
  const PROSE = 'must not hold control characters other than line breaks and tabs'
  const BANDS = 'bands must ascend, and each step must be a positive amount'
  const COUNT = `must have 1 to ${MAX_INCREMENT_BANDS} bands`
  const SOFT_RANGE = 'window and extension must each be between 1 ms and 24 h'
  const PAST_START = 'must be at least the start price'

  const cases: [what: string, overrides: Partial<Terms>, field: string, rule: string, reserve?: number][] = [
    ['an empty title', { title: '' }, 'title', 'must not be empty'],
    ['a blank title', { title: ' \u3000' }, 'title', 'must not be empty'],
    ['a long title', { title: 'x'.repeat(201) }, 'title', 'must be at most 200 characters'],
    ['a title of 10 MB', { title: 'x'.repeat(10_000_000) }, 'title', 'must be at most 200 characters'],
    ['a title with a line break', { title: 'Pic\n#1' }, 'title', CONTROL],
    ['a title with NUL', { title: 'Pic\u0000' }, 'title', CONTROL],
    ['a title with a terminal escape', { title: '\u001b[2JPic' }, 'title', CONTROL],
    ['a title with C1 controls', { title: 'Pic\u009b' }, 'title', CONTROL],
    ['a title with a line separator', { title: 'Pic\u2028' }, 'title', CONTROL],
    ['a title that turns text around', { title: 'Pic\u202e1#' }, 'title', CONTROL],
    ['a title that isolates text', { title: 'Pic\u2066' }, 'title', CONTROL],
    ['a long description', { description: 'x'.repeat(10_001) }, 'description', 'must be at most 10000 characters'],
    ['a description with a terminal escape', { description: '\u001b[2J' }, 'description', PROSE],
    ['a description that turns text around', { description: '\u202e' }, 'description', PROSE],
    [
      'a currency nobody can count in',
      { currency: { code: 'USD', exponent: 20 } },
      'currency',
      'must be a known currency',
    ],
    ['a start of zero', { startPrice: 0 }, 'start', 'must be a positive amount'],
    ['a negative start', { startPrice: -1 }, 'start', 'must be a positive amount'],
    ['a start that is no whole number', { startPrice: 0.5 }, 'start', 'must be a positive amount'],
    ['a start that is not a number', { startPrice: Number.NaN }, 'start', 'must be a positive amount'],
    ['a start past all counting', { startPrice: 2 ** 53 }, 'start', 'must be a positive amount'],
    ['a reserve below the start', { reserveCommitment: COMMITMENT }, 'reserve', PAST_START, 7_499],
    [
      'a reserve that is committed to by nonsense',
      { reserveCommitment: 'ABC' },
      'reserve',
      'must be committed to by a SHA-256 in hex',
    ],
    ['a buy-now below the start', { buyNow: 7_499 }, 'buyNow', PAST_START],
    ['a buy-now that is no whole number', { buyNow: 7_500.5 }, 'buyNow', PAST_START],
    [
      'a buy-now below the reserve',
      { reserveCommitment: COMMITMENT, buyNow: 8_999 },
      'buyNow',
      'must be at least the reserve',
      9_000,
    ],
    ['no increment at all', { increments: [] }, 'increment', COUNT],
    ['too many bands', { increments: bands(...Array(33).keys()) }, 'increment', COUNT],
    ['bands that do not start at 0', { increments: bands(1, 2) }, 'increment', 'the first band must start at 0'],
    ['bands out of order', { increments: bands(0, 200, 100) }, 'increment', BANDS],
    ['the same band twice', { increments: bands(0, 100, 100) }, 'increment', BANDS],
    ['a band from no whole number', { increments: bands(0, 0.5) }, 'increment', BANDS],
    ['a step of 0', { increments: [{ from: 0, step: 0 }] }, 'increment', BANDS],
    ['a negative step', { increments: [{ from: 0, step: -5 }] }, 'increment', BANDS],
    ['a step that is no whole number', { increments: [{ from: 0, step: 0.5 }] }, 'increment', BANDS],
    ['an opening at no time', { opensAt: Number.NaN }, 'opensAt', 'must be a time'],
    ['an opening in 1970', { opensAt: 0 }, 'opensAt', 'must be a time'],
    ['an end at no time', { closesAt: 1.5 }, 'closesAt', 'must be a time'],
    ['an end past all calendars', { closesAt: 8.64e15 }, 'closesAt', 'must be a time'],
    ['an end before the opening', { opensAt: ENDS, closesAt: T0 + 1 }, 'closesAt', 'must be after opensAt'],
    ['an end at the opening', { opensAt: ENDS, closesAt: ENDS }, 'closesAt', 'must be after opensAt'],
    ['a soft close without an end', { softClose: SOFT }, 'softClose', 'needs an end time (closesAt)'],
    ['no window', { closesAt: ENDS, softClose: { ...SOFT, windowMs: 0 } }, 'softClose', SOFT_RANGE],
    ['an endless window', { closesAt: ENDS, softClose: { ...SOFT, windowMs: 24 * HOUR + 1 } }, 'softClose', SOFT_RANGE],
    [
      'an extension of no whole milliseconds',
      { closesAt: ENDS, softClose: { ...SOFT, extensionMs: 0.5 } },
      'softClose',
      SOFT_RANGE,
    ],
    [
      'a hard stop before the end',
      { closesAt: ENDS, softClose: { ...SOFT, hardStopAt: ENDS - 1 } },
      'hardStop',
      'must not be before closesAt',
    ],
    [
      'a hard stop at no time',
      { closesAt: ENDS, softClose: { ...SOFT, hardStopAt: Infinity } },
      'hardStop',
      'must not be before closesAt',
    ],
  ]
  for (const [what, overrides, field, rule, reserve] of cases) {
    it(`with ${what} are refused`, () => {
      expect(problems(overrides, reserve)).to.deep.equal([{ field, rule }])
    })
  }

  it('name every broken rule at once', () => {
    const found = problems({ title: '', startPrice: 0, increments: [], softClose: SOFT })
    expect(found.map(({ field }) => field)).to.deep.equal(['title', 'start', 'increment', 'softClose'])
  })
})

describe('times at the opening', () => {
  const FUTURE = 'must be in the future'
  const FAR = 'must be within 10 years'
  const far = T0 + MAX_DURATION_MS + 1

  it('lie ahead', () => {
    const found = openingProblems(termsWith({ opensAt: T0 - 1, closesAt: T0 }), T0)
    expect(found).to.deep.equal([
      { field: 'opensAt', rule: FUTURE },
      { field: 'closesAt', rule: FUTURE },
    ])
  })

  it('are not absurdly far', () => {
    const softClose = { ...SOFT, hardStopAt: far }
    const found = openingProblems(termsWith({ opensAt: far - 2, closesAt: far - 1, softClose }), T0)
    expect(found).to.deep.equal([{ field: 'hardStop', rule: FAR }])
    expect(openingProblems(termsWith({ closesAt: far }), T0)).to.deep.equal([{ field: 'closesAt', rule: FAR }])
  })

  it('may be left open', () => {
    expect(openingProblems(termsWith(), T0)).to.deep.equal([])
  })

  it('are checked when an auction is opened, with all the other rules', () => {
    const auction = new AuctionScenario().send(openCommand({ title: '', closesAt: T0, reserve: 1 }))
    expect(auction.rejection).to.deep.equal({
      code: 'TERMS_INVALID',
      problems: [
        { field: 'title', rule: 'must not be empty' },
        { field: 'reserve', rule: 'must be at least the start price' },
        { field: 'closesAt', rule: FUTURE },
      ],
    })
  })
})
