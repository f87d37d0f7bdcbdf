import { expect } from 'chai'
import type { Auction } from '../../src/domain/auction.js'
import type {
  AuctionClosed,
  AuctionEvent,
  AuctionExtended,
  AuctionOpened,
  BidPlaced,
  LotBoughtNow,
  MaxBidChanged,
} from '../../src/domain/events.js'
import { evolve, IllegalEventError } from '../../src/domain/evolve.js'
import {
  ALICE,
  type AuctionScenario,
  BOB,
  commitmentTo,
  given,
  HOUR,
  MINUTE,
  openCommand,
  replay,
  saltOf,
  T0,
} from './auction-scenario.js'

export const COMMITMENT = commitmentTo('bid_9', 20_000)
export const SOFT = { windowMs: MINUTE, extensionMs: MINUTE, hardStopAt: T0 + 2 * HOUR }
export const OPENING = { opensAt: T0 + HOUR }
export const ENDING = { closesAt: T0 + HOUR, softClose: SOFT }

export function opened(overrides: Partial<AuctionOpened> = {}): AuctionEvent {
  const { commandId, meshId, seller, home, cluster, terms, now } = openCommand()
  return { type: 'AuctionOpened', at: now, commandId, meshId, seller, home, cluster, terms, ...overrides }
}

/** A plain bid of 9,000 by Bob that leads. */
export function bid(overrides: Partial<BidPlaced> = {}): AuctionEvent {
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

export function max(overrides: Partial<BidPlaced> = {}): AuctionEvent {
  return bid({ amount: null, commitment: COMMITMENT, ...overrides })
}

/** Alice changes her maximum at a price of 8,000. */
export function change(overrides: Partial<MaxBidChanged> = {}): AuctionEvent {
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

export function bought(overrides: Partial<LotBoughtNow> = {}): AuctionEvent {
  return { type: 'LotBoughtNow', at: T0, bidId: 'bid_9', bidder: BOB, price: 50_000, ...overrides }
}

export function extended(overrides: Partial<AuctionExtended> = {}): AuctionEvent {
  const { by = 'seller' } = overrides
  const commandId = by === 'seller' ? 'cmd_extend' : null
  return {
    type: 'AuctionExtended',
    at: T0,
    closesAt: T0 + HOUR + 1,
    by,
    since: null,
    commandId,
    ...overrides,
  }
}

/** The seller closes after Alice's bid of 8,000, which was event 2. */
export function closed(overrides: Partial<AuctionClosed> = {}): AuctionEvent {
  const result = { sold: true, winner: ALICE, bidId: 'bid_1', price: 8_000 } as const
  const { by = 'seller' } = overrides
  const commandId = by === 'seller' ? 'cmd_close' : null
  return { type: 'AuctionClosed', at: T0, by, commandId, result, reserve: null, ...overrides }
}

export function revealed(count: number): AuctionEvent {
  const maxima = Array.from({ length: count }, (_, i) => ({ bidId: `bid_${i}`, amount: 1, salt: 'salt' }))
  return { type: 'MaximaRevealed', at: T0, maxima }
}

export const UNSOLD = { sold: false, reason: 'no-bids' } as const
export const NOT_MET = { sold: false, reason: 'reserve-not-met' } as const
export const opening = (amount: number) => ({ amount, salt: saltOf('reserve') })

export const aliceAt8000 = () => given().bid(ALICE, 8_000)
export const belowReserve = () => given({ reserve: 10_000 }).bid(ALICE, 8_000)
export const boughtNow = () => {
  const auction = given({ buyNow: 50_000 })
  return auction.events.concat(bought())
}
export const lateBid = () =>
  given(ENDING)
    .at(HOUR - 1)
    .bid(ALICE, 8_000)
    .events.slice(0, 2)

export type History = () => AuctionScenario | AuctionEvent[]

/** The state after a history; null: before everything. */
export function after(history: History | null): Auction {
  const past = history?.() ?? []
  return Array.isArray(past) ? replay(past) : past.auction
}

/** The last moment of the auction, and the extension that a bid then calls for. */
export const late = { at: T0 + HOUR - 1 }
export const owed = { ...late, closesAt: T0 + HOUR - 1 + MINUTE, by: 'soft-close' } as const

export type Refusal = [what: string, history: History | null, event: AuctionEvent, rule: string]

/** One test a case: the event is refused after this history, in the name of this rule. */
export function itRefuses(cases: readonly Refusal[]): void {
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
}
