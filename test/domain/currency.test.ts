import { expect } from 'chai'
import { findCurrency, isCurrency } from '../../src/domain/currency.js'

describe('findCurrency', () => {
  const exponents = { USD: 2, EUR: 2, JPY: 0, BHD: 3, USDT: 6, USDC: 6, BTC: 8, ETH: 9 }
  for (const [code, exponent] of Object.entries(exponents)) {
    it(`counts ${code} to ${exponent} decimals`, () => {
      expect(findCurrency(code)).to.deep.equal({ code, exponent })
    })
  }

  it('knows no code that nobody listed', () => {
    for (const code of ['ZZZ', 'DOGE', '', 'US', 'TOOLONGACODE', 'U$D', ' USD', 'USD\n']) {
      expect(findCurrency(code), code).to.equal(undefined)
    }
  })

  it('does not guess at lower case', () => {
    expect(findCurrency('usd')).to.equal(undefined)
    expect(findCurrency('Usdt')).to.equal(undefined)
  })

  it('finds nothing on the prototype of its tables', () => {
    for (const code of ['constructor', '__proto__', 'toString', 'CONSTRUCTOR']) {
      expect(findCurrency(code), code).to.equal(undefined)
      expect(findCurrency(code, {}), code).to.equal(undefined)
    }
  })

  it('takes configured currencies before all others', () => {
    const extra = { POINT: 0, USDT: 2, EUR: 4 }
    expect(findCurrency('POINT', extra)).to.deep.equal({ code: 'POINT', exponent: 0 })
    expect(findCurrency('USDT', extra)).to.deep.equal({ code: 'USDT', exponent: 2 })
    expect(findCurrency('EUR', extra)).to.deep.equal({ code: 'EUR', exponent: 4 })
    expect(findCurrency('USD', extra)).to.deep.equal({ code: 'USD', exponent: 2 })
  })
})

describe('isCurrency', () => {
  it('holds for what can be counted in safe integers', () => {
    expect(isCurrency({ code: 'USD', exponent: 2 })).to.equal(true)
    expect(isCurrency({ code: 'POINT', exponent: 0 })).to.equal(true)
    expect(isCurrency({ code: 'ETH', exponent: 9 })).to.equal(true)
    for (const exponent of [-1, 10, 1.5, Number.NaN]) {
      expect(isCurrency({ code: 'USD', exponent }), String(exponent)).to.equal(false)
    }
    expect(isCurrency({ code: 'usd', exponent: 2 })).to.equal(false)
  })
})
