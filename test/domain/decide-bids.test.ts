import { expect } from 'chai'
import { buyNowAvailable } from '../../src/domain/auction.js'
import { findCurrency } from '../../src/domain/currency.js'
import { flatIncrement } from '../../src/domain/increments.js'
import { formatMoney, MAX_MINOR, type ParsedAmount, parseAmount } from '../../src/domain/money.js'
import {
  ALICE,
  BOB,
  CAROL,
  given,
  HOUR,
  MINUTE,
  SECOND,
  SELLER,
  saltOf,
  T0,
} from '../support/auction-scenario.js'

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
        result: { sold: true, winner: NODE_2, bidId: 'bid_3', price },
        reserve: null,
      },
    ])
    expect(formatMoney(price, usdt)).to.equal('80.00 USDT')
  })
})

describe('a plain bid', () => {
  it('is the price when it leads', () => {
    expect(given().bid(ALICE, 9_000).standing).to.deep.equal(['Alice', 9_000])
    expect(given().bid(ALICE, 9_000).bid(BOB, 9_500).standing).to.deep.equal(['Bob', 9_500])
  })

  it('stands in the log with its amount and without a commitment', () => {
    expect(given().bid(ALICE, 9_000).raised).to.deep.equal([
      {
        type: 'BidPlaced',
        at: T0,
        bidId: 'bid_1',
        bidder: ALICE,
        amount: 9_000,
        commitment: null,
        price: 9_000,
        leads: true,
        reserveMet: true,
      },
    ])
  })

  it('has to reach the start price', () => {
    const auction = given().bid(ALICE, 7_499)
    expect(auction.rejection).to.deep.equal({ code: 'BID_TOO_LOW', minimum: 7_500, price: null })
    expect(auction.bid(ALICE, 7_500).rejection).to.equal(null)
  })

  it('has to reach the price and one increment', () => {
    const auction = given().bid(ALICE, 9_000).bid(BOB, 9_099)
    expect(auction.rejection).to.deep.equal({ code: 'BID_TOO_LOW', minimum: 9_100, price: 9_000 })
    expect(auction.bid(BOB, 9_100).standing).to.deep.equal(['Bob', 9_100])
  })

  it('is refused from the leader, who would bid against himself', () => {
    const auction = given().bid(ALICE, 9_000).bid(ALICE, 9_500)
    expect(auction.rejection).to.deep.equal({ code: 'ALREADY_LEADING', price: 9_000 })
  })

  it('is refused from the seller', () => {
    expect(given().bid(SELLER, 9_000).rejection).to.deep.equal({ code: 'OWN_AUCTION' })
  })

  it('has an end: past the largest amount nobody bids more', () => {
    const auction = given()
      .bid(ALICE, MAX_MINOR - 1)
      .bid(BOB, MAX_MINOR)
    expect(auction.standing).to.deep.equal(['Bob', MAX_MINOR])
    auction.bid(ALICE, MAX_MINOR)
    expect(auction.rejection).to.deep.equal({ code: 'BID_TOO_LOW', minimum: MAX_MINOR, price: MAX_MINOR })
  })
})

