import { expect } from 'chai'
import { explainRejection } from '../../../src/application/node/explain-rejection.js'
import type { Rejection, RejectionCode } from '../../../src/domain/rejection.js'
import { T0, USD } from '../../support/auction-scenario.js'

const AT = '2030-01-01T12:00:00.000Z'

/** One rejection of each code, and what its text has to hold. */
const CASES: { readonly [C in RejectionCode]: [Extract<Rejection, { code: C }>, ...texts: string[]] } = {
  TERMS_INVALID: [
    { code: 'TERMS_INVALID', problems: [{ field: 'title', rule: 'must not be empty' }] },
    'title must not be empty',
  ],
  NOT_OPEN_YET: [{ code: 'NOT_OPEN_YET', opensAt: T0 }, AT],
  AUCTION_ENDED: [{ code: 'AUCTION_ENDED', endedAt: T0 }, AT],
  AUCTION_CLOSED: [{ code: 'AUCTION_CLOSED', closedAt: T0 }, AT],
  AUCTION_CANCELLED: [{ code: 'AUCTION_CANCELLED', cancelledAt: T0 }, AT],
  OWN_AUCTION: [{ code: 'OWN_AUCTION' }, 'your own auction'],
  ALREADY_LEADING: [{ code: 'ALREADY_LEADING', price: 7_550 }, '75.50 USD', 'maximum'],
  BID_TOO_LOW: [{ code: 'BID_TOO_LOW', minimum: 8_000, price: 7_500 }, '75.00 USD', '80.00 USD or more'],
  MAX_BELOW_PRICE: [{ code: 'MAX_BELOW_PRICE', price: 7_500 }, '75.00 USD'],
  BUY_NOW_AVAILABLE: [{ code: 'BUY_NOW_AVAILABLE', buyNow: 20_000, minimum: 8_000 }, '200.00 USD', 'from 80.00 USD'],
  NO_BUY_NOW: [{ code: 'NO_BUY_NOW' }, 'no buy-now price'],
  BUY_NOW_WITHDRAWN: [{ code: 'BUY_NOW_WITHDRAWN', minimum: 8_000 }, '80.00 USD'],
  NOT_SELLER: [{ code: 'NOT_SELLER', seller: 'bob' }, 'bob'],
  HAS_BIDS: [{ code: 'HAS_BIDS', bidCount: 1 }, '1 bid.', 'Close it'],
  NO_END_TIME: [{ code: 'NO_END_TIME' }, 'no end time'],
  EXTENSION_NOT_LATER: [{ code: 'EXTENSION_NOT_LATER', closesAt: T0 }, AT],
  PAST_HARD_STOP: [{ code: 'PAST_HARD_STOP', hardStopAt: T0 }, AT],
  COMMAND_ID_REUSED: [{ code: 'COMMAND_ID_REUSED' }, 'new id'],
  NOT_DUE: [{ code: 'NOT_DUE', dueAt: T0 }, AT],
}

describe('explaining a rejection', () => {
  for (const [rejection, ...texts] of Object.values(CASES)) {
    it(`gives the numbers and what to do next for ${rejection.code}`, () => {
      const { message, next } = explainRejection(rejection, { currency: USD })
      for (const text of texts) expect(`${message} ${next}`).to.contain(text)
      for (const sentence of [message, next]) expect(sentence).to.match(/^[A-Z].*\.$/)
    })
  }

  it('speaks of the first bid where there is no price yet', () => {
    const { message } = explainRejection({ code: 'BID_TOO_LOW', minimum: 7_500, price: null }, { currency: USD })
    expect(message).to.equal('The first bid must be at least 75.00 USD.')
  })

  it('does not pretend to know a currency', () => {
    const { message } = explainRejection({ code: 'ALREADY_LEADING', price: 7_550 }, null)
    expect(message).to.contain('7550 minor units')
  })

  it('writes times as its surface wants them', () => {
    const { message } = explainRejection({ code: 'NOT_OPEN_YET', opensAt: T0 }, null, {
      formatTime: () => 'noon',
    })
    expect(message).to.contain('opens at noon')
  })
})
