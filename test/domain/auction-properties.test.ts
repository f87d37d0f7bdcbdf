import { expect } from 'chai'
import fc from 'fast-check'
import { minimumBid } from '../../src/domain/auction.js'
import { decide } from '../../src/domain/decide.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import { MAX_MINOR } from '../../src/domain/money.js'
import { amountOf, type Step, setups, steps, take } from '../support/auction-histories.js'
import { type AuctionScenario, given, replay, SELLER, type Setup } from '../support/auction-scenario.js'
import { ReferenceAuction } from '../support/reference-auction.js'

const RUNS = { numRuns: 400 }

type Observer = (auction: AuctionScenario, before: AuctionScenario['state'], step: Step) => void

/** Plays steps, and shows each to the observer once taken. */
function play(setup: Setup, history: readonly Step[], observe: Observer = () => {}): AuctionScenario {
  const auction = given(setup)
  for (const step of history) {
    const before = auction.state
    take(auction, step, amountOf(step, auction))
    observe(auction, before, step)
  }
  return auction
}

function holds(observe: Observer): void {
  fc.assert(
    fc.property(setups, steps, (setup, history) => {
      play(setup, history, observe)
    }),
    RUNS,
  )
}

describe('in every history', () => {
  it('the price never falls, and every other bid raises it', () => {
    holds((auction, { auction: before }) => {
      if (before.status === 'unopened' || before.price === null) return
      expect(auction.auction.price).to.be.at.least(before.price)
      if (auction.raised.some(({ type }) => type === 'BidPlaced')) {
        expect(auction.auction.price).to.be.above(before.price)
      }
    })
  })

  it('the price is at most the leader’s maximum', () => {
    holds(({ auction, state: { secrets } }) => {
      expect(auction.price === null).to.equal(secrets.leaderMax === null)
      if (auction.price !== null) expect(auction.price).to.be.at.most(secrets.leaderMax ?? 0)
    })
  })

  it('nothing but reveals is accepted after the end', () => {
    holds((auction, { auction: before }, step) => {
      if (before.status !== 'closed' && before.status !== 'cancelled') return
      if (before.status === 'closed' && step.act === 'reveal') return
      expect(auction.last?.accepted).to.equal(false)
      expect(auction.rejection?.code).to.equal(before.status === 'closed' ? 'AUCTION_CLOSED' : 'AUCTION_CANCELLED')
      expect(auction.state.auction).to.equal(before)
    })
  })

  it('no bid is accepted at or after the end time', () => {
    holds((auction, { auction: before }, step) => {
      if (before.status === 'unopened' || before.closesAt === null || auction.now < before.closesAt) return
      if (step.act === 'bid' || step.act === 'max') expect(auction.last?.accepted).to.equal(false)
    })
  })

  it('seq and bid count count the events', () => {
    holds(({ auction, events }) => {
      const bids = events.filter(({ type }) => ['BidPlaced', 'MaxBidChanged', 'LotBoughtNow'].includes(type))
      expect(auction.seq).to.equal(events.length)
      expect(auction.bidCount).to.equal(bids.length)
    })
  })

  it('the seller never leads, and the end never comes nearer', () => {
    holds(({ auction }, { auction: before }) => {
      expect(auction.leader?.id).not.to.equal(SELLER.id)
      if (before.status === 'unopened' || before.closesAt === null) return
      expect(auction.closesAt).to.be.at.least(before.closesAt)
      const hardStopAt = auction.terms.softClose?.hardStopAt ?? Number.POSITIVE_INFINITY
      expect(auction.closesAt).to.be.at.most(hardStopAt)
    })
  })

  it('the minimum is the least bid that is accepted, and there is none where none is', () => {
    holds(({ state, now, auction }) => {
      if (auction.status !== 'open' || (auction.closesAt !== null && now >= auction.closesAt)) return
      const minimum = minimumBid(auction)
      const takes = (kind: 'plain' | 'max', amount: number) =>
        decide(state, {
          type: 'PlaceBid',
          bidId: 'bid_next',
          now,
          bidder: { id: 'user_dan', name: 'Dan' },
          offer: kind === 'plain' ? { kind, amount } : { kind, amount, salt: '', commitment: '0'.repeat(64) },
        }).accepted
      const { buyNow, startPrice } = auction.terms
      for (const kind of ['plain', 'max'] as const) {
        if (minimum !== null) {
          expect(takes(kind, minimum), `${kind} of the minimum`).to.equal(true)
          expect(takes(kind, minimum - 1), `${kind} below the minimum`).to.equal(false)
        } else {
          const price = auction.price ?? startPrice
          for (const amount of [price, price + 1, buyNow ?? 1, 2 * price, MAX_MINOR])
            expect(takes(kind, amount), `${kind} of ${amount}`).to.equal(false)
        }
      }
    })
  })

  it('a refused command changes nothing', () => {
    holds((auction, before) => {
      if (auction.last?.accepted === false) expect(auction.state).to.equal(before)
    })
  })

  it('folding the log from scratch makes the state that was decided', () => {
    holds(({ events, auction }) => expect(replay(events)).to.deep.equal(auction))
  })

  it('playing it again makes the same log', () => {
    fc.assert(
      fc.property(setups, steps, (setup, history) => {
        const [once, again] = [play(setup, history), play(setup, history)]
        expect(again.events).to.deep.equal(once.events)
        expect(again.sealed).to.deep.equal(once.sealed)
      }),
      RUNS,
    )
  })
})

