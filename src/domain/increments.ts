import type { Currency } from './currency.js'
import type { Minor } from './money.js'

/** From this price on, the next bid must be at least `step` higher. */
export interface IncrementBand {
  readonly from: Minor
  readonly step: Minor
}

/** Ascending by `from`; the first band starts at 0. A flat increment is a single band. */
export type Increments = readonly IncrementBand[]

export const MAX_INCREMENT_BANDS = 32

/** eBay's table for ebay.com, in major units: current price from, increment (ebay.com help, "Bid increments"). */
const EBAY: readonly (readonly [from: number, step: number])[] = [
  [0, 0.05],
  [1, 0.25],
  [5, 0.5],
  [25, 1],
  [100, 2.5],
  [250, 5],
  [500, 10],
  [1000, 25],
  [2500, 50],
  [5000, 100],
]

/** The default table in a currency's minor units; a step never rounds below one minor unit. */
export function defaultIncrements(currency: Currency): Increments {
  const scale = 10 ** currency.exponent
  return EBAY.map(([from, step]) => ({
    from: Math.round(from * scale),
    step: Math.max(1, Math.round(step * scale)),
  }))
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
