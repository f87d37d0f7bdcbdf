import { expect } from 'chai'
import type { AuctionEvent } from '../../src/domain/events.js'
import { ALICE, type AuctionScenario, BOB, given, HOUR, saltOf, T0 } from '../support/auction-scenario.js'

/** Amounts that no price, time or hash comes upon by chance. */
const RESERVE = 48_151_623_427
const MAXIMUM = 31_415_926_531
const HIGHER = 62_831_853_077

function revealedIds(auction: AuctionScenario): string[] {
  auction.reveal()
  return auction.raised.flatMap((event) =>
    event.type === 'MaximaRevealed' ? event.maxima.map(({ bidId }) => bidId) : [],
  )
}

function text(events: readonly AuctionEvent[]): string {
  return JSON.stringify(events)
}

describe('the public log', () => {
  it('holds neither maxima nor the reserve nor their salts while the auction runs', () => {
    const auction = given({ reserve: RESERVE })
    auction
      .max(ALICE, MAXIMUM)
      .bid(BOB, 9_000)
      .max(ALICE, MAXIMUM + 10_000)
    expect(auction.auction.bidCount).to.equal(3)
    const log = text(auction.events)
    for (const secret of [RESERVE, MAXIMUM, MAXIMUM + 10_000].map(String)) expect(log).not.to.contain(secret)
    for (const id of ['reserve', 'bid_1', 'bid_3']) expect(log).not.to.contain(saltOf(id))
  })

  it('shows the reserve only as the price it has become', () => {
    const auction = given({ reserve: RESERVE }).max(ALICE, HIGHER)
    expect(auction.standing).to.deep.equal(['Alice', RESERVE])
    expect(text(auction.events)).not.to.contain(String(HIGHER))
    expect(text(auction.events)).not.to.contain(saltOf('reserve'))
  })

  it('says no more of refused bids: they leave no event', () => {
    const auction = given().max(ALICE, MAXIMUM).max(BOB, 7_600)
    const before = auction.events.length
    auction.max(BOB, 7_650)
    expect(auction.rejection).to.include({ code: 'BID_TOO_LOW' })
    expect(JSON.stringify(auction.rejection)).not.to.contain(String(MAXIMUM))
    expect(auction.events).to.have.length(before)
  })
})

describe('revealing', () => {
  it('waits for the close', () => {
    const auction = given({ closesAt: T0 + HOUR })
      .max(ALICE, MAXIMUM)
      .reveal()
    expect(auction.rejection).to.deep.equal({ code: 'NOT_DUE', dueAt: T0 + HOUR })
  })

  it('opens the losers’ maxima, with amounts and salts', () => {
    const auction = given().max(ALICE, MAXIMUM).max(BOB, HIGHER).close().reveal()
    expect(auction.raised).to.deep.equal([
      {
        type: 'MaximaRevealed',
        at: T0,
        maxima: [{ bidId: 'bid_1', amount: MAXIMUM, salt: saltOf('bid_1') }],
      },
    ])
  })

  it('keeps the winner’s maximum above the hammer price secret for good', () => {
    const auction = given().max(ALICE, MAXIMUM).max(BOB, HIGHER).close()
    expect(revealedIds(auction)).to.deep.equal(['bid_1'])
    expect(text(auction.events)).not.to.contain(String(HIGHER))
    expect(text(auction.events)).not.to.contain(saltOf('bid_2'))
  })

  it('opens the winner’s maximum where it set the price', () => {
    const equal = given().max(ALICE, MAXIMUM).max(BOB, MAXIMUM).close()
    expect(equal.standing).to.deep.equal(['Alice', MAXIMUM])
    expect(revealedIds(equal)).to.deep.equal(['bid_1', 'bid_2'])

    const capped = given()
      .max(ALICE, MAXIMUM)
      .max(BOB, MAXIMUM + 50)
      .close()
    expect(capped.standing).to.deep.equal(['Bob', MAXIMUM + 50])
    expect(revealedIds(capped)).to.deep.equal(['bid_1', 'bid_2'])
  })

  it('opens those maxima of the winner that were overtaken', () => {
    const auction = given().max(ALICE, 9_000).max(BOB, 10_000).max(ALICE, HIGHER).close()
    expect(revealedIds(auction)).to.deep.equal(['bid_1', 'bid_2'])
  })

  it('keeps every step of the winner’s that was never reached', () => {
    const auction = given().max(ALICE, MAXIMUM).max(ALICE, HIGHER).bid(BOB, 9_000).close()
    expect(revealedIds(auction)).to.deep.equal([])
    expect(auction.raised).to.deep.equal([])
  })

  it('opens everything where nothing was sold', () => {
    const auction = given({ reserve: RESERVE }).max(ALICE, MAXIMUM).close()
    expect(auction.raised[0]).to.deep.include({ reserve: { amount: RESERVE, salt: saltOf('reserve') } })
    expect(revealedIds(auction)).to.deep.equal(['bid_1'])
  })

  it('opens the maxima that a buy-now passed over', () => {
    const auction = given({ reserve: RESERVE, buyNow: HIGHER }).max(ALICE, MAXIMUM).buyNow(BOB)
    expect(revealedIds(auction)).to.deep.equal(['bid_1'])
  })
})
