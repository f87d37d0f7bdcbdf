import { expect } from 'chai'
import { UNOPENED } from '../../src/domain/auction.js'
import type {
  AuctionClosed,
  AuctionEvent,
  AuctionExtended,
  AuctionOpened,
  BidPlaced,
  LotBoughtNow,
  MaxBidChanged,
} from '../../src/domain/events.js'
import { evolve, IllegalEventError, MAX_REVEALS_PER_EVENT } from '../../src/domain/evolve.js'
import { flatIncrement } from '../../src/domain/increments.js'
import { MAX_DURATION_MS } from '../../src/domain/terms.js'
import {
  ALICE,
  type AuctionScenario,
  BOB,
  CAROL,
  commitmentTo,
  given,
  HOUR,
  MINUTE,
  openCommand,
  SELLER,
  saltOf,
  T0,
  termsWith,
} from '../support/auction-scenario.js'

const COMMITMENT = commitmentTo('bid_9', 20_000)
const SOFT = { windowMs: MINUTE, extensionMs: MINUTE, hardStopAt: T0 + 2 * HOUR }
const OPENING = { opensAt: T0 + HOUR }
const ENDING = { closesAt: T0 + HOUR, softClose: SOFT }

function opened(overrides: Partial<AuctionOpened> = {}): AuctionEvent {
  const { commandId, seller, home, terms, now } = openCommand()
  return { type: 'AuctionOpened', at: now, commandId, seller, home, terms, ...overrides }
}

/** A plain bid of 9,000 by Bob that leads. */
function bid(overrides: Partial<BidPlaced> = {}): AuctionEvent {
  return {
    type: 'BidPlaced',
    at: T0,
    bidId: 'bid_9',
    bidder: BOB,
    amount: 9_000,
    commitment: null,
    price: 9_000,
    leads: true,
    reserveMet: true,
    ...overrides,
  }
}

function max(overrides: Partial<BidPlaced> = {}): AuctionEvent {
  return bid({ amount: null, commitment: COMMITMENT, ...overrides })
}

/** Alice changes her maximum at a price of 8,000. */
function change(overrides: Partial<MaxBidChanged> = {}): AuctionEvent {
  const at = T0
  const bidder = ALICE
  const commitment = COMMITMENT
  return {
    type: 'MaxBidChanged',
    at,
    bidId: 'bid_9',
    bidder,
    commitment,
    price: 8_000,
    reserveMet: true,
    ...overrides,
  }
}

function bought(overrides: Partial<LotBoughtNow> = {}): AuctionEvent {
  return { type: 'LotBoughtNow', at: T0, bidId: 'bid_9', bidder: BOB, price: 50_000, ...overrides }
}

function extended(overrides: Partial<AuctionExtended> = {}): AuctionEvent {
  return { type: 'AuctionExtended', at: T0, closesAt: T0 + HOUR + 1, by: 'seller', ...overrides }
}

/** The seller closes after Alice's bid of 8,000, which was event 2. */
function closed(overrides: Partial<AuctionClosed> = {}): AuctionEvent {
  const result = { sold: true, winner: ALICE, bidId: 'bid_1', price: 8_000 } as const
  return { type: 'AuctionClosed', at: T0, by: 'seller', result, reserve: null, ...overrides }
}

function revealed(count: number): AuctionEvent {
  const maxima = Array.from({ length: count }, (_, i) => ({ bidId: `bid_${i}`, amount: 1, salt: 'salt' }))
  return { type: 'MaximaRevealed', at: T0, maxima }
}

const UNSOLD = { sold: false, reason: 'no-bids' } as const
const NOT_MET = { sold: false, reason: 'reserve-not-met' } as const
const opening = (amount: number) => ({ amount, salt: saltOf('reserve') })

const aliceAt8000 = () => given().bid(ALICE, 8_000)
const belowReserve = () => given({ reserve: 10_000 }).bid(ALICE, 8_000)
const boughtNow = () => {
  const auction = given({ buyNow: 50_000 })
  return auction.events.concat(bought())
}
const lateBid = () =>
  given(ENDING)
    .at(HOUR - 1)
    .bid(ALICE, 8_000)
    .events.slice(0, 2)

type History = () => AuctionScenario | AuctionEvent[]

function after(history: History | null): ReturnType<typeof evolve> | typeof UNOPENED {
  if (history === null) return UNOPENED
  const past = history()
  return Array.isArray(past)
    ? past.reduce<ReturnType<typeof evolve> | typeof UNOPENED>(evolve, UNOPENED)
    : past.auction
}

const late = { at: T0 + HOUR - 1 }
const owed = { ...late, closesAt: T0 + HOUR - 1 + MINUTE, by: 'soft-close' } as const

