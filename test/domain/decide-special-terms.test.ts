import { expect } from 'chai'
import { buyNowAvailable, minimumBid } from '../../src/domain/auction.js'
import { ALICE, BOB, given, HOUR, SECOND, SELLER, saltOf, T0 } from '../support/auction-scenario.js'

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

  it('becomes the price when the leader raises their maximum above it', () => {
    const auction = given({ reserve: 10_000 }).max(ALICE, 9_000).max(ALICE, 20_000)
    expect(auction.standing).to.deep.equal(['Alice', 10_000])
    expect(auction.raised[0]).to.include({ type: 'MaxBidChanged', price: 10_000, reserveMet: true })
  })

  it('does not hold back a higher price', () => {
    expect(given({ reserve: 10_000 }).bid(ALICE, 12_000).standing).to.deep.equal(['Alice', 12_000])
  })

  it('stays met when the leader lowers their maximum', () => {
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
      since: null,
      commandId: null,
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
      { type: 'AuctionClosed', at, by: 'buy-now', commandId: null, result, reserve: null },
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
    expect(auction.rejection).to.deep.equal({ code: 'BUY_NOW_AVAILABLE', buyNow: 50_000, minimum: 7_500 })
    expect(auction.max(ALICE, 60_000).standing).to.deep.equal(['Alice', 7_500])
    expect(auction.bid(BOB, 70_000).standing).to.deep.equal(['Bob', 70_000])
  })

  it('leaves nothing to bid where it costs no more than the next bid would', () => {
    const refusal = { code: 'BUY_NOW_AVAILABLE', buyNow: 7_500, minimum: null }
    const fixed = given({ buyNow: 7_500 })
    expect(minimumBid(fixed.auction)).to.equal(null)
    for (const amount of [7_499, 7_500, 7_501]) expect(fixed.bid(ALICE, amount).rejection).to.deep.equal(refusal)
    expect(fixed.max(ALICE, 20_000).rejection).to.deep.equal(refusal)
    expect(fixed.buyNow(ALICE).auction.status).to.equal('closed')

    const near = given({ buyNow: 10_000, reserve: 10_000 }).bid(ALICE, 9_950)
    expect(minimumBid(near.auction)).to.equal(null)
    expect(near.bid(BOB, 10_050).rejection).to.deep.include({ code: 'BUY_NOW_AVAILABLE', minimum: null })
    expect(near.max(BOB, 20_000).rejection).to.deep.include({ code: 'BUY_NOW_AVAILABLE', minimum: null })
    expect(near.max(ALICE, 10_000).standing).to.deep.equal(['Alice', 10_000])
    expect(minimumBid(near.auction)).to.equal(10_100)
  })
})