describe('a maximum', () => {
  it('starts at the start price', () => {
    expect(given().max(ALICE, 20_000).standing).to.deep.equal(['Alice', 7_500])
  })

  it('has to reach the minimum, like any bid', () => {
    expect(given().max(ALICE, 7_499).rejection).to.include({ code: 'BID_TOO_LOW', minimum: 7_500 })
    expect(given().bid(ALICE, 9_000).max(BOB, 9_099).rejection).to.include({ code: 'BID_TOO_LOW' })
  })

  it('leads one increment above the runner-up’s maximum', () => {
    expect(given().max(ALICE, 10_000).max(BOB, 20_000).standing).to.deep.equal(['Bob', 10_100])
  })

  it('is the most its owner pays', () => {
    expect(given().max(ALICE, 10_000).max(BOB, 10_050).standing).to.deep.equal(['Bob', 10_050])
  })

  it('answers a lower bid at once, and its owner goes on leading', () => {
    const auction = given().max(ALICE, 20_000).bid(BOB, 10_000)
    expect(auction.standing).to.deep.equal(['Alice', 10_100])
    expect(auction.raised[0]).to.include({ bidder: BOB, leads: false, price: 10_100 })
    expect(auction.max(CAROL, 15_000).standing).to.deep.equal(['Alice', 15_100])
  })

  it('loses to an earlier one that is equal, at the price of both', () => {
    expect(given().max(ALICE, 10_000).max(BOB, 10_000).standing).to.deep.equal(['Alice', 10_000])
    expect(given().max(ALICE, 10_000).bid(BOB, 10_000).standing).to.deep.equal(['Alice', 10_000])
    expect(given().bid(ALICE, 10_000).max(BOB, 10_100).max(CAROL, 10_200).standing).to.deep.equal([
      'Carol',
      10_200,
    ])
  })

  it('treats a plain bid as a maximum equal to itself', () => {
    expect(given().bid(ALICE, 10_000).max(BOB, 20_000).standing).to.deep.equal(['Bob', 10_100])
  })

  it('stands in the log by its commitment alone, while the home keeps amount and salt', () => {
    const auction = given().max(ALICE, 20_000)
    expect(auction.raised[0]).to.include({ type: 'BidPlaced', amount: null, price: 7_500 })
    expect(auction.raised[0])
      .to.have.property('commitment')
      .that.matches(/^[0-9a-f]{64}$/)
    expect(auction.sealed).to.deep.equal([
      { bidId: 'bid_1', bidderId: ALICE.id, amount: 20_000, salt: saltOf('bid_1') },
    ])
  })
})

describe('one’s own maximum', () => {
  it('is raised without moving the price', () => {
    const auction = given().max(ALICE, 10_000).bid(BOB, 8_000).max(ALICE, 20_000)
    expect(auction.standing).to.deep.equal(['Alice', 8_100])
    expect(auction.raised.map(({ type }) => type)).to.deep.equal(['MaxBidChanged'])
    expect(auction.bid(BOB, 15_000).standing).to.deep.equal(['Alice', 15_100])
  })

  it('can follow a plain bid', () => {
    expect(given().bid(ALICE, 9_000).max(ALICE, 20_000).standing).to.deep.equal(['Alice', 9_000])
  })

  it('still goes before an equal one that came between two of its raises', () => {
    const auction = given().max(ALICE, 9_000).max(ALICE, 12_000).max(BOB, 12_000)
    expect(auction.standing).to.deep.equal(['Alice', 12_000])
  })

  it('goes behind an equal one that took the lead before it was raised', () => {
    const auction = given().max(ALICE, 9_000).max(BOB, 12_000).max(ALICE, 12_000)
    expect(auction.standing).to.deep.equal(['Bob', 12_000])
  })

  it('is lowered to the present price at the least', () => {
    const auction = given().max(ALICE, 20_000).bid(BOB, 10_000).max(ALICE, 10_099)
    expect(auction.rejection).to.deep.equal({ code: 'MAX_BELOW_PRICE', price: 10_100 })
    expect(auction.max(ALICE, 10_100).standing).to.deep.equal(['Alice', 10_100])
    expect(auction.bid(BOB, 10_200).standing).to.deep.equal(['Bob', 10_200])
  })

  it('keeps the lead when it is raised and lowered again to where another is equal', () => {
    const auction = given().max(ALICE, 9_000).bid(BOB, 9_000).max(ALICE, 12_000).max(ALICE, 9_000)
    expect(auction.standing).to.deep.equal(['Alice', 9_000])
  })

  it('does not extend the auction', () => {
    const softClose = { windowMs: MINUTE, extensionMs: MINUTE, hardStopAt: null }
    const auction = given({ closesAt: T0 + HOUR, softClose }).max(ALICE, 9_000)
    auction.at(HOUR - 1).max(ALICE, 20_000)
    expect(auction.rejection).to.equal(null)
    expect(auction.auction.closesAt).to.equal(T0 + HOUR)
  })
})

