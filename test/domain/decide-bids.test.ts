import { expect } from 'chai'
import { MAX_MINOR } from '../../src/domain/money.js'
import { ALICE, BOB, CAROL, given, HOUR, MINUTE, SELLER, saltOf, T0 } from '../support/auction-scenario.js'

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
    expect(auction.rejection).to.deep.equal({ code: 'BID_TOO_LOW', minimum: null, price: MAX_MINOR })
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
    expect(given().bid(ALICE, 10_000).max(BOB, 10_100).max(CAROL, 10_200).standing).to.deep.equal(['Carol', 10_200])
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
