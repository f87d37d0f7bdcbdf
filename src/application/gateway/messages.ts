import { z } from 'zod'
import { SCOPES } from '../../ports/accounts/caller.js'
import {
  AUCTION_REFERENCE,
  amountIn,
  requestId as anyRequestId,
  auctionReference as auctionId,
  CLIENT_KEY,
  clientKey as clientId,
  isAmountIn,
  REQUEST_ID,
  length as seqIn,
  timeIn,
} from '../log/input-schemas.js'

/**
 * What goes over the WebSocket, both ways; docs/asyncapi.yaml is made from here. Amounts are decimal text beside their
 * `currency`, times RFC 3339 in UTC.
 */

export const MAX_SUBSCRIPTIONS = 1_000
const MAX_TOKEN_LENGTH = 4_096

const requestId = anyRequestId.meta({
  description: 'Found in the log lines of every node that the bid passes.',
})

const placeBid = z
  .object({
    type: z.literal('place_bid'),
    amount: amountIn,
    auction_id: auctionId.exactOptional(),
    kind: z.enum(['plain', 'max']).default('plain'),
    bid_id: clientId.exactOptional(),
    request_id: requestId.exactOptional(),
  })
  .meta({
    description:
      'Bids on the auction (of the path, or `auction_id` on /ws). `bid_id` is yours: the same one again never bids twice.',
  })
const buyNow = z
  .object({
    type: z.literal('buy_now'),
    auction_id: auctionId.exactOptional(),
    bid_id: clientId.exactOptional(),
    request_id: requestId.exactOptional(),
  })
  .meta({ description: 'Buys the lot at its buy-now price.' })
const ping = z
  .object({ type: z.literal('ping'), id: z.union([z.string().max(128), z.number()]).exactOptional() })
  .meta({ description: 'Answered by `pong`.' })
const subscribe = z
  .object({
    type: z.literal('subscribe'),
    auction_id: auctionId.exactOptional(),
    auction_ids: z.array(auctionId).min(1).max(MAX_SUBSCRIPTIONS).exactOptional(),
    catalogue: z.literal(true).exactOptional(),
    from_seq: seqIn.exactOptional(),
    cursor: z.string().max(128).exactOptional(),
    since: timeIn.exactOptional(),
    mode: z.enum(['all', 'newest']).default('all'),
    presence: z.boolean().default(false),
  })
  .meta({
    description:
      'Hears an auction, several, or all (`catalogue`). `from_seq` goes on from there, `cursor` likewise for the catalogue, without what happened before `since` (with a minute to spare: clocks differ); `mode: newest` leaves prices out that are overtaken at once.',
  })
const unsubscribe = z
  .object({
    type: z.literal('unsubscribe'),
    auction_id: auctionId.exactOptional(),
    catalogue: z.literal(true).exactOptional(),
  })
  .meta({ description: 'Hears no more of it.' })

const token = z.string().min(1).max(MAX_TOKEN_LENGTH)
const authenticate = z
  .object({
    type: z.literal('authenticate'),
    access_token: token.exactOptional(),
    api_key: token.exactOptional(),
    token: token.exactOptional(),
    user_id: z.string().max(256).exactOptional(),
  })
  .meta({
    description:
      'Says who you are from here on: as the first message where no headers can be sent (browsers), since addresses end up in logs, or with a new token after `signed_out`. Exactly one of them; `token` is of either kind, `user_id` for gateways that take names on trust. What comes after it is asked as that caller. Refused, it is answered by `error`, and nothing changes.',
  })

export const clientMessage = z.discriminatedUnion('type', [
  placeBid,
  buyNow,
  ping,
  subscribe,
  unsubscribe,
  authenticate,
])
export type ClientMessage = z.output<typeof clientMessage>

type PlaceBid = z.output<typeof placeBid>

/**
 * The bid in a message, where `clientMessage` would take it; null says nothing. Most messages are bids, and the schema
 * costs more than all else that is done to read one: their fields are checked by hand.
 */
