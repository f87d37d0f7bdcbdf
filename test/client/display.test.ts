import { expect } from 'chai'
import fc from 'fast-check'
import { addAmounts, compareAmounts, formatMoney, formatRemaining } from '../../src/client/display.js'

describe('the helpers for display', () => {
  it('compare amounts by what they are worth, digit by digit', () => {
    expect(compareAmounts('75.50', '75.5')).to.equal(0)
    expect(compareAmounts('9.99', '10')).to.equal(-1)
    expect(compareAmounts('90071992547409.93', '90071992547409.92')).to.equal(1)
    expect(() => compareAmounts('1e3', '5')).to.throw(RangeError)
  })

  it('add amounts without losing a cent', () => {
    expect(addAmounts('0.10', '0.2')).to.equal('0.30')
    expect(addAmounts('75', '0.5')).to.equal('75.5')
    const cents = fc.integer({ min: 0, max: 1_000_000_000 })
    const text = (value: number) => `${Math.floor(value / 100)}.${String(value % 100).padStart(2, '0')}`
    fc.assert(fc.property(cents, cents, (a, b) => addAmounts(text(a), text(b)) === text(a + b)))
  })

  it('write money for people, with every digit', () => {
    expect(formatMoney('1250.00', 'EUR')).to.equal('1,250.00 EUR')
    expect(formatMoney('1250.00', 'EUR', 'de')).to.equal('1.250,00 EUR')
    expect(formatMoney('9007199254740993.123456', 'USDT')).to.equal('9,007,199,254,740,993.123456 USDT')
    expect(formatMoney('500', 'JPY')).to.equal('500 JPY')
  })

  it('read zero only at the end', () => {
    expect([0, 1, 1_000, 61_000, 3_661_000, 183_845_000].map(formatRemaining)).to.deep.equal([
      ...['0:00', '0:01', '0:01', '1:01', '1:01:01', '2 d 3:04:05'],
    ])
  })
})
