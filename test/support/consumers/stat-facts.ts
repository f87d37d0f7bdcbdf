import fc from 'fast-check'
import type { Currency } from '../../../src/domain/currency.js'
import { MAX_MINOR } from '../../../src/domain/money.js'
import type { Party } from '../../../src/domain/party.js'
import type { EndedFact, StatFact } from '../../../src/ports/store/stat-facts.js'

export const SELLERS: readonly Party[] = ['sara', 'sven', 'suri'].map((name) => ({ id: `node_${name}`, name }))
const BIDDERS: readonly Party[] = ['ann', 'ben', 'cat', 'dan'].map((name) => ({ id: `acc_${name}`, name }))
const CURRENCIES: readonly Currency[] = [
  { code: 'USD', exponent: 2 },
  { code: 'JPY', exponent: 0 },
]
export const BEGIN = Date.UTC(2026, 9, 24)
export const LENGTH_MS = 3 * 24 * 60 * 60_000

const amount = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: MAX_MINOR - 1_000, max: MAX_MINOR }))
const later = fc.integer({ min: 0, max: LENGTH_MS / 4 })

const ended = fc.oneof(
  fc.record({
    sold: fc.constant(true),
    winner: fc.constantFrom(...BIDDERS),
    price: amount,
    reserve: fc.option(amount),
  }),
  fc.record({ sold: fc.constant(false), by: fc.constantFrom('no-bids', 'reserve-not-met', 'cancelled', 'given-up') }),
)

const auction = fc.record({
  at: fc.integer({ min: BEGIN, max: BEGIN + LENGTH_MS }),
  seller: fc.constantFrom(...SELLERS),
  currency: fc.constantFrom(...CURRENCIES),
  startPrice: amount,
  opensAfter: fc.option(later),
  hasReserve: fc.boolean(),
  bids: fc.array(fc.record({ after: later, bidder: fc.constantFrom(...BIDDERS), price: amount, leads: fc.boolean() }), {
    maxLength: 8,
  }),
  extensions: fc.array(later, { maxLength: 3 }),
  ending: fc.option(fc.record({ after: later, how: ended })),
})

/** What some auctions could come to, at any times and with amounts of any size. */
export const someFacts: fc.Arbitrary<StatFact[]> = fc
  .array(auction, { maxLength: 8 })
  .map((auctions) => auctions.flatMap(factsOfAuction))

function factsOfAuction(given: typeof auction extends fc.Arbitrary<infer T> ? T : never, number: number): StatFact[] {
  let seq = 0
  const auctionId = `auc_${number}`
  const key = (at: number) => ({ auctionId, seq: ++seq, at })
  const { at, seller, currency, startPrice, hasReserve, opensAfter, bids, extensions, ending } = given
  const opensAt = opensAfter === null ? null : at + opensAfter
  const terms = { title: `lot ${number}`, seller, currency, startPrice, hasReserve, opensAt, closesAt: null }
  const facts: StatFact[] = [{ kind: 'opened', ...key(at), ...terms }]
  // The price never falls.
  const times = bids.map(({ after }) => after).sort((a, b) => a - b)
  const prices = bids.map(({ price }) => price).sort((a, b) => a - b)
  for (const [i, { bidder, leads }] of bids.entries()) {
    const [after, price] = [times[i] as number, prices[i] as number]
    const placed = key(at + after)
    const bid = { bidId: `bid_${number}_${placed.seq}`, bidder, kind: 'plain' as const, amount: price, price, leads }
    facts.push({ kind: 'bid', ...placed, bid })
  }
  for (const after of extensions)
    facts.push({ kind: 'extended', ...key(at + after), by: 'soft-close', closesAt: at + 2 * after } as StatFact)
  if (ending !== null) facts.push({ kind: 'ended', ...key(at + ending.after), ...endOf(ending.how) } as StatFact)
  return facts
}

function endOf(how: object): Pick<EndedFact, 'by' | 'result' | 'reserve'> {
  if ('winner' in how) {
    const { winner, price, reserve } = how as { winner: Party; price: number; reserve: number | null }
    return { by: 'seller', result: { sold: true, winner, bidId: 'bid_winning', price }, reserve }
  }
  const { by } = how as { by: 'no-bids' | 'reserve-not-met' | 'cancelled' | 'given-up' }
  if (by === 'cancelled' || by === 'given-up') return { by, result: null, reserve: null }
  return { by: 'seller', result: { sold: false, reason: by }, reserve: null }
}
