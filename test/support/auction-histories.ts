import fc from 'fast-check'
import { minimumBid } from '../../src/domain/auction.js'
import { flatIncrement, type Increments } from '../../src/domain/increments.js'
import type { Party } from '../../src/domain/party.js'
import { ALICE, type AuctionScenario, BOB, CAROL, SELLER, type Setup, T0 } from './auction-scenario.js'

/** One thing that somebody does, `wait` milliseconds after the one before. */
export interface Step {
  readonly wait: number
  readonly act: 'bid' | 'max' | 'buy-now' | 'start' | 'end' | 'close' | 'cancel' | 'extend' | 'reveal'
  readonly who: Party
  /** Counted from here: amounts stay close together, so that ties, answers and refusals are common. */
  readonly from: 'zero' | 'price' | 'minimum' | 'limit'
  readonly delta: number
}

const BANDS: Increments = [
  { from: 0, step: 1 },
  { from: 40, step: 5 },
  { from: 120, step: 12 },
]

/** Small prices, an end after a second where there is one, and every rule now and then. */
export const setups: fc.Arbitrary<Setup> = fc
  .record({
    startPrice: fc.integer({ min: 1, max: 60 }),
    increments: fc.constantFrom(flatIncrement(1), flatIncrement(7), BANDS),
    reserveAbove: fc.option(fc.nat({ max: 100 })),
    buyNowAbove: fc.option(fc.nat({ max: 150 })),
    opensAfter: fc.option(fc.integer({ min: 1, max: 200 }), { freq: 1 }),
    closesAfter: fc.option(fc.integer({ min: 300, max: 1_000 })),
    windowMs: fc.option(fc.integer({ min: 1, max: 300 })),
    extensionMs: fc.integer({ min: 1, max: 300 }),
    hardStopAfterEnd: fc.option(fc.nat({ max: 500 })),
  })
  .map((drawn) => {
    const { startPrice, increments, windowMs, extensionMs, closesAfter } = drawn
    const reserve = drawn.reserveAbove === null ? null : startPrice + drawn.reserveAbove
    const closesAt = closesAfter === null ? null : T0 + closesAfter
    const hardStopAt = closesAt === null || drawn.hardStopAfterEnd === null ? null : closesAt + drawn.hardStopAfterEnd
    return {
      startPrice,
      increments,
      ...(reserve === null ? {} : { reserve }),
      buyNow: drawn.buyNowAbove === null ? null : (reserve ?? startPrice) + drawn.buyNowAbove,
      opensAt: drawn.opensAfter === null ? null : T0 + drawn.opensAfter,
      closesAt,
      softClose: closesAt === null || windowMs === null ? null : { windowMs, extensionMs, hardStopAt },
    }
  })

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    wait: fc.nat({ max: 60 }),
    act: fc.oneof(
      { weight: 12, arbitrary: fc.constant('bid' as const) },
      { weight: 12, arbitrary: fc.constant('max' as const) },
      { weight: 1, arbitrary: fc.constantFrom('buy-now', 'close', 'cancel', 'reveal') },
      { weight: 3, arbitrary: fc.constantFrom('start', 'end', 'extend') },
    ) as fc.Arbitrary<Step['act']>,
    who: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(ALICE, BOB, CAROL) },
      { weight: 1, arbitrary: fc.constant(SELLER) },
    ),
    from: fc.constantFrom('zero', 'price', 'minimum', 'minimum', 'limit'),
    delta: fc.oneof(fc.constant(0), fc.integer({ min: -3, max: 30 }), fc.integer({ min: 0, max: 200 })),
  }),
  { minLength: 1, maxLength: 40 },
)

/** The amount that a step comes to in this state, where `limit` is the leader's maximum; never below 1. */
export function amountOf({ from, delta }: Step, { auction, state }: AuctionScenario): number {
  const bases = {
    zero: 0,
    price: auction.price ?? 0,
    minimum: minimumBid(auction) ?? auction.terms.buyNow ?? 0,
    limit: state.secrets.leaderMax ?? 0,
  }
  return Math.max(1, bases[from] + delta)
}

/** Takes one step; `amount` is for offers. */
export function take(auction: AuctionScenario, step: Step, amount: number): void {
  const elapsed = auction.now - T0 + step.wait
  auction.at(elapsed)
  switch (step.act) {
    case 'bid':
      auction.bid(step.who, amount)
      break
    case 'max':
      auction.max(step.who, amount)
      break
    case 'buy-now':
      auction.buyNow(step.who)
      break
    case 'start':
      auction.start()
      break
    case 'end':
      auction.end()
      break
    case 'close':
      auction.close()
      break
    case 'cancel':
      auction.cancel()
      break
    case 'extend':
      auction.extend(elapsed + step.delta)
      break
    case 'reveal':
      auction.reveal()
      break
    default: {
      const unknown: never = step.act
      throw new Error(`unknown act ${unknown}`)
    }
  }
}
