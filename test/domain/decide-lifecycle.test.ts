import { expect } from 'chai'
import { decide } from '../../src/domain/decide.js'
import { MAX_REVEALS_PER_EVENT } from '../../src/domain/evolve.js'
import {
  ALICE,
  AuctionScenario,
  BOB,
  given,
  HOUR,
  MINUTE,
  openCommand,
  replay,
  SELLER,
  type Setup,
  saltOf,
  T0,
} from '../support/auction-scenario.js'

const types = (auction: AuctionScenario) => auction.raised.map(({ type }) => type)

describe('opening', () => {
  it('puts terms, seller, home and its cluster into the first event', () => {
    const { terms, meshId, seller, home, cluster, commandId } = openCommand()
    expect(given().events).to.deep.equal([
      { type: 'AuctionOpened', at: T0, commandId, meshId, seller, home, cluster, terms },
    ])
  })

  it('opens at once where no opening time is set', () => {
    expect(given().auction).to.include({ status: 'open', price: null, leader: null, reserveMet: true })
  })

  it('keeps the reserve among the secrets', () => {
    const auction = given({ reserve: 10_000 })
    expect(auction.state.secrets.reserve).to.deep.equal({ amount: 10_000, salt: saltOf('reserve') })
    expect(auction.auction.reserveMet).to.equal(false)
  })

  it('happens once', () => {
    expect(given().send(openCommand()).rejection).to.deep.equal({ code: 'COMMAND_ID_REUSED' })
  })

  it('comes before everything else', () => {
    expect(() => new AuctionScenario().bid(ALICE, 9_000)).to.throw('needs an auction that has been opened')
  })
})

describe('the winner', () => {
  it('is named as in the bid that won, also where a bidder has changed the name since', () => {
    const renamed = { ...ALICE, name: 'Alice B.' }
    const auction = given().max(ALICE, 9_000).max(renamed, 10_000).close()
    expect(auction.raised[0]).to.have.deep.nested.property('result.winner', renamed)
    expect(auction.auction.leader).to.deep.equal(renamed)
    replay(auction.events)
  })
})

describe('a scheduled auction', () => {
  const scheduled = (setup: Setup = {}) => given({ opensAt: T0 + HOUR, ...setup })

  it('takes no bid and no buy-now before it opens', () => {
    const refusal = { code: 'NOT_OPEN_YET', opensAt: T0 + HOUR }
    const auction = scheduled({ buyNow: 9_000 }).at(HOUR - 1)
    expect(auction.auction.status).to.equal('scheduled')
    expect(auction.bid(ALICE, 8_000).rejection).to.deep.equal(refusal)
    expect(auction.buyNow(ALICE).rejection).to.deep.equal(refusal)
  })

  it('is opened by its timer, once', () => {
    const auction = scheduled()
      .at(HOUR - 1)
      .start()
    expect(auction.rejection).to.deep.equal({ code: 'NOT_DUE', dueAt: T0 + HOUR })
    expect(auction.at(HOUR).start().raised).to.deep.equal([{ type: 'AuctionStarted', at: T0 + HOUR }])
    expect(auction.auction.status).to.equal('open')
    expect(auction.start().rejection).to.deep.equal({ code: 'NOT_DUE', dueAt: null })
  })

  it('is opened by whatever comes at the opening time before the timer', () => {
    expect(types(scheduled().at(HOUR).bid(ALICE, 8_000))).to.deep.equal(['AuctionStarted', 'BidPlaced'])
    expect(types(scheduled({ buyNow: 9_000 }).at(HOUR).buyNow(ALICE))).to.deep.equal([
      'AuctionStarted',
      'LotBoughtNow',
      'AuctionClosed',
    ])
    expect(types(scheduled().at(HOUR).close())).to.deep.equal(['AuctionStarted', 'AuctionClosed'])
  })

  it('is not opened by a bid that is refused', () => {
    const auction = scheduled().at(HOUR).bid(ALICE, 1)
    expect(auction.rejection).to.include({ code: 'BID_TOO_LOW' })
    expect(auction.auction.status).to.equal('scheduled')
  })

  it('opens and ends at once where its home slept through both', () => {
    const auction = scheduled({ closesAt: T0 + 2 * HOUR })
      .at(3 * HOUR)
      .end()
    expect(types(auction)).to.deep.equal(['AuctionStarted', 'AuctionClosed'])
  })

  it('can be closed and cancelled before it opens', () => {
    expect(types(scheduled().close())).to.deep.equal(['AuctionClosed'])
    expect(types(scheduled().cancel())).to.deep.equal(['AuctionCancelled'])
  })
})

describe('closing by hand', () => {
  it('is the seller’s business alone', () => {
    const auction = given().bid(ALICE, 8_000).close(BOB)
    expect(auction.rejection).to.deep.equal({ code: 'NOT_SELLER', seller: 'Seller' })
    expect(auction.close(ALICE).rejection).to.include({ code: 'NOT_SELLER' })
    expect(auction.auction.status).to.equal('open')
  })

  it('names the winner and the hammer price', () => {
    const auction = given().bid(ALICE, 8_000).max(BOB, 20_000).close()
    const result = { sold: true, winner: BOB, bidId: 'bid_2', price: 8_100 }
    expect(auction.raised).to.deep.equal([
      { type: 'AuctionClosed', at: T0, by: 'seller', commandId: 'cmd_close', result, reserve: null },
    ])
    expect(auction.auction).to.deep.include({ status: 'closed', closedAt: T0, by: 'seller', result })
  })

  it('says so where nobody has bid', () => {
    expect(given().close().auction).to.deep.include({ result: { sold: false, reason: 'no-bids' } })
  })

  it('may come before the end time, and counts as the end where it comes after', () => {
    const early = given({ closesAt: T0 + HOUR })
      .at(HOUR - 1)
      .close()
    expect(early.auction).to.include({ status: 'closed', by: 'seller' })
    const late = given({ closesAt: T0 + HOUR })
      .at(HOUR)
      .close()
    expect(late.auction).to.include({ status: 'closed', by: 'end-time' })
  })
})

