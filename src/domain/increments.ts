import type { Currency } from './currency.js'
import { MAX_MINOR, type Minor } from './money.js'

/** From this price on, the next bid must be at least `step` higher. */
export interface IncrementBand {
  readonly from: Minor
  readonly step: Minor
}

/** Ascending by `from`; the first band starts at 0. A flat increment is a single band. */
export type Increments = readonly IncrementBand[]

export const MAX_INCREMENT_BANDS = 32

/**
 * eBay's table for ebay.com: current price from, increment (ebay.com help, "Bid increments"). It ends at 5,000 with
 * steps of 100; past 10,000, where those would fall below one percent, it goes on here as it does from 100 to 10,000.
 */
const TABLE: readonly (readonly [from: number, step: number])[] = [
  [0, 0.05],
  [1, 0.25],
  [5, 0.5],
  [25, 1],
  [100, 2.5],
  [250, 5],
  [500, 10],
  [1_000, 25],
  [2_500, 50],
  [5_000, 100],
  [10_000, 250],
  [25_000, 500],
  [50_000, 1_000],
  [100_000, 2_500],
  [250_000, 5_000],
  [500_000, 10_000],
  [1_000_000, 25_000],
  [2_500_000, 50_000],
  [5_000_000, 100_000],
]

/** A unit of these is worth about a dollar: they have the table as it is, at every price. */
const DOLLAR_LIKE: ReadonlySet<string> = new Set([
  ...['USD', 'USDT', 'USDC', 'EUR', 'GBP', 'CHF', 'CAD', 'AUD', 'NZD', 'SGD'],
])

/** Start prices in major units for which the table as it is gives steps of one to ten percent. */
const LEAST_FITTING = 5
const MOST_FITTING = 10_000

/**
 * The default table for an auction, in its currency's minor units. Where the start price is not one of the table's, it
 * is scaled by a power of ten until the start price lies between 10 and 100 of its units: 0.01 BTC goes up in steps of
 * 0.0005, 1,500,000 IDR in steps of 50,000. From the start price on a step is about one to ten percent, as far as minor
 * units go.
 */
export function defaultIncrements({ code, exponent }: Currency, startPrice: Minor): Increments {
  const major = startPrice / 10 ** exponent
  const asItIs = DOLLAR_LIKE.has(code) || (major >= LEAST_FITTING && major <= MOST_FITTING)
  const unit = asItIs ? 10 ** exponent : 10 ** (String(startPrice).length - 2)
  const bands: IncrementBand[] = []
  for (const [from, step] of TABLE) {
    const band = { from: Math.round(from * unit), step: Math.max(1, Math.round(step * unit)) }
    const last = bands.at(-1)
    if (band.from > MAX_MINOR) break
    if (last === undefined || (band.from > last.from && band.step > last.step)) bands.push(band)
  }
  return bands
}

export function flatIncrement(step: Minor): Increments {
  return [{ from: 0, step }]
}

/** The increment that applies at a price. */
export function incrementAt(increments: Increments, price: Minor): Minor {
  for (let i = increments.length - 1; i > 0; i--) {
    const band = increments[i] as IncrementBand
    if (price >= band.from) return band.step
  }
  return (increments[0] as IncrementBand).step
}