describe('a reserve', () => {
  it('lets bids below it in, and says only that it is not met', () => {
    const auction = given({ reserve: 10_000 }).bid(ALICE, 8_000).max(BOB, 9_999)
    expect(auction.standing).to.deep.equal(['Bob', 8_100])
    expect(auction.auction.reserveMet).to.equal(false)
  })

  it('is not met below its very amount', () => {
    expect(given({ reserve: 10_000 }).bid(ALICE, 9_999).auction.reserveMet).to.equal(false)
    expect(given({ reserve: 10_000 }).bid(ALICE, 10_000).auction.reserveMet).to.equal(true)
  })

  it('becomes the price when a maximum reaches it', () => {
    expect(given({ reserve: 10_000 }).max(ALICE, 10_000).standing).to.deep.equal(['Alice', 10_000])
    const auction = given({ reserve: 10_000 }).bid(ALICE, 8_000).max(BOB, 20_000)
    expect(auction.standing).to.deep.equal(['Bob', 10_000])
    expect(auction.auction.reserveMet).to.equal(true)
  })

  it('becomes the price when the leader raises the own maximum past it', () => {
    const auction = given({ reserve: 10_000 }).max(ALICE, 9_000).max(ALICE, 20_000)
    expect(auction.standing).to.deep.equal(['Alice', 10_000])
    expect(auction.raised[0]).to.include({ type: 'MaxBidChanged', price: 10_000, reserveMet: true })
  })

  it('does not hold back a higher price', () => {
    expect(given({ reserve: 10_000 }).bid(ALICE, 12_000).standing).to.deep.equal(['Alice', 12_000])
  })

  it('stays met when the leader lowers the own maximum', () => {
    const auction = given({ reserve: 10_000 }).max(ALICE, 20_000).max(ALICE, 10_000)
    expect(auction.standing).to.deep.equal(['Alice', 10_000])
    expect(auction.auction.reserveMet).to.equal(true)
  })

  it('leaves the lot unsold where it was not met, and is shown then', () => {
    const [closed] = given({ reserve: 10_000 }).bid(ALICE, 9_000).close().raised
    expect(closed).to.deep.include({
      result: { sold: false, reason: 'reserve-not-met' },
      reserve: { amount: 10_000, salt: saltOf('reserve') },
    })
  })

  it('lets the lot be sold where it was met', () => {
    const [closed] = given({ reserve: 10_000 }).bid(ALICE, 10_000).close().raised
    expect(closed).to.have.nested.property('result.sold', true)
  })
})

describe('a soft close', () => {
  const softClose = { windowMs: 30 * SECOND, extensionMs: 60 * SECOND, hardStopAt: T0 + HOUR + 90 * SECOND }
  const late = () =>
    given({ closesAt: T0 + HOUR, softClose })
      .max(ALICE, 20_000)
      .at(HOUR - SECOND)

  it('extends the end after a late bid, by an event of its own', () => {
    const auction = late().bid(BOB, 21_000)
    expect(auction.raised.map(({ type }) => type)).to.deep.equal(['BidPlaced', 'AuctionExtended'])
    expect(auction.raised[1]).to.deep.equal({
      type: 'AuctionExtended',
      at: T0 + HOUR - SECOND,
      closesAt: T0 + HOUR + 59 * SECOND,
      by: 'soft-close',
    })
    expect(auction.auction.closesAt).to.equal(T0 + HOUR + 59 * SECOND)
  })

  it('extends after a bid that only moves the price', () => {
    expect(late().bid(BOB, 10_000).auction.closesAt).to.equal(T0 + HOUR + 59 * SECOND)
  })

  it('extends when a raise lifts the price to the reserve', () => {
    const auction = given({ closesAt: T0 + HOUR, softClose, reserve: 30_000 }).max(ALICE, 20_000)
    auction.at(HOUR - SECOND).max(ALICE, 40_000)
    expect(auction.raised.map(({ type }) => type)).to.deep.equal(['MaxBidChanged', 'AuctionExtended'])
  })

  it('is not moved by a bid before the window', () => {
    expect(
      late()
        .at(HOUR - 31 * SECOND)
        .bid(BOB, 21_000).raised,
    ).to.have.length(1)
  })

  it('is not moved by a bid that is refused', () => {
    const auction = late().bid(BOB, 1)
    expect(auction.rejection).to.include({ code: 'BID_TOO_LOW' })
    expect(auction.auction.closesAt).to.equal(T0 + HOUR)
  })

  it('goes on for as long as late bids come, up to the hard stop', () => {
    const auction = late().bid(BOB, 21_000)
    auction.at(HOUR + 58 * SECOND).bid(ALICE, 22_000)
    expect(auction.auction.closesAt).to.equal(softClose.hardStopAt)
    auction.at(HOUR + 89 * SECOND).bid(BOB, 23_000)
    expect(auction.raised.map(({ type }) => type)).to.deep.equal(['BidPlaced'])
    auction.at(HOUR + 90 * SECOND).bid(ALICE, 24_000)
    expect(auction.rejection).to.deep.equal({ code: 'AUCTION_ENDED', endedAt: softClose.hardStopAt })
  })
})