describe('a naive reference of the rules agrees', () => {
  /** Why the reference refuses a step before it looks at the book of offers. */
  function refusal({ status, terms, seller }: AuctionScenario['auction'], step: Step, now: number): string | null {
    if (status === 'closed' || status === 'cancelled') return `AUCTION_${status.toUpperCase()}`
    if (now < (terms.opensAt ?? 0)) return 'NOT_OPEN_YET'
    return step.who.id === seller.id ? 'OWN_AUCTION' : null
  }

  /** Plays a history on both and returns the auction; compares code, leader, price and end after every step. */
  function compare(setup: Setup, history: readonly Step[]): { bids: number; tied: number } {
    const auction = given(setup)
    const reference = new ReferenceAuction(auction.auction.terms, setup.reserve ?? null)
    let tied = 0
    for (const step of history) {
      const amount = amountOf(step, auction)
      const before = auction.auction
      take(auction, step, amount)
      if (step.act === 'bid' || step.act === 'max') {
        if (amount === reference.leader?.amount && step.who.id !== reference.leader.bidder) tied++
        const over = before.closesAt !== null && auction.now >= before.closesAt
        const refused = refusal(before, step, auction.now)
        const kind = step.act === 'bid' ? 'plain' : 'max'
        const ended = over && !refused?.startsWith('AUCTION_') ? 'AUCTION_ENDED' : null
        const expected = ended ?? refused ?? reference.offer(step.who.id, kind, amount, auction.now)
        expect(auction.rejection?.code ?? null).to.equal(expected)
      }
      for (const event of auction.raised) {
        if (event.type === 'AuctionExtended' && event.by === 'seller') reference.closesAt = event.closesAt
        if (event.type === 'LotBoughtNow') {
          expect(reference.buyNowOffered).to.equal(true)
          return { bids: reference.bidCount, tied }
        }
      }
      const { price, leader, bidCount, closesAt, reserveMet } = auction.auction
      expect({ price, leader: leader?.id, bidCount, closesAt, reserveMet }).to.deep.equal({
        price: reference.price,
        leader: reference.leader?.bidder,
        bidCount: reference.bidCount,
        closesAt: reference.closesAt,
        reserveMet: reference.reserveMet,
      })
      expect(auction.state.secrets.leaderMax).to.equal(reference.leader?.amount ?? null)
    }
    return { bids: reference.bidCount, tied }
  }

  it('on every code, leader, price and end, whatever the history', () => {
    let bids = 0
    let tied = 0
    fc.assert(
      fc.property(setups, steps, (setup, history) => {
        const seen = compare(setup, history)
        bids += seen.bids
        tied += seen.tied
      }),
      { numRuns: 1_500 },
    )
    // Histories of refusals alone, or without a tie, would show little.
    expect(bids).to.be.above(1_500)
    expect(tied).to.be.above(50)
  })

  it('on the result', () => {
    fc.assert(
      fc.property(setups, steps, (setup, history) => {
        const bids = history.filter(({ act }) => act === 'bid' || act === 'max')
        const auction = given({ ...setup, opensAt: null, closesAt: null, softClose: null, buyNow: null })
        const reference = new ReferenceAuction(auction.auction.terms, setup.reserve ?? null)
        for (const step of bids) {
          const amount = amountOf(step, auction)
          take(auction, step, amount)
          if (step.who.id === SELLER.id) continue
          reference.offer(step.who.id, step.act === 'bid' ? 'plain' : 'max', amount, auction.now)
        }
        auction.close()
        const closed = auction.auction
        if (closed.status !== 'closed') throw new Error('it did not close')
        const { leader, price, reserveMet } = reference
        if (leader === undefined) expect(closed.result).to.include({ reason: 'no-bids' })
        else if (!reserveMet) expect(closed.result).to.include({ reason: 'reserve-not-met' })
        else {
          expect(closed.result).to.deep.include({ sold: true, price })
          expect(closed.leader?.id).to.equal(leader.bidder)
        }
      }),
      RUNS,
    )
  })
})

