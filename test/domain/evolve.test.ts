import { expect } from 'chai'
import type { AuctionEvent } from '../../src/domain/events.js'
import { evolve, IllegalEventError } from '../../src/domain/evolve.js'
import { flatIncrement } from '../../src/domain/increments.js'
import { ALICE, BOB, given, HOUR, SELLER, T0, termsWith } from '../support/auction-scenario.js'
import {
  after,
  aliceAt8000,
  belowReserve,
  bid,
  bought,
  COMMITMENT,
  change,
  closed,
  ENDING,
  extended,
  type History,
  itRefuses,
  lateBid,
  max,
  NOT_MET,
  OPENING,
  opened,
  opening,
  owed,
  revealed,
} from '../support/forged-events.js'

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
    ['a close that reveals an unmet reserve', belowReserve, closed({ result: NOT_MET, reserve: opening(10_000) })],
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
  itRefuses([
    ['anything before the opening', null, bid(), 'the first event opens the auction'],
    ['a second opening', () => given(), opened(), 'an auction opens once'],
    ['unsound terms', null, opened({ terms: termsWith({ title: '' }) }), 'terms: title must not be empty'],
    [
      'an opening in the name of a node that is not the home',
      null,
      opened({ seller: { id: `node_${'a'.repeat(32)}`, name: 'Ben' } }),
      'nobody opens an auction in its name',
    ],
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
    ['a bid by the seller', () => given(), bid({ bidder: SELLER }), 'sellers do not bid on their own auction'],
    ['a bid by the leader', aliceAt8000, bid({ bidder: ALICE }), 'the leader does not bid against himself'],
    ['a bid both public and secret', () => given(), bid({ commitment: COMMITMENT }), 'either public or committed'],
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
    ['a bid below the minimum', aliceAt8000, bid({ amount: 8_099, price: 8_099 }), 'a bid reaches the minimum'],
    ['a bid of no whole number', aliceAt8000, bid({ amount: 9_000.5, price: 9_000 }), 'reaches the minimum'],
    ['a plain bid that leads for less', aliceAt8000, bid({ price: 8_900 }), 'a plain bid that leads is the price'],
    ['a plain bid that leads for more', aliceAt8000, bid({ price: 9_001 }), 'a plain bid that leads is the price'],
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
    ['a first maximum above the start price', () => given(), max({ price: 7_600 }), 'starts at the start price'],
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
    ['a change to a price of no whole number', belowReserve, change({ price: 10_000.5 }), 'only up to the reserve'],
    [
      'a change that takes the reserve back',
      () => given({ reserve: 8_000 }).bid(ALICE, 8_000),
      change({ reserveMet: false }),
      'a reserve stays met',
    ],
  ])

  it('what the increment of the terms does not allow', () => {
    const coarse = given({ increments: flatIncrement(1_000) }).bid(ALICE, 8_000)
    expect(() => evolve(coarse.auction, bid({ amount: 8_999, price: 8_999 }))).to.throw(IllegalEventError)
    expect(evolve(coarse.auction, bid()).price).to.equal(9_000)
  })
})