describe('buy-now', () => {
  it('ends the auction at once, at its price', () => {
    const auction = given({ buyNow: 50_000 }).at(SECOND).buyNow(ALICE)
    const at = T0 + SECOND
    const result = { sold: true, winner: ALICE, bidId: 'bid_1', price: 50_000 }
    expect(auction.raised).to.deep.equal([
      { type: 'LotBoughtNow', at, bidId: 'bid_1', bidder: ALICE, price: 50_000 },
      { type: 'AuctionClosed', at, by: 'buy-now', result, reserve: null },
    ])
    expect(auction.auction).to.deep.include({ status: 'closed', by: 'buy-now', result, bidCount: 1 })
  })

  it('is withdrawn by the first bid', () => {
    const auction = given({ buyNow: 50_000 }).bid(ALICE, 8_000).buyNow(BOB)
    expect(auction.rejection).to.deep.equal({ code: 'BUY_NOW_WITHDRAWN', minimum: 8_100 })
  })

  it('lasts until the reserve is met, where there is one', () => {
    const setup = { buyNow: 50_000, reserve: 10_000 }
    expect(given(setup).bid(ALICE, 8_000).buyNow(BOB).auction.status).to.equal('closed')
    expect(given(setup).bid(ALICE, 8_000).buyNow(ALICE).auction.status).to.equal('closed')
    expect(given(setup).bid(ALICE, 10_000).buyNow(BOB).rejection).to.deep.equal({
      code: 'BUY_NOW_WITHDRAWN',
      minimum: 10_100,
    })
  })

  it('is on offer only while the auction runs', () => {
    const setup = { buyNow: 50_000 }
    expect(buyNowAvailable(given(setup).auction)).to.equal(true)
    expect(buyNowAvailable(given(setup).close().auction)).to.equal(false)
    expect(buyNowAvailable(given(setup).cancel().auction)).to.equal(false)
    expect(buyNowAvailable(given().auction)).to.equal(false)
  })

  it('reveals the reserve that it passes over', () => {
    const [, closed] = given({ buyNow: 50_000, reserve: 10_000 }).buyNow(ALICE).raised
    expect(closed).to.deep.include({ reserve: { amount: 10_000, salt: saltOf('reserve') } })
  })

  it('is refused where the terms have none', () => {
    expect(given().buyNow(ALICE).rejection).to.deep.equal({ code: 'NO_BUY_NOW' })
  })

  it('is refused to the seller', () => {
    expect(given({ buyNow: 50_000 }).buyNow(SELLER).rejection).to.deep.equal({ code: 'OWN_AUCTION' })
  })

  it('is pointed out to whoever bids as much', () => {
    const auction = given({ buyNow: 50_000 }).bid(ALICE, 50_000)
    expect(auction.rejection).to.deep.equal({ code: 'BUY_NOW_AVAILABLE', buyNow: 50_000 })
    expect(auction.max(ALICE, 60_000).standing).to.deep.equal(['Alice', 7_500])
    expect(auction.bid(BOB, 70_000).standing).to.deep.equal(['Bob', 70_000])
  })
})
