import { expect } from 'chai'
import { findCurrency } from '../../src/domain/currency.js'
import { flatIncrement } from '../../src/domain/increments.js'
import { formatMoney, type ParsedAmount, parseAmount } from '../../src/domain/money.js'
import { BOB, CAROL, given, SELLER, T0 } from '../support/auction-scenario.js'

describe('the canonical scenario', () => {
  const usdt = findCurrency('USDT') ?? expect.fail('USDT is not known')
  const amount = (input: string | number) => {
    const parsed: ParsedAmount = parseAmount(input, usdt)
    return parsed.ok ? parsed.minor : expect.fail(parsed.problem.code)
  }
  const NODE_1 = SELLER
  const NODE_2 = BOB
  const NODE_3 = CAROL

  it('ends with node 2 winning Pic#1 at 80 USDT', () => {
    const pic1 = given({
      currency: usdt,
      startPrice: amount('75'),
      increments: flatIncrement(amount('0.50')),
    })
    pic1.bid(NODE_2, amount(75))
    expect(pic1.standing).to.deep.equal([NODE_2.name, amount(75)])
    pic1.bid(NODE_3, amount(75.5))
    expect(pic1.standing).to.deep.equal([NODE_3.name, amount(75.5)])
    pic1.bid(NODE_2, amount('80'))
    expect(pic1.standing).to.deep.equal([NODE_2.name, amount(80)])
    pic1.close(NODE_1)

    const price = amount(80)
    expect(pic1.raised).to.deep.equal([
      {
        type: 'AuctionClosed',
        at: T0,
        by: 'seller',
        commandId: 'cmd_close',
        result: { sold: true, winner: NODE_2, bidId: 'bid_3', price },
        reserve: null,
      },
    ])
    expect(formatMoney(price, usdt)).to.equal('80.00 USDT')
  })
})
