import { expect } from 'chai'
import type { AuctionExtended } from '../../src/domain/events.js'
import { evolve, IllegalEventError } from '../../src/domain/evolve.js'
import { LEAST_GIVEN_BACK_MS } from '../../src/domain/outage.js'
import {
  ALICE,
  type AuctionScenario,
  given,
  HOUR,
  MINUTE,
  SECOND,
  type Setup,
  T0,
} from '../support/auction-scenario.js'

const SOFT = { windowMs: MINUTE, extensionMs: MINUTE }

describe('an end that falls within an outage', () => {
  const ending = (setup: Setup = {}) => given({ closesAt: T0 + 2 * HOUR, ...setup })
  /** Nobody could bid from `since` on, which is over at the scenario's time; milliseconds since the opening. */
  const giveBack = (auction: AuctionScenario, since: number) =>
    auction.send({ type: 'GiveTimeBack', now: auction.now, since: T0 + since })

  it('moves by what was left when it began', () => {
    const auction = giveBack(
      ending()
        .bid(ALICE, 7_500)
        .at(5 * HOUR),
      HOUR,
    )
    expect(auction.raised).to.deep.equal([
      {
        type: 'AuctionExtended',
        at: T0 + 5 * HOUR,
        closesAt: T0 + 6 * HOUR,
        by: 'outage',
        since: T0 + HOUR,
        commandId: null,
      },
    ])
    expect(auction.at(6 * HOUR - 1).bid(ALICE, 7_500).rejection).to.deep.include({ code: 'ALREADY_LEADING' })
    expect(auction.at(6 * HOUR).end().rejection).to.equal(null)
  })

  it('moves by a minute at least, or by the whole length of the auction', () => {
    const end = 2 * HOUR
    expect(giveBack(ending().at(end), end - SECOND).auction.closesAt).to.equal(T0 + end + LEAST_GIVEN_BACK_MS)
    const short = given({ closesAt: T0 + 5 * SECOND }).at(HOUR)
    expect(giveBack(short, 4 * SECOND).auction.closesAt).to.equal(T0 + HOUR + 5 * SECOND)
  })

  it('counts the time before the opening as no time to bid, and starts what was to start meanwhile', () => {
    const auction = ending({ opensAt: T0 + HOUR }).at(5 * HOUR)
    giveBack(auction, 10)
    expect(auction.raised.map(({ type }) => type)).to.deep.equal(['AuctionExtended', 'AuctionStarted'])
    expect(auction.auction).to.include({ status: 'open', closesAt: T0 + 6 * HOUR })
  })

  it('never passes the hard stop, and stands where that has passed', () => {
    const capped = ending({ softClose: { ...SOFT, hardStopAt: T0 + 3 * HOUR } })
    expect(giveBack(capped.at(2 * HOUR + MINUTE), 0).auction.closesAt).to.equal(T0 + 3 * HOUR)
    const passed = ending({ softClose: { ...SOFT, hardStopAt: T0 + 3 * HOUR } }).at(3 * HOUR)
    expect(giveBack(passed, 0).rejection).to.deep.include({ code: 'NOT_DUE' })
  })

  it('stands where the terms say so, where the outage began after it, and before it has come', () => {
    expect(giveBack(ending({ givesTimeBack: false }).at(5 * HOUR), HOUR).rejection?.code).to.equal('NOT_DUE')
    expect(giveBack(ending().at(5 * HOUR), 2 * HOUR).rejection?.code).to.equal('NOT_DUE')
    expect(giveBack(ending().at(HOUR), 0).rejection?.code).to.equal('NOT_DUE')
    expect(giveBack(given().at(HOUR), 0).rejection?.code).to.equal('NOT_DUE')
  })

  it('is moved by no replica that does not find what its event says', () => {
    const before = ending().at(HOUR).bid(ALICE, 7_500).auction
    const event: AuctionExtended = {
      type: 'AuctionExtended',
      at: T0 + 5 * HOUR,
      closesAt: T0 + 5 * HOUR + 30 * MINUTE,
      by: 'outage',
      since: T0 + 90 * MINUTE,
      commandId: null,
    }
    expect(evolve(before, event)).to.include({ closesAt: event.closesAt })
    const forged: Partial<AuctionExtended>[] = [
      { closesAt: event.closesAt + 1 },
      { closesAt: event.closesAt - 1 },
      { at: T0 + 2 * HOUR - 1 },
      // Before the last bid it could take bids.
      { since: T0 + HOUR - 1, closesAt: T0 + 6 * HOUR + 1 },
      { since: T0 + 2 * HOUR, closesAt: T0 + 5 * HOUR + MINUTE },
      { since: null },
      { commandId: 'cmd_1' },
      { by: 'seller', commandId: 'cmd_1' },
      { by: 'soft-close' },
    ]
    for (const change of forged)
      expect(() => evolve(before, { ...event, ...change }), JSON.stringify(change)).to.throw(IllegalEventError)
    const { terms } = before
    expect(() => evolve({ ...before, terms: { ...terms, givesTimeBack: false } }, event)).to.throw(IllegalEventError)
  })
})