describe('secrets, in every history', () => {
  const THOUSAND = 1_000
  const START = 7_000_000 * THOUSAND
  /** Every secret ends in three digits of its own; amounts that are public by rule end in 000. */
  const offers = fc.array(fc.record({ plain: fc.boolean(), who: fc.nat({ max: 2 }), above: fc.nat({ max: 20 }) }), {
    maxLength: 30,
  })
  const bidders = ['a', 'b', 'c'].map((id) => ({ id: `node_${id}`, name: id }))

  function amountsBesidePrices(value: unknown, key = ''): number[] {
    if (typeof value === 'number') return key === 'price' ? [] : [value]
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).flatMap(([inner, item]) => amountsBesidePrices(item, inner))
  }

  function expectSecrecy({ events, state, sealed, auction }: AuctionScenario): void {
    const { reserve, leaderMax } = state.secrets
    const log = JSON.stringify(events)
    const beside = new Set(amountsBesidePrices(events))
    for (const { amount, salt } of sealed) {
      expect(beside.has(amount), `${amount} beside the prices`).to.equal(false)
      expect(log).not.to.contain(salt)
    }
    if (leaderMax !== null && leaderMax % THOUSAND !== 0 && leaderMax !== auction.price) {
      expect(log).not.to.contain(String(leaderMax))
    }
    if (reserve === null) return
    expect(beside.has(reserve.amount)).to.equal(false)
    expect(log).not.to.contain(reserve.salt)
    if (!auction.reserveMet) expect(log).not.to.contain(String(reserve.amount))
  }

  it('stand in no event before the close, and the winner’s limit in none after', () => {
    fc.assert(
      fc.property(offers, fc.option(fc.nat({ max: 60 })), (history, reserveAbove) => {
        const reserve = START + (reserveAbove ?? 0) * THOUSAND + 999
        const increments = [{ from: 0, step: THOUSAND }]
        const auction = given({
          startPrice: START,
          increments,
          ...(reserveAbove === null ? {} : { reserve }),
        })
        history.forEach(({ plain, who, above }, i) => {
          const bidder = bidders[who] ?? SELLER
          const whole = (Math.ceil((minimumBid(auction.auction) ?? 0) / THOUSAND) + above) * THOUSAND
          if (plain) auction.bid(bidder, whole)
          else auction.max(bidder, whole + i + 1)
          expectSecrecy(auction)
        })
        auction.close().reveal()
        expectReveals(auction)
      }),
      RUNS,
    )
  })

  function expectReveals({ auction, events, sealed }: AuctionScenario): void {
    if (auction.status !== 'closed') throw new Error('it did not close')
    const { result } = auction
    const kept = (bidderId: string, amount: number) =>
      result.sold && bidderId === result.winner.id && amount > result.price
    const expected = sealed.filter(({ bidderId, amount }) => !kept(bidderId, amount))
    const revealed = events.flatMap((event: AuctionEvent) => (event.type === 'MaximaRevealed' ? event.maxima : []))
    expect(revealed).to.deep.equal(expected.map(({ bidId, amount, salt }) => ({ bidId, amount, salt })))
    const log = JSON.stringify(events)
    for (const { bidderId, amount, salt } of sealed) {
      if (!kept(bidderId, amount)) continue
      expect(log).not.to.contain(salt)
      expect(log).not.to.contain(String(amount))
    }
  }
})