describe('the end time', () => {
  const ending = () => given({ closesAt: T0 + HOUR, buyNow: 90_000 })

  it('refuses bids from its very millisecond on, whether or not the timer ran', () => {
    const refusal = { code: 'AUCTION_ENDED', endedAt: T0 + HOUR }
    expect(ending().at(HOUR).bid(ALICE, 8_000).rejection).to.deep.equal(refusal)
    expect(ending().at(HOUR).max(ALICE, 8_000).rejection).to.deep.equal(refusal)
    expect(ending().at(HOUR).buyNow(ALICE).rejection).to.deep.equal(refusal)
    expect(ending().max(ALICE, 8_000).at(HOUR).max(ALICE, 9_000).rejection).to.deep.equal(refusal)
    expect(
      ending()
        .at(HOUR - 1)
        .bid(ALICE, 8_000).rejection,
    ).to.equal(null)
  })

  it('closes the auction when the timer runs', () => {
    const auction = ending().bid(ALICE, 8_000).at(HOUR).end()
    expect(auction.raised).to.have.length(1)
    expect(auction.auction).to.deep.include({
      status: 'closed',
      by: 'end-time',
      closedAt: T0 + HOUR,
      result: { sold: true, winner: ALICE, bidId: 'bid_1', price: 8_000 },
    })
  })

  it('is not due early, nor for an auction that is closed by hand', () => {
    expect(
      ending()
        .at(HOUR - 1)
        .end().rejection,
    ).to.deep.equal({ code: 'NOT_DUE', dueAt: T0 + HOUR })
    expect(given().at(HOUR).end().rejection).to.deep.equal({ code: 'NOT_DUE', dueAt: null })
  })

  it('is the extended one', () => {
    const auction = ending()
      .extend(2 * HOUR)
      .at(HOUR)
      .end()
    expect(auction.rejection).to.deep.equal({ code: 'NOT_DUE', dueAt: T0 + 2 * HOUR })
    expect(auction.bid(ALICE, 8_000).rejection).to.equal(null)
  })
})

describe('an auction that is over', () => {
  const setup = { closesAt: T0 + HOUR, buyNow: 90_000 }
  const commands: Record<string, (auction: AuctionScenario) => AuctionScenario> = {
    bid: (auction) => auction.bid(BOB, 20_000),
    'maximum bid': (auction) => auction.max(ALICE, 20_000),
    'buy-now': (auction) => auction.buyNow(BOB),
    start: (auction) => auction.start(),
    close: (auction) => auction.close(),
    end: (auction) => auction.end(),
    cancellation: (auction) => auction.cancel(),
    extension: (auction) => auction.extend(2 * HOUR),
  }
  for (const [name, act] of Object.entries(commands)) {
    it(`takes no ${name} once closed`, () => {
      const auction = act(given(setup).max(ALICE, 10_000).at(MINUTE).close().at(HOUR))
      expect(auction.rejection).to.deep.equal({ code: 'AUCTION_CLOSED', closedAt: T0 + MINUTE })
    })

    it(`takes no ${name} once cancelled`, () => {
      const auction = act(given(setup).at(MINUTE).cancel().at(HOUR))
      expect(auction.rejection).to.deep.equal({ code: 'AUCTION_CANCELLED', cancelledAt: T0 + MINUTE })
    })
  }

  it('has nothing to reveal once cancelled', () => {
    const auction = given().cancel().at(HOUR).reveal()
    expect(auction.rejection).to.deep.equal({ code: 'AUCTION_CANCELLED', cancelledAt: T0 })
  })

  it('reveals maxima in events of bounded size', () => {
    const auction = given()
    const count = MAX_REVEALS_PER_EVENT + 2
    for (let i = 0; i < count; i++) auction.max(i % 2 === 0 ? ALICE : BOB, 10_000 + 200 * i)
    auction.close().reveal()
    const sizes = auction.raised.map((event) => event.type === 'MaximaRevealed' && event.maxima.length)
    // The winner's is higher than the hammer price, and stays secret.
    expect(sizes).to.deep.equal([MAX_REVEALS_PER_EVENT, 1])
    expect(auction.auction).to.include({ status: 'closed', revealed: count - 1 })
  })
})

describe('decide', () => {
  it('leaves the state it was given as it was', () => {
    const auction = given().bid(ALICE, 8_000)
    const before = structuredClone(auction.state)
    const earlier = auction.state
    auction.bid(BOB, 9_000).close()
    expect(earlier).to.deep.equal(before)
  })

  it('decides the same every time', () => {
    const auction = given({ reserve: 10_000 }).bid(ALICE, 8_000)
    const command = { type: 'CloseAuction', commandId: 'cmd_close', now: T0, by: SELLER } as const
    expect(decide(auction.state, command)).to.deep.equal(decide(auction.state, command))
  })

  it('makes events that fold into the state it returns', () => {
    const auction = given({ reserve: 10_000, closesAt: T0 + HOUR })
      .bid(ALICE, 8_000)
      .max(BOB, 20_000)
    auction.at(HOUR).end().reveal()
    expect(replay(auction.events)).to.deep.equal(auction.auction)
  })
})