export function soundBid(json: unknown): PlaceBid | null {
  if (typeof json !== 'object' || json === null) return null
  const { type, amount, kind = 'plain', auction_id, bid_id, request_id } = json as Record<string, unknown>
  if (type !== 'place_bid' || (kind !== 'plain' && kind !== 'max')) return null
  if (!isAmountIn(amount)) return null
  const bid: { -readonly [K in keyof PlaceBid]: PlaceBid[K] } = { type, amount, kind }
  if (auction_id !== undefined) {
    if (!isMatch(auction_id, AUCTION_REFERENCE)) return null
    bid.auction_id = auction_id
  }
  if (bid_id !== undefined) {
    if (!isMatch(bid_id, CLIENT_KEY)) return null
    bid.bid_id = bid_id
  }
  if (request_id !== undefined) {
    if (!isMatch(request_id, REQUEST_ID)) return null
    bid.request_id = request_id
  }
  return bid
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

const amount = z.string()
const time = z.string()
const party = z.object({ id: z.string(), name: z.string() })
const seq = z.int()
const currency = z.string()
const code = z.string()

/** Of what a limit refuses: which one, and when to ask again. */
const limited = { limit: z.string().exactOptional(), retry_after_ms: z.int().exactOptional() }

const rejection = {
  auction_id: z.string(),
  request_id: z.string(),
  bid_id: z.string().nullable(),
  timestamp: time,
  code,
  reason: z.string(),
  next: z.string().nullable(),
  minimum: amount.nullable().exactOptional(),
  price: amount.nullable().exactOptional(),
  currency: currency.exactOptional(),
  ...limited,
}

export const replyMessages = {
  welcome: z
    .object({
      type: z.literal('welcome'),
      server_time: time,
      user: party.nullable(),
      auth: z.enum(['open', 'accounts']),
      ping_interval_ms: z.int(),
    })
    .meta({ description: 'The greeting: the server’s clock, for countdowns, and who you are to it.' }),
  authenticated: z
    .object({
      type: z.literal('authenticated'),
      user: party,
      scopes: z.array(z.enum(SCOPES)),
    })
    .meta({ description: 'The answer to `authenticate`: who you are from here on.' }),
  signed_out: z.object({ type: z.literal('signed_out'), code, reason: z.string(), next: z.string().nullable() }).meta({
    description:
      'Your credentials have ended: expired, logged out, revoked or disabled. You go on hearing, as nobody; `authenticate` with new ones to bid.',
  }),
  subscribed: z
    .object({
      type: z.literal('subscribed'),
      auction_id: z.string().nullable(),
      seq: seq.nullable(),
      mode: z.enum(['all', 'newest']),
      watchers: z.int().nullable(),
      auction: z.record(z.string(), z.unknown()).nullable(),
    })
    .meta({
      description:
        'Events past `seq` follow. `auction` is as of its own `seq`, which a resumed subscription has yet to reach; null for the catalogue.',
    }),
  unsubscribed: z
    .object({ type: z.literal('unsubscribed'), auction_id: z.string().nullable() })
    .meta({ description: 'Nothing more of it follows.' }),
  bid_accepted: z
    .object({
      type: z.literal('bid_accepted'),
      auction_id: z.string(),
      bid_id: z.string(),
      client_id: z.string().nullable(),
      request_id: z.string(),
      seq,
      timestamp: time,
      leads: z.boolean(),
      current_bid: amount,
      reserve_met: z.boolean(),
      currency,
    })
    .meta({ description: 'To the bidder alone: the bid stands, and is on disk.' }),
  bid_rejected: z
    .object({ type: z.literal('bid_rejected'), ...rejection, client_id: z.string().nullable() })
    .meta({ description: 'To the bidder alone: nothing was done; `next` says what to do.' }),
  bid_unknown: z.object({ type: z.literal('bid_unknown'), ...rejection, client_id: z.string().nullable() }).meta({
    description: 'To the bidder alone: it is not known what became of the bid. Send it again with `bid_id`.',
  }),
  presence: z
    .object({
      type: z.literal('presence'),
      auction_id: z.string(),
      watchers: z.int(),
      names: z.array(z.string()),
      joined: z.array(z.string()),
      left: z.array(z.string()),
    })
    .meta({
      description: 'Who watches here, at this gateway; up to 20 names of those who are here, who came and who left.',
    }),
  auction_moving: z
    .object({
      type: z.literal('auction_moving'),
      auction_id: z.string(),
      moving: z.boolean(),
      since: time.nullable(),
      message: z.string(),
    })
    .meta({
      description:
        'The auction’s home does not answer, and another node of its cluster takes over: bids wait, and are not placed yet. With `moving` false: they are answered again.',
    }),
  pong: z
    .object({
      type: z.literal('pong'),
      server_time: time,
      timestamp: time,
      id: z.union([z.string(), z.number()]).nullable(),
    })
    .meta({ description: 'The answer to `ping`.' }),
  goodbye: z
    .object({ type: z.literal('goodbye'), code, reason: z.string(), retry_after_ms: z.int().nullable() })
    .meta({ description: 'The connection is about to be closed, and why.' }),
  error: z
    .object({
      type: z.literal('error'),
      code,
      message: z.string(),
      field: z.string().nullable(),
      next: z.string().nullable(),
      ...limited,
    })
    .meta({ description: 'A message that could not be used.' }),
} as const
export type ReplyType = keyof typeof replyMessages
export type ReplyMessage = { [K in ReplyType]: z.output<(typeof replyMessages)[K]> }[ReplyType]

export const clientMessages = {
  place_bid: placeBid,
  buy_now: buyNow,
  ping,
  subscribe,
  unsubscribe,
  authenticate,
} as const
