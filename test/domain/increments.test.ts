import { expect } from 'chai'
import fc from 'fast-check'
import { defaultIncrements, flatIncrement, incrementAt } from '../../src/domain/increments.js'

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

describe('default increments', () => {
  for (const [code, exponent] of [
    ['USD', 2],
    ['BTC', 8],
  ] as const) {
    it(`follow the table at and just below each boundary in ${code}`, () => {
      const table = defaultIncrements({ code, exponent })
      const minor = (major: number) => Math.round(major * 10 ** exponent)
      for (const [i, [from, step]] of EBAY.entries()) {
        expect(incrementAt(table, minor(from)), `at ${from}`).to.equal(minor(step))
        const below = EBAY[i - 1]
        if (below !== undefined) {
          expect(incrementAt(table, minor(from) - 1), `below ${from}`).to.equal(minor(below[1]))
        }
      }
      expect(incrementAt(table, Number.MAX_SAFE_INTEGER)).to.equal(minor(100))
    })
  }

  it('are whole yen, and at least one, in JPY', () => {
    const table = defaultIncrements({ code: 'JPY', exponent: 0 })
    const steps = EBAY.map(([from]) => incrementAt(table, Math.ceil(from)))
    expect(steps).to.deep.equal([1, 1, 1, 1, 3, 5, 10, 25, 50, 100])
    expect([99, 249, 4_999].map((price) => incrementAt(table, price))).to.deep.equal([1, 3, 50])
  })

  it('never fall below one minor unit, nor with the price, in any currency', () => {
    const exponent = fc.integer({ min: 0, max: 9 })
    const price = fc.nat({ max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(exponent, price, price, (decimals, a, b) => {
        const table = defaultIncrements({ code: 'XYZ', exponent: decimals })
        const low = incrementAt(table, Math.min(a, b))
        expect(low).to.be.at.least(1)
        expect(Number.isSafeInteger(low)).to.equal(true)
        expect(incrementAt(table, Math.max(a, b))).to.be.at.least(low)
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