describe('evolve accepts', () => {
  const cases: [what: string, history: History | null, event: AuctionEvent][] = [
    ['an opening', null, opened()],
    ['a start at the opening time', () => given(OPENING), { type: 'AuctionStarted', at: T0 + HOUR }],
    ['a bid that leads', aliceAt8000, bid()],
    ['a bid that is answered by one increment', aliceAt8000, bid({ leads: false, price: 9_100 })],
    ['a bid that is answered by less, at the leader’s limit', aliceAt8000, bid({ leads: false })],
    ['a first maximum at the start price', () => given(), max({ price: 7_500 })],
    ['a first maximum that jumps to the reserve', () => given({ reserve: 9_000 }), max({ price: 9_000 })],
    ['a maximum that leads', aliceAt8000, max({ price: 8_100 })],
    ['a change of the own maximum', aliceAt8000, change()],
    ['a change that jumps to the reserve', belowReserve, change({ price: 10_000 })],
    ['a buy-now', () => given({ buyNow: 50_000 }), bought()],
    ['an extension by the seller', () => given(ENDING), extended()],
    ['the extension that a late bid calls for', lateBid, extended(owed)],
    ['a close by the seller', aliceAt8000, closed()],
    [
      'a close that reveals an unmet reserve',
      belowReserve,
      closed({ result: NOT_MET, reserve: opening(10_000) }),
    ],
    ['as many reveals as there are bids', () => aliceAt8000().close(), revealed(1)],
  ]
  for (const [what, history, event] of cases) {
    it(what, () => {
      const state = after(history)
      expect(evolve(state, event)).to.include({ seq: state.seq + 1, at: event.at })
    })
  }
})

