import { expect } from 'chai'
import fc from 'fast-check'
import { type Currency, findCurrency } from '../../src/domain/currency.js'
import { defaultIncrements, flatIncrement, incrementAt, MAX_INCREMENT_BANDS } from '../../src/domain/increments.js'
import { parseAmount } from '../../src/domain/money.js'

/** Major units: from this price on, this step. */
const EBAY: [from: number, step: number][] = [
  [0.01, 0.05],
  [1, 0.25],
  [5, 0.5],
  [25, 1],
  [100, 2.5],
  [250, 5],
  [500, 10],
  [1_000, 25],
  [2_500, 50],
  [5_000, 100],
]

const currency = (code: string) => findCurrency(code) as Currency
/** Of a decimal text. */
const minor = (text: string, code: string) => {
  const parsed = parseAmount(text, currency(code))
  if (!parsed.ok) throw new Error(`${text} ${code} is no amount`)
  return parsed.minor
}

describe('default increments', () => {
  for (const code of ['USD', 'EUR', 'USDT']) {
    it(`follow eBay's table at and just below each boundary in ${code}, whatever the start price`, () => {
      for (const start of ['0.01', '75', '9000000']) {
        const table = defaultIncrements(currency(code), minor(start, code))
        const amount = (major: number) => Math.round(major * 10 ** currency(code).exponent)
        for (const [i, [from, step]] of EBAY.entries()) {
          expect(incrementAt(table, amount(from)), `at ${from}`).to.equal(amount(step))
          const below = EBAY[i - 1]
          if (below !== undefined) {
            expect(incrementAt(table, amount(from) - 1), `below ${from}`).to.equal(amount(below[1]))
          }
        }
      }
    })
  }

  it('go on past 10,000 dollars as they do below', () => {
    const table = defaultIncrements(currency('USD'), 100)
    const at = (price: string) => incrementAt(table, minor(price, 'USD'))
    expect(at('9999.99')).to.equal(minor('100', 'USD'))
    expect(at('10000')).to.equal(minor('250', 'USD'))
    expect(at('1500000')).to.equal(minor('25000', 'USD'))
    expect(incrementAt(table, Number.MAX_SAFE_INTEGER)).to.equal(minor('100000', 'USD'))
  })

  const examples: [start: string, code: string, step: string][] = [
    ['0.01', 'BTC', '0.0005'],
    ['0.00025', 'BTC', '0.00001'],
    ['0.5', 'ETH', '0.01'],
    ['1500000', 'IDR', '50000'],
    ['250000', 'KRW', '10000'],
    ['75', 'PLN', '1'],
    ['1200', 'JPY', '25'],
    ['30000000', 'VND', '1000000'],
    ['2', 'KWD', '0.05'],
  ]
  for (const [start, code, step] of examples) {
    it(`raise ${start} ${code} by ${step}`, () => {
      const price = minor(start, code)
      expect(incrementAt(defaultIncrements(currency(code), price), price)).to.equal(minor(step, code))
    })
  }

  it('are one to ten percent of every price from the start price on, in any other currency', () => {
    const exponent = fc.integer({ min: 0, max: 9 })
    const start = fc.integer({ min: 100, max: 1e11 })
    const rise = fc.double({ min: 1, max: 900, noNaN: true })
    fc.assert(
      fc.property(exponent, start, rise, (decimals, startPrice, factor) => {
        const table = defaultIncrements({ code: 'XYZ', exponent: decimals }, startPrice)
        const price = Math.round(startPrice * factor)
        const share = incrementAt(table, price) / price
        expect(share).to.be.within(0.0099, 0.1001)
      }),
    )
  })

  it('are sound terms: bands that ascend from zero, in any currency and at any start price', () => {
    const exponent = fc.integer({ min: 0, max: 9 })
    const start = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(fc.constantFrom('USD', 'XYZ'), exponent, start, (code, decimals, startPrice) => {
        const table = defaultIncrements({ code, exponent: decimals }, startPrice)
        expect(table[0]?.from).to.equal(0)
        expect(table.length).to.be.at.most(MAX_INCREMENT_BANDS)
        for (const [i, { from, step }] of table.entries()) {
          expect(Number.isSafeInteger(from) && Number.isSafeInteger(step) && step >= 1).to.equal(true)
          const before = table[i - 1]
          if (before) expect(from > before.from && step > before.step).to.equal(true)
        }
      }),
    )
  })
})

describe('a flat increment', () => {
  it('is the same at every price', () => {
    for (const price of [0, 1, 7_500, Number.MAX_SAFE_INTEGER]) {
      expect(incrementAt(flatIncrement(50), price)).to.equal(50)
    }
  })
})
