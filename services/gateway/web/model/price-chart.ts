import { compareAmounts } from '../../../../src/client/display.js'

/** One accepted bid, as far as the chart goes. */
export interface PricedBid {
  readonly seq: number
  readonly atMs: number
  /** After the bid, as decimal text. */
  readonly price: string
}

export interface ChartFacts {
  readonly startPrice: string
  readonly openedAtMs: number
  /** All bids are among those given, down to the first. */
  readonly isWhole: boolean
  /** Until when the last price holds: now, or the end. */
  readonly untilMs: number
}

/** Numbers serve to place points on the screen, and for nothing else: amounts that are read stay decimal text. */
export interface ChartPoints {
  /** Ascending; no two the same. */
  readonly seconds: readonly number[]
  readonly prices: readonly number[]
}

/** More points than a screen has columns show nothing more. */
export const MAX_POINTS = 2_000

/** The price over time, a step a bid; bids newest first. */
export function pricePoints(bids: readonly PricedBid[], facts: ChartFacts): ChartPoints {
  const seconds: number[] = []
  const prices: number[] = []
  const add = (atMs: number, price: number) => {
    const at = atMs / 1_000
    const last = seconds.at(-1)
    // Of what happened in one moment the last counts; homes' clocks do not go back.
    if (last !== undefined && at <= last) prices[prices.length - 1] = price
    else {
      seconds.push(at)
      prices.push(price)
    }
  }
  if (facts.isWhole) add(facts.openedAtMs, Number(facts.startPrice))
  const stride = Math.ceil(bids.length / MAX_POINTS)
  for (let i = bids.length - 1; i >= 0; i--) {
    const { atMs, price } = bids[i] as PricedBid
    if (i % stride === 0) add(atMs, Number(price))
  }
  const last = prices.at(-1)
  if (last !== undefined && facts.untilMs / 1_000 > (seconds.at(-1) as number)) add(facts.untilMs, last)
  return { seconds, prices }
}

/** What the chart says to those who do not see it. */
export interface ChartSummary {
  readonly count: number
  readonly first: string
  readonly firstAtMs: number
  readonly last: string
  readonly lastAtMs: number
}

export function summaryOf(bids: readonly PricedBid[], facts: ChartFacts): ChartSummary | null {
  const newest = bids[0]
  const oldest = bids.at(-1)
  if (!newest || !oldest) return null
  const first = facts.isWhole
    ? { price: facts.startPrice, atMs: facts.openedAtMs }
    : { price: oldest.price, atMs: oldest.atMs }
  return {
    count: bids.length,
    first: first.price,
    firstAtMs: first.atMs,
    last: newest.price,
    lastAtMs: newest.atMs,
  }
}

/** A chart of one flat line says nothing that the price does not. */
export function isWorthDrawing(bids: readonly PricedBid[], { startPrice }: ChartFacts): boolean {
  return bids.some(({ price }) => compareAmounts(price, startPrice) !== 0)
}
