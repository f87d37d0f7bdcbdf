import { expect } from 'chai'
import fc from 'fast-check'
import { ladder, numberSigns, readAmount, stepped } from '../../../services/gateway/web/model/amount.js'
import { writingOf } from '../../../services/gateway/web/model/writing.js'

const EN = numberSigns('en-GB')
const DE = numberSigns('de-DE')
const AR = numberSigns('ar-EG')
const amount = (text: string) => ({ kind: 'amount', amount: text })

describe('an amount that is typed', () => {
  for (const [text, decimals, signs, expected] of [
    ['78.5', 2, EN, '78.50'],
    [' 1,234.50 ', 2, EN, '1234.50'],
    ['1,234', 2, EN, '1234.00'],
    ['1.234,50', 2, DE, '1234.50'],
    ['1,23,456.50', 2, EN, '123456.50'],
    ['12,34,567', 2, EN, '1234567.00'],
    ['1.234', 2, DE, '1234.00'],
    ['78,5', 2, EN, '78.50'],
    ['1 234,50', 2, DE, '1234.50'],
    ['1’234.50', 2, EN, '1234.50'],
    ['1,234,567', 2, EN, '1234567.00'],
    ['.5', 2, EN, '0.50'],
    ['007', 0, EN, '7'],
    ['٧٨٫٥٠', 2, AR, '78.50'],
    ['0.00012345', 8, EN, '0.00012345'],
    ['1.2500000000', 2, EN, '1.25'],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${expected}`, () => {
      expect(readAmount(text, decimals, signs)).to.deep.equal(amount(expected))
    })
  }

  it('is refused with both readings where it has two', () => {
    expect(readAmount('1.234', 2, EN)).to.deep.equal({ kind: 'ambiguous', readings: ['1234.00', '1.23'] })
    expect(readAmount('1,234', 2, DE)).to.deep.equal({ kind: 'ambiguous', readings: ['1234.00', '1.23'] })
    expect(readAmount('1,234', 8, EN)).to.deep.equal({
      kind: 'ambiguous',
      readings: ['1234.00000000', '1.23400000'],
    })
  })

  it('is refused where it is none', () => {
    const why = (text: string, decimals = 2) => {
      const read = readAmount(text, decimals, EN)
      return read.kind === 'invalid' ? read.why : read.kind
    }
    for (const text of [
      'abc',
      '1e3',
      '0x10',
      '1.2.3',
      '1,2,3',
      '1,23.4,5',
      '1,23,45',
      '123,45,678',
      '٫',
      '$5',
      '1'.repeat(20),
      '<b>1',
    ])
      expect(why(text), text).to.equal('not-a-number')
    expect(why('-5')).to.equal('negative')
    expect(why('78.505')).to.equal('ambiguous')
    expect(why('1278.505')).to.equal('too-many-decimals')
    expect(why('')).to.equal('empty')
  })

  it('is read as it was written, in each writing, to the last digit', () => {
    const minor = fc.bigInt({ min: 0n, max: 999_999_999_999_999n })
    const place = fc.constantFrom('en-GB', 'de-DE', 'de-CH', 'fr-FR', 'ar-EG', 'hi-IN', 'en-IN')
    fc.assert(
      fc.property(minor, place, (value, locale) => {
        const digits = String(value).padStart(3, '0')
        const text = `${digits.slice(0, -2)}.${digits.slice(-2)}`
        expect(readAmount(writingOf(locale).number(text), 2, numberSigns(locale))).to.deep.equal(amount(text))
      }),
    )
  })

  it('goes up and down along the steps, never below the least', () => {
    const bands = [
      { from: '0.00', step: '0.50' },
      { from: '10.00', step: '1.00' },
    ]
    expect(ladder('9.00', bands, 4)).to.deep.equal(['9.00', '9.50', '10.00', '11.00'])
    expect(stepped('10.00', 1, { minimum: '9.00', bands })).to.equal('11.00')
    expect(stepped('9.50', -1, { minimum: '9.00', bands })).to.equal('9.00')
    expect(stepped('9.00', -1, { minimum: '9.00', bands })).to.equal('9.00')
    expect(stepped('3.00', 1, { minimum: '9.00', bands })).to.equal('9.00')
  })
})

describe('an amount that is shown', () => {
  it('keeps every digit, beyond what a number could hold', () => {
    const writing = writingOf('en-GB')
    expect(writing.number('9007199254740993.25')).to.equal('9,007,199,254,740,993.25')
    expect(writing.number('0.00000001')).to.equal('0.00000001')
    expect(writing.money('1234.50', 'EUR')).to.equal('1,234.50\u00a0EUR')
    expect(writingOf('de-DE').money('1234.50', 'USDT')).to.equal('1.234,50\u00a0USDT')
  })
})
