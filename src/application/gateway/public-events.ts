import { z } from 'zod'
import { CLOSED_BY, EXTENDED_BY, TAKEN_OVER_BECAUSE } from '../../domain/events.js'
import { PICTURE_TYPES } from '../../domain/pictures/picture.js'

/**
 * What happens to auctions, as everybody hears it: event streams, WebSocket, `vendue/client`, `createNode` and `vendue
 * watch --json`. What a protocol calls by other names is made from these in its adapter. Amounts are decimal text in
 * `currency`, times RFC 3339 in UTC.
 */

const amount = z.string()
const time = z.string()
const party = z.object({ id: z.string(), name: z.string() })

export const pictureFields = {
  hash: z.string(),
  bytes: z.int(),
  type: z.enum(PICTURE_TYPES),
  width: z.int(),
  height: z.int(),
}
export const pictureSchema = z
  .object({ ...pictureFields, alt: z.string() })
  .meta({ description: 'At /api/v1/pictures/{hash}: SHA-256 of its bytes, which the auction’s terms name.' })

/** What every event of an auction carries. `cursor` continues the catalogue after it. */
const event = {
  auction_id: z.string(),
  seq: z.int(),
  timestamp: time,
  title: z.string(),
  currency: z.string(),
  disputed: z.boolean(),
  cursor: z.string().exactOptional(),
}
export const auctionResult = z.union([
  z.object({ sold: z.literal(true), winner: party, price: amount, bid_id: z.string() }),
  z.object({ sold: z.literal(false), reason: z.enum(['no-bids', 'reserve-not-met']) }),
])

export const eventMessages = {
  auction_opened: z
    .object({
      type: z.literal('auction_opened'),
      ...event,
      seller: party,
      start_price: amount,
      buy_now: amount.nullable(),
      has_reserve: z.boolean(),
      opens_at: time.nullable(),
      closes_at: time.nullable(),
      pictures: z.array(pictureSchema),
    })
    .meta({ description: 'A new auction.' }),
  auction_started: z
    .object({ type: z.literal('auction_started'), ...event, minimum: amount.nullable() })
    .meta({ description: 'Bidding has begun in an auction that was scheduled.' }),
  bid_placed: z
    .object({
      type: z.literal('bid_placed'),
      ...event,
      price: amount,
      leader: party,
      minimum: amount.nullable(),
      reserve_met: z.boolean(),
      bid_id: z.string(),
      bidder: party,
      kind: z.enum(['plain', 'max', 'max-change', 'buy-now']),
      amount: amount.nullable(),
      leads: z.boolean(),
    })
    .meta({
      description:
        'A bid was accepted. `minimum` is null where no bid would do: the lot can be bought for no more. `price` and `leader` are as after it; `leads: false`: the leader’s maximum answered at once.',
    }),
  auction_extended: z
    .object({
      type: z.literal('auction_extended'),
      ...event,
      closes_at: time,
      by: z.enum(EXTENDED_BY),
      since: time.nullable(),
    })
    .meta({
      description: 'The end has moved. `outage`: nobody could bid from `since` until now, and that time is given back.',
    }),
  auction_closed: z
    .object({
      type: z.literal('auction_closed'),
      ...event,
      by: z.enum(CLOSED_BY),
      result: auctionResult,
    })
    .meta({ description: 'The auction is closed.' }),
  auction_cancelled: z
    .object({
      type: z.literal('auction_cancelled'),
      ...event,
      by: z.enum(['seller', 'home']),
      reason: z.string(),
    })
    .meta({
      description: 'The seller has withdrawn the lot; or its home has given the auction up: nobody has won.',
    }),
  maxima_lost: z.object({ type: z.literal('maxima_lost'), ...event, since_seq: z.int() }).meta({
    description:
      'The home has lost the maxima that were left with it from event `since_seq` on. The leader leads at the price; whoever left a maximum has to leave it anew.',
  }),
  auction_moved: z
    .object({
      type: z.literal('auction_moved'),
      ...event,
      home: z.object({ node_id: z.string(), public_key: z.string() }),
      why: z.enum(['handed-over', ...TAKEN_OVER_BECAUSE]),
      since: time.nullable(),
    })
    .meta({
      description:
        'Another node is the auction’s home from here on. Nothing else changes. Unless it was handed over, its cluster has taken it over from a home that was last heard of at `since`.',
    }),
  maxima_revealed: z
    .object({
      type: z.literal('maxima_revealed'),
      ...event,
      maxima: z.array(z.object({ bid_id: z.string(), amount })),
    })
    .meta({ description: 'After the close: what the maxima were.' }),
} as const
export type EventType = keyof typeof eventMessages
export type EventOf<T extends EventType> = z.output<(typeof eventMessages)[T]>
export type EventMessage = { [T in EventType]: EventOf<T> }[EventType]
