import { minimumBid, type OpenedAuction, UNOPENED } from '../src/domain/auction.js'
import type { PlaceBid } from '../src/domain/commands.js'
import { type Decision, decide, type HomeState } from '../src/domain/decide.js'
import { defaultIncrements } from '../src/domain/increments.js'
import { NO_SECRETS } from '../src/domain/pricing.js'
import type { BenchRun } from './bench-result.js'

const ROUNDS = 7
const BIDS_PER_ROUND = 500_000
const TARGET_BIDS_PER_S = 1_000_000

const OPENED_AT = 1_800_000_000_000
const USD = { code: 'USD', exponent: 2 }
const WINDOW_MS = 30_000
/** One bid a millisecond: the last tenth of a round falls into the soft close, where each bid extends the end. */
const CLOSES_AT = OPENED_AT + WINDOW_MS + 0.9 * BIDS_PER_ROUND
const BIDDERS = Array.from({ length: 5 }, (_, i) => ({ id: `node_${i}`, name: `Bidder ${i}` }))

/**
 * How many bids a second one auction takes in one thread: decide, which also evolves the state. Bidders take
 * turns; two bids in ten are maxima, which answer the plain bids after them; one in ten is too low.
 */
export async function* run(): BenchRun {
  // The first rounds warm the compiler up; the median of the others counts.
  const rounds = Array.from({ length: ROUNDS }, round).slice(2)
  const rates = rounds.map(({ ms }) => (BIDS_PER_ROUND / ms) * 1000).sort((a, b) => a - b)
  const last = rounds[rounds.length - 1]
  yield {
    name: 'decide and evolve, one auction, one thread',
    unit: 'bids/s',
    value: Math.round(rates[rates.length >> 1] ?? 0),
    figures: {
      slowest_bids_per_s: Math.round(rates[0] ?? 0),
      bids_per_round: BIDS_PER_ROUND,
      accepted: last?.accepted ?? 0,
      events: last?.events ?? 0,
    },
    target: { atLeast: TARGET_BIDS_PER_S },
  }
}

function round(): { ms: number; accepted: number; events: number } {
  let state = opened()
  let accepted = 0
  let events = 0
  const startedAt = performance.now()
  for (let i = 0; i < BIDS_PER_ROUND; i++) {
    const decision = decide(state, bid(state.auction, i))
    if (!decision.accepted) continue
    accepted++
    events += decision.events.length
    state = decision.next
  }
  const ms = performance.now() - startedAt
  if (accepted < 0.8 * BIDS_PER_ROUND) throw new Error(`only ${accepted} of ${BIDS_PER_ROUND} bids were accepted`)
  return { ms, accepted, events }
}

type OpenedState = HomeState & { readonly auction: OpenedAuction }

function bid(auction: OpenedAuction, i: number): PlaceBid {
  const { leader } = auction
  const turn = BIDDERS[i % BIDDERS.length]
  const bidder = turn?.id === leader?.id ? BIDDERS[(i + 1) % BIDDERS.length] : turn
  const minimum = minimumBid(auction) ?? 0
  const kind = i % 10
  return {
    type: 'PlaceBid',
    bidId: 'bid_0123456789abcdef',
    now: OPENED_AT + i,
    bidder: bidder as (typeof BIDDERS)[number],
    offer:
      kind === 3 || kind === 7
        ? { kind: 'max', amount: minimum + 40_000, salt: 'salt', commitment: 'commitment' }
        : { kind: 'plain', amount: kind === 9 ? minimum - 1 : minimum },
  }
}

function opened(): OpenedState {
  const decision: Decision = decide(
    { auction: UNOPENED, secrets: NO_SECRETS },
    {
      type: 'OpenAuction',
      commandId: 'cmd_1',
      now: OPENED_AT,
      meshId: 'mesh_1',
      seller: { id: 'node_seller', name: 'Seller' },
      home: { nodeId: 'node_seller', publicKey: 'key' },
      cluster: null,
      reserve: { amount: 1_000_000, salt: 'salt' },
      terms: {
        title: 'Pic#1',
        description: '',
        currency: USD,
        startPrice: 7_500,
        reserveCommitment: '0'.repeat(64),
        increments: defaultIncrements(USD, 7_500),
        buyNow: null,
        opensAt: null,
        closesAt: CLOSES_AT,
        softClose: { windowMs: WINDOW_MS, extensionMs: WINDOW_MS, hardStopAt: null },
        bidderNames: 'public',
        givesTimeBack: true,
        pictures: [],
      },
    },
  )
  if (!decision.accepted) throw new Error(`the auction did not open: ${decision.rejection.code}`)
  return decision.next
}
