import { expect } from 'chai'
import { findCurrency, isCurrency } from '../../src/domain/currency.js'
import { ISO_4217 } from '../../src/domain/iso-4217.js'

describe('findCurrency', () => {
  const exponents = { USD: 2, EUR: 2, JPY: 0, BHD: 3, USDT: 6, USDC: 6, BTC: 8, ETH: 9 }
  for (const [code, exponent] of Object.entries(exponents)) {
    it(`counts ${code} to ${exponent} decimals`, () => {
      expect(findCurrency(code)).to.deep.equal({ code, exponent })
    })
  }

  it("counts as ISO 4217 says, where Node's own tables say otherwise", () => {
    const standard = {
      AFN: 2,
      ALL: 2,
      COP: 2,
      HUF: 2,
      IDR: 2,
      IRR: 2,
      LAK: 2,
      LBP: 2,
      MMK: 2,
      PKR: 2,
      RSD: 2,
      SOS: 2,
      SYP: 2,
      YER: 2,
      CLP: 0,
      ISK: 0,
      UGX: 0,
      VND: 0,
      UYI: 0,
      IQD: 3,
      TND: 3,
      CLF: 4,
      UYW: 4,
    }
    for (const [code, exponent] of Object.entries(standard))
      expect(findCurrency(code), code).to.deep.equal({ code, exponent })
  })

  it('knows the 165 codes of ISO 4217 that have minor units, and no retired one', () => {
    expect(ISO_4217.size).to.equal(165)
    for (const code of ['XCG', 'XAD', 'ZWG', 'SLE', 'VED']) expect(findCurrency(code), code).to.exist
    for (const code of ['ANG', 'BGN', 'CUC', 'DEM', 'HRK', 'SLL', 'ZWL', 'XAU', 'XDR', 'XTS', 'XXX'])
      expect(findCurrency(code), code).to.equal(undefined)
  })

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
