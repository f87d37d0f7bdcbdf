import { z } from 'zod'
import { STEP_SIZES } from '../../application/analytics/time-steps.js'

/** Amounts are decimal text, times RFC 3339. */
const amount = z.string()
const time = z.string()
const party = z.object({ id: z.string(), name: z.string() })
const soldFields = { currency: z.string(), sold: z.int(), hammer: amount }
const frameFields = { from: time, to: time }
const stepsFields = { ...frameFields, by: z.enum(STEP_SIZES), time_zone: z.string() }

const countFields = {
  opened: z.int(),
  bids: z.int(),
  bidders: z.int().meta({ description: 'Each bidder counts once within the step.' }),
  auctions_bid_on: z.int(),
  extensions: z.int(),
  sold: z.int(),
  unsold: z.int(),
  cancelled: z.int(),
  sell_through: z.number().nullable().meta({ description: 'Sold, of all that ended without being cancelled.' }),
  sales: z
    .array(
      z.object({
        ...soldFields,
        start: amount.meta({ description: 'The start prices of what was sold.' }),
        hammer_to_start: z.number(),
        with_reserve: z.object({
          sold: z.int(),
          hammer: amount,
          reserve: amount,
          hammer_to_reserve: z.number().nullable(),
        }),
      }),
    )
    .meta({ description: 'By currency; sums are exact.' }),
}

export const statOverviewSchema = z.object({
  ...stepsFields,
  totals: z.object({
    ...countFields,
    median_first_bid_ms: z
      .int()
      .nullable()
      .meta({ description: 'The time to the first bid, of auctions opened and bid on within the frame.' }),
  }),
  steps: z.array(z.object({ ...frameFields, ...countFields })),
})

export const statLotsSchema = z.object({
  auctions: z.array(
    z.object({
      auction_id: z.string(),
      title: z.string(),
      seller_id: z.string(),
      seller: z.string(),
      currency: z.string(),
      start_price: amount,
      has_reserve: z.boolean(),
      opened_at: time,
      opens_at: time.nullable(),
      closes_at: time.nullable(),
      ended_at: time.nullable(),
      result: z.enum(['running', 'sold', 'no-bids', 'reserve-not-met', 'cancelled', 'given-up']),
      winner_id: z.string().nullable(),
      winner: z.string().nullable(),
      winning_bid_id: z.string().nullable(),
      hammer_price: amount.nullable(),
      reserve: amount.nullable(),
      price: amount.nullable(),
      bids: z.int(),
      bidders: z.int(),
      extensions: z.int(),
      first_bid_at: time.nullable(),
      first_bid_after_ms: z.int().nullable(),
    }),
  ),
  next: z.string().nullable(),
})

export const statBiddersSchema = z.object({
  bidders: z.array(z.object({ bidder: party, bids: z.int(), auctions: z.int(), won: z.array(z.object(soldFields)) })),
})

export const statSellersSchema = z.object({
  ...stepsFields,
  sales: z.array(z.object({ ...frameFields, seller: party, ...soldFields })),
})

export const statPricesSchema = z.object({
  ...stepsFields,
  auction_id: z.string(),
  title: z.string(),
  currency: z.string(),
  start_price: amount,
  steps: z.array(z.object({ ...frameFields, bids: z.int(), price: amount.nullable() })),
})

export type StatOverviewResource = z.output<typeof statOverviewSchema>
export type StatLotsResource = z.output<typeof statLotsSchema>
export type StatBiddersResource = z.output<typeof statBiddersSchema>
export type StatSellersResource = z.output<typeof statSellersSchema>
export type StatPricesResource = z.output<typeof statPricesSchema>
