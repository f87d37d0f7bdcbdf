import { expect } from 'chai'
import fc from 'fast-check'
import { type Currency, findCurrency } from '../../src/domain/currency.js'
import { formatAmount, formatMoney, isMinor, MAX_MINOR, parseAmount } from '../../src/domain/money.js'

function currency(code: string): Currency {
  const found = findCurrency(code)
  if (found === undefined) throw new Error(`no currency ${code}`)
  return found
}

const USD = currency('USD')
const JPY = currency('JPY')
const BHD = currency('BHD')
const USDT = currency('USDT')
const BTC = currency('BTC')

function parsed(input: string | number, unit = USD): number | string {
  const result = parseAmount(input, unit)
  return result.ok ? result.minor : result.problem.code
}

describe('parseAmount', () => {
  const accepted: [input: string | number, unit: Currency, minor: number][] = [
    ['105.00', USD, 10_500],
    ['105', USD, 10_500],
    ['105.5', USD, 10_550],
    [' 75 ', USD, 7_500],
    ['007.50', USD, 750],
    ['0.01', USD, 1],
    ['1.5000', USD, 150],
    [75.5, USD, 7_550],
    [1e3, USD, 100_000],
    ['1500', JPY, 1_500],
    ['1500.00', JPY, 1_500],
    ['1.234', BHD, 1_234],
    ['75.5', USDT, 75_500_000],
    ['0.00000001', BTC, 1],
    [0.0000001, BTC, 10],
    [1.5e-7, BTC, 15],
    ['90071992547409.91', USD, MAX_MINOR],
    [0.0000005, BTC, 50],
    [9_999_999_999_999.99, USD, 999_999_999_999_999],
    [1e-8, BTC, 1],
  ]
  for (const [input, unit, minor] of accepted) {
    it(`reads ${JSON.stringify(input)} ${unit.code} as ${minor} minor units`, () => {
      expect(parsed(input, unit)).to.equal(minor)
    })
  }

  const refused: [why: string, code: string, inputs: (string | number)[]][] = [
    [
      'what is no plain decimal number',
      'AMOUNT_NOT_A_NUMBER',
      ['', ' ', 'abc', '1e3', '1E3', 'NaN', 'Infinity', '-Infinity', '0x10', '1_000', '1,000', '12 5', '1.2.3'],
    ],
    ['signs and points that stand alone', 'AMOUNT_NOT_A_NUMBER', ['+5', '--5', '-', '5.', '.5', '.']],
    ['digits that are not ASCII', 'AMOUNT_NOT_A_NUMBER', ['١٢', '１２', '²']],
    ['numbers that are not finite', 'AMOUNT_NOT_A_NUMBER', [Number.NaN, Infinity, -Infinity]],
    ['texts past every bound', 'AMOUNT_NOT_A_NUMBER', ['9'.repeat(401), '9'.repeat(10_000_000)]],
    ['zero and less', 'AMOUNT_NOT_POSITIVE', ['0', '0.00', '-0', '-5', '-0.01', 0, -0, -5, -75.5, -1e21]],
    [
      'what does not fit a safe integer',
      'AMOUNT_TOO_LARGE',
      ['90071992547409.92', '9'.repeat(40), '9'.repeat(400), 1e15, 1e21, 1.5e300, Number.MAX_VALUE],
    ],
    ['numbers with more digits than they hold', 'AMOUNT_INEXACT', [90071992547409.91, 1e13, 10000000000000.01]],
    ['more decimals than the currency has', 'AMOUNT_TOO_PRECISE', ['1.005', 1.005, 0.1 + 0.2, 1e-7, 5e-324]],
  ]
  for (const [why, code, inputs] of refused) {
    it(`refuses ${why}`, () => {
      for (const input of inputs) {
        expect(parsed(input), JSON.stringify(input).slice(0, 40)).to.equal(code)
      }
    })
  }

  it('names the decimals that the currency allows', () => {
    const problem = (input: string, unit: Currency) => parseAmount(input, unit)
    expect(problem('0.5', JPY)).to.deep.include({
      problem: { code: 'AMOUNT_TOO_PRECISE', given: '0.5', decimals: 0 },
    })
    expect(problem('1.2345', BHD)).to.deep.include({
      problem: { code: 'AMOUNT_TOO_PRECISE', given: '1.2345', decimals: 3 },
    })
    expect(problem('0.1234567', USDT)).to.deep.include({
      problem: { code: 'AMOUNT_TOO_PRECISE', given: '0.1234567', decimals: 6 },
    })
  })

  it('names the largest amount it can count', () => {
    const maximum = '90071992547409.91'
    expect(parseAmount('100000000000000', USD)).to.deep.equal({
      ok: false,
      problem: { code: 'AMOUNT_TOO_LARGE', given: '100000000000000', maximum },
    })
  })

  it('repeats no more than the beginning of a long input', () => {
    const result = parseAmount('x'.repeat(10_000_000), USD)
    expect(result.ok ? '' : result.problem.given).to.equal('x'.repeat(60))
  })
})

