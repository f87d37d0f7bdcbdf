import { expect } from 'chai'
import { MAX_DURATION_MS } from '../../src/domain/limits.js'
import { ALICE, given, HOUR, MINUTE, SELLER, type Setup, T0 } from '../support/auction-scenario.js'

describe('extending by hand', () => {
  const ending = (setup: Setup = {}) => given({ closesAt: T0 + HOUR, ...setup })

  it('moves the end', () => {
    const auction = ending().extend(2 * HOUR)
    expect(auction.raised).to.deep.equal([
      {
        type: 'AuctionExtended',
        at: T0,
        closesAt: T0 + 2 * HOUR,
        by: 'seller',
        since: null,
        commandId: 'cmd_extend',
      },
    ])
    expect(auction.auction.closesAt).to.equal(T0 + 2 * HOUR)
  })

  it('is the seller’s business alone', () => {
    expect(ending().extend(2 * HOUR, ALICE).rejection).to.deep.equal({ code: 'NOT_SELLER', seller: 'Seller' })
  })

  it('needs an end time', () => {
    expect(given().extend(HOUR).rejection).to.deep.equal({ code: 'NO_END_TIME' })
  })

  it('goes forward only', () => {
    const refusal = { code: 'EXTENSION_NOT_LATER', closesAt: T0 + HOUR }
    expect(ending().extend(HOUR).rejection).to.deep.equal(refusal)
    expect(ending().extend(HOUR - 1).rejection).to.deep.equal(refusal)
  })

  it('comes too late once the auction has ended', () => {
    expect(
      ending()
        .at(HOUR)
        .extend(2 * HOUR).rejection,
    ).to.deep.equal({
      code: 'AUCTION_ENDED',
      endedAt: T0 + HOUR,
    })
  })

  it('never passes the hard stop', () => {
    const hardStopAt = T0 + 2 * HOUR
    const auction = ending({ softClose: { windowMs: MINUTE, extensionMs: MINUTE, hardStopAt } })
    expect(auction.extend(2 * HOUR + 1).rejection).to.deep.equal({ code: 'PAST_HARD_STOP', hardStopAt })
    expect(auction.extend(2 * HOUR).rejection).to.equal(null)
  })

  it('does not reach absurdly far', () => {
    expect(ending().extend(MAX_DURATION_MS + 1).rejection).to.deep.equal({
      code: 'TERMS_INVALID',
      problems: [{ field: 'closesAt', rule: 'must be within 10 years' }],
    })
    expect(ending().extend(MAX_DURATION_MS).rejection).to.equal(null)
  })
})

describe('cancelling', () => {
  it('ends an auction without bids, for a reason', () => {
    const auction = given().cancel(SELLER, 'broken')
    expect(auction.raised).to.deep.equal([
      { type: 'AuctionCancelled', at: T0, commandId: 'cmd_cancel', reason: 'broken' },
    ])
    expect(auction.auction).to.include({ status: 'cancelled', cancelledAt: T0, reason: 'broken' })
  })

  it('is the seller’s business alone', () => {
    expect(given().cancel(ALICE).rejection).to.deep.equal({ code: 'NOT_SELLER', seller: 'Seller' })
  })

  it('is over with the first bid', () => {
    const auction = given().bid(ALICE, 8_000).max(ALICE, 9_000).cancel()
    expect(auction.rejection).to.deep.equal({ code: 'HAS_BIDS', bidCount: 2 })
  })
})