describe('evolve refuses', () => {
  const cases: [what: string, history: History | null, event: AuctionEvent, rule: string][] = [
    ['anything before the opening', null, bid(), 'the first event opens the auction'],
    ['a second opening', () => given(), opened(), 'an auction opens once'],
    ['unsound terms', null, opened({ terms: termsWith({ title: '' }) }), 'terms: title must not be empty'],
    ['an opening at no time', null, opened({ at: Number.NaN }), 'it opens at a time'],
    ['an opening before all times', null, opened({ at: 0 }), 'it opens at a time'],
    ['an opening between milliseconds', null, opened({ at: T0 + 0.5 }), 'it opens at a time'],
    [
      'an end before the opening event',
      null,
      opened({ terms: termsWith({ closesAt: T0 }) }),
      'terms: closesAt must be in the future',
    ],
    ['time that runs backwards', () => given(), bid({ at: T0 - 1 }), 'time does not run backwards'],
    ['time that is no number', () => given(), bid({ at: Number.NaN }), 'time does not run backwards'],
    ['a second start', () => given(), { type: 'AuctionStarted', at: T0 }, 'an auction starts once'],
    ['a start too early', () => given(OPENING), { type: 'AuctionStarted', at: T0 }, 'not before its opening'],

    ['a bid before the start', () => given(OPENING), bid(), 'bids need an open auction'],
    ['a bid at the end', () => given(ENDING), bid({ at: T0 + HOUR }), 'no bid is accepted after the end'],
    [
      'a bid by the seller',
      () => given(),
      bid({ bidder: SELLER }),
      'sellers do not bid on their own auction',
    ],
    ['a bid by the leader', aliceAt8000, bid({ bidder: ALICE }), 'the leader does not bid against himself'],
    [
      'a bid both public and secret',
      () => given(),
      bid({ commitment: COMMITMENT }),
      'either public or committed',
    ],
    ['a bid neither public nor secret', () => given(), bid({ amount: null }), 'either public or committed'],
    ['a price that falls', aliceAt8000, max({ price: 7_999 }), 'a bid raises the price'],
    ['a price that stands still', aliceAt8000, max({ price: 8_000 }), 'a bid raises the price'],
    ['a price that is no whole number', aliceAt8000, max({ price: 8_000.5 }), 'a bid raises the price'],
    ['a first bid that does not lead', () => given(), bid({ leads: false }), 'the first bid leads'],
    [
      'a reserve that is no longer met',
      () => given({ reserve: 8_000 }).bid(ALICE, 8_000),
      bid({ reserveMet: false }),
      'a reserve stays met',
    ],
    [
      'a reserve met by a bid that was answered',
      belowReserve,
      bid({ leads: false }),
      'only a bid that leads meets the reserve',
    ],
    [
      'a bid below the minimum',
      aliceAt8000,
      bid({ amount: 8_099, price: 8_099 }),
      'a bid reaches the minimum',
    ],
    ['a bid of no whole number', aliceAt8000, bid({ amount: 9_000.5, price: 9_000 }), 'reaches the minimum'],
    [
      'a plain bid that leads for less',
      aliceAt8000,
      bid({ price: 8_900 }),
      'a plain bid that leads is the price',
    ],
    [
      'a plain bid that leads for more',
      aliceAt8000,
      bid({ price: 9_001 }),
      'a plain bid that leads is the price',
    ],
    [
      'an answer by more than one increment',
      aliceAt8000,
      bid({ leads: false, price: 9_101 }),
      'the leader answers by one increment at most',
    ],
    [
      'an answer below the bid',
      aliceAt8000,
      bid({ leads: false, price: 8_999 }),
      'the leader answers by one increment at most',
    ],
    [
      'a first maximum above the start price',
      () => given(),
      max({ price: 7_600 }),
      'starts at the start price',
    ],
    [
      'a first maximum below the start price',
      () => given({ reserve: 9_000 }),
      max({ price: 7_400 }),
      'the price is at least the start price',
    ],
    [
      'an answered maximum below the minimum',
      aliceAt8000,
      max({ leads: false, price: 8_099 }),
      'an answered bid reaches the minimum',
    ],

    ['a change before the start', () => given(OPENING), change(), 'bids need an open auction'],
    [
      'a change at the end',
      () => given(ENDING).bid(ALICE, 8_000),
      change({ at: T0 + HOUR }),
      'no bid is accepted after the end',
    ],
    ['a change by somebody else', aliceAt8000, change({ bidder: BOB }), 'only the leader changes'],
    ['a change before the first bid', () => given(), change(), 'only the leader changes'],
    ['a change that moves the price', aliceAt8000, change({ price: 8_100 }), 'only up to the reserve'],
    ['a change that lowers the price', aliceAt8000, change({ price: 7_900 }), 'only up to the reserve'],
    ['a change that meets the reserve for nothing', belowReserve, change(), 'only up to the reserve'],
    [
      'a change to a price of no whole number',
      belowReserve,
      change({ price: 10_000.5 }),
      'only up to the reserve',
    ],
    [
      'a change that takes the reserve back',
      () => given({ reserve: 8_000 }).bid(ALICE, 8_000),
      change({ reserveMet: false }),
      'a reserve stays met',
    ],

    [
      'a buy-now before the start',
      () => given({ ...OPENING, buyNow: 50_000 }),
      bought(),
      'needs an open auction',
    ],
    [
      'a buy-now at the end',
      () => given({ ...ENDING, buyNow: 50_000 }),
      bought({ at: T0 + HOUR }),
      'nothing is sold after the end',
    ],
    [
      'a buy-now by the seller',
      () => given({ buyNow: 50_000 }),
      bought({ bidder: SELLER }),
      'sellers do not buy',
    ],
    ['a buy-now without an offer', () => given(), bought(), 'buy-now is on offer'],
    [
      'a buy-now for another price',
      () => given({ buyNow: 50_000 }),
      bought({ price: 49_999 }),
      'on offer at this',
    ],
    [
      'a buy-now after a bid',
      () => given({ buyNow: 50_000 }).bid(ALICE, 8_000),
      bought(),
      'buy-now is on offer',
    ],
    ['anything between buy-now and close', boughtNow, bid({ bidder: CAROL }), 'a buy-now closes the auction'],
    ['a close some time after the buy-now', boughtNow, closed({ at: T0 + 1, by: 'buy-now' }), 'at once'],
    ['a buy-now that is closed by the seller', boughtNow, closed(), 'and nothing else, closes by buy-now'],

    ['an extension without an end', () => given(), extended(), 'only an end time can be extended'],
    [
      'an extension that is none',
      () => given(ENDING),
      extended({ closesAt: T0 + HOUR }),
      'later than the end',
    ],
    ['an extension to no time', () => given(ENDING), extended({ closesAt: Infinity }), 'later than the end'],
    [
      'an extension past the hard stop',
      () => given(ENDING),
      extended({ closesAt: SOFT.hardStopAt + 1 }),
      'no extension passes the hard stop',
    ],
    [
      'an extension after the end',
      () => given(ENDING),
      extended({ at: T0 + HOUR }),
      'an auction that ended is not extended',
    ],
    [
      'an extension absurdly far',
      () => given({ closesAt: T0 + HOUR }),
      extended({ closesAt: T0 + MAX_DURATION_MS + 1 }),
      'an end is within 10 years',
    ],
    [
      'a soft close without a late bid',
      () => given(ENDING),
      extended(owed),
      'a soft close follows a late bid',
    ],
    [
      'a soft close that is too long',
      lateBid,
      extended({ ...owed, closesAt: owed.closesAt + 1 }),
      'by its extension',
    ],
    [
      'a soft close that is too short',
      lateBid,
      extended({ ...owed, closesAt: owed.closesAt - 1 }),
      'by its extension',
    ],
    ['a soft close in the seller’s name', lateBid, extended({ ...owed, by: 'seller' }), 'by the soft close'],
    ['a soft close that comes later', lateBid, extended({ ...owed, at: owed.at + 1 }), 'at once'],
    [
      'a late bid that goes without its extension',
      lateBid,
      bid({ ...late }),
      'a late bid extends it, at once',
    ],

    [
      'a close by buy-now of what nobody bought',
      aliceAt8000,
      closed({ by: 'buy-now' }),
      'nothing else, closes by',
    ],
    [
      'an end before the end time',
      () => given(ENDING).bid(ALICE, 8_000),
      closed({ by: 'end-time' }),
      'an auction ends at its end time',
    ],
    [
      'an end without an end time',
      aliceAt8000,
      closed({ by: 'end-time' }),
      'an auction ends at its end time',
    ],
    [
      'a close by the seller after the end time',
      () => given(ENDING).bid(ALICE, 8_000),
      closed({ at: T0 + HOUR }),
      'and by it alone',
    ],
    [
      'another winner',
      aliceAt8000,
      closed({ result: { sold: true, winner: BOB, bidId: 'bid_1', price: 8_000 } }),
      'the result follows from the bids',
    ],
    [
      'another winning bid',
      aliceAt8000,
      closed({ result: { sold: true, winner: ALICE, bidId: 'bid_2', price: 8_000 } }),
      'the result follows from the bids',
    ],
    [
      'another hammer price',
      aliceAt8000,
      closed({ result: { sold: true, winner: ALICE, bidId: 'bid_1', price: 8_001 } }),
      'the result follows from the bids',
    ],
    ['a sale withheld', aliceAt8000, closed({ result: UNSOLD }), 'the result follows from the bids'],
    ['a wrong reason', belowReserve, closed({ result: UNSOLD }), 'the result follows from the bids'],
    ['a sale without bids', () => given(), closed(), 'the result follows from the bids'],
    ['a reserve kept secret', belowReserve, closed({ result: NOT_MET }), 'the close reveals the reserve'],
    [
      'a reserve out of nothing',
      aliceAt8000,
      closed({ reserve: opening(8_000) }),
      'the close reveals the reserve',
    ],
    [
      'an unmet reserve that was reached',
      belowReserve,
      closed({ result: NOT_MET, reserve: opening(8_000) }),
      'the reserve was met as told',
    ],
    [
      'a met reserve that was not reached',
      () => given({ reserve: 8_000 }).bid(ALICE, 8_000),
      closed({ reserve: opening(8_001) }),
      'the reserve was met as told',
    ],
    [
      'a reserve below the start price',
      () => given({ reserve: 8_000 }).bid(ALICE, 8_000),
      closed({ reserve: opening(7_000) }),
      'the reserve keeps to the terms',
    ],

    [
      'a cancellation after a bid',
      aliceAt8000,
      { type: 'AuctionCancelled', at: T0, reason: '' },
      'an auction with bids cannot be cancelled',
    ],
    ['a reveal before the close', aliceAt8000, revealed(1), 'maxima are revealed after the close'],
    ['a reveal of nothing', () => aliceAt8000().close(), revealed(0), '1 to 1000 maxima a reveal'],
    [
      'a reveal past its bound',
      () => aliceAt8000().close(),
      revealed(MAX_REVEALS_PER_EVENT + 1),
      '1 to 1000 maxima a reveal',
    ],
    [
      'more reveals than bids',
      () => aliceAt8000().close(),
      revealed(2),
      'no more maxima are revealed than bids',
    ],
    [
      'a bid after the close',
      () => aliceAt8000().close(),
      bid(),
      'nothing else happens once an auction is closed',
    ],
    [
      'a second close',
      () => aliceAt8000().close(),
      closed(),
      'nothing else happens once an auction is closed',
    ],
    ['a bid after the cancellation', () => given().cancel(), bid(), 'once an auction is cancelled'],
    ['a reveal after the cancellation', () => given().cancel(), revealed(1), 'revealed after the close'],
    ['an event of no known type', () => given(), { type: 'Nonsense', at: T0 } as never, 'unknown event type'],
  ]
  for (const [what, history, event, rule] of cases) {
    it(what, () => {
      const state = after(history)
      expect(() => evolve(state, event))
        .to.throw(IllegalEventError)
        .that.deep.includes({ code: 'ILLEGAL_EVENT', event, seq: state.seq + 1 })
        .and.has.property('message')
        .that.contains(rule)
    })
  }

  it('what the increment of the terms does not allow', () => {
    const coarse = given({ increments: flatIncrement(1_000) }).bid(ALICE, 8_000)
    expect(() => evolve(coarse.auction, bid({ amount: 8_999, price: 8_999 }))).to.throw(IllegalEventError)
    expect(evolve(coarse.auction, bid()).price).to.equal(9_000)
  })
})