describe('formatAmount', () => {
  const cases: [minor: number, unit: Currency, text: string][] = [
    [10_500, USD, '105.00'],
    [5, USD, '0.05'],
    [1_500, JPY, '1500'],
    [1_234, BHD, '1.234'],
    [75_500, BHD, '75.50'],
    [75_500_000, USDT, '75.50'],
    [1, BTC, '0.00000001'],
    [MAX_MINOR, USD, '90071992547409.91'],
  ]
  for (const [minor, unit, text] of cases) {
    it(`shows ${minor} minor units of ${unit.code} as ${text}`, () => {
      expect(formatAmount(minor, unit)).to.equal(text)
      expect(formatMoney(minor, unit)).to.equal(`${text} ${unit.code}`)
    })
  }
})

describe('money, for any amount', () => {
  const unit = fc.integer({ min: 0, max: 9 }).map((exponent) => ({ code: 'XYZ', exponent }))
  const minor = fc.integer({ min: 1, max: MAX_MINOR })

  it('is read the same with blanks around it, and with zeros in front', () => {
    const text = fc.stringMatching(/^\d{0,9}\.?\d{0,10}$/)
    fc.assert(
      fc.property(text, unit, (given, of) => {
        const { ok, ...rest } = parseAmount(given, of)
        expect(parseAmount(` ${given} `, of)).to.deep.include(ok ? { ok, ...rest } : { ok })
        if (ok) expect(parseAmount(`0${given}`, of)).to.deep.equal({ ok, ...rest })
      }),
      { numRuns: 1_000 },
    )
  })

  it('is read back from its own text', () => {
    fc.assert(
      fc.property(minor, unit, (amount, of) => {
        expect(parseAmount(formatAmount(amount, of), of)).to.deep.equal({ ok: true, minor: amount })
      }),
    )
  })

  it('is read from a JSON number as its sender wrote it', () => {
    // Up to 15 digits a double keeps every decimal text apart.
    const written = fc.integer({ min: 1, max: 999_999_999_999_999 })
    fc.assert(
      fc.property(written, unit, (amount, of) => {
        const json = JSON.parse(formatAmount(amount, of)) as number
        expect(parseAmount(json, of)).to.deep.equal({ ok: true, minor: amount })
      }),
    )
  })

  it('is never made of text that is not an amount, and reading never throws', () => {
    const almost = fc.stringMatching(/^[-+ .0-9e]{1,12}$/)
    fc.assert(
      fc.property(fc.oneof(almost, fc.string(), fc.double()), unit, (input, of) => {
        const result = parseAmount(input, of)
        if (result.ok) {
          expect(isMinor(result.minor)).to.equal(true)
          expect(Number(formatAmount(result.minor, of))).to.equal(Number(input))
        }
      }),
    )
  })
})
