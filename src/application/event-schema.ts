import { z } from 'zod'
import type { AuctionEvent } from '../domain/events.js'
import { MAX_REVEALS_PER_EVENT } from '../domain/evolve.js'
import { MAX_INCREMENT_BANDS } from '../domain/increments.js'
import { MAX_NAME_LENGTH } from '../domain/party.js'
import { BIDDER_NAMES, MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH } from '../domain/terms.js'

/** The shapes of events as they stand in commit bodies. What they may say in a given state is for evolve to check. */

export const minor = z.int().positive()
export const time = z.int().nonnegative()
const MAX_ID_LENGTH = 96
const HEX64 = /^[0-9a-f]{64}$/

export const id = z.string().min(1).max(MAX_ID_LENGTH)
export const hex64 = z.string().regex(HEX64)
const salt = z.string().regex(/^[0-9a-f]{32}$/)

export const partySchema = z.strictObject({ id, name: z.string().max(MAX_NAME_LENGTH) })
const homeSchema = z.strictObject({ nodeId: id, publicKey: z.string().max(64) })
export const openingSchema = z.strictObject({ amount: minor, salt })

export const termsSchema = z.strictObject({
  title: z.string().max(MAX_TITLE_LENGTH),
  description: z.string().max(MAX_DESCRIPTION_LENGTH),
  currency: z.strictObject({ code: z.string().max(10), exponent: z.int().min(0).max(9) }),
  startPrice: minor,
  reserveCommitment: hex64.nullable(),
  increments: z
    .array(z.strictObject({ from: z.int().nonnegative(), step: minor }))
    .min(1)
    .max(MAX_INCREMENT_BANDS),
  buyNow: minor.nullable(),
  opensAt: time.nullable(),
  closesAt: time.nullable(),
  softClose: z
    .strictObject({ windowMs: z.int(), extensionMs: z.int(), hardStopAt: time.nullable() })
    .nullable(),
  bidderNames: z.enum(BIDDER_NAMES),
})

const resultSchema = z.discriminatedUnion('sold', [
  z.strictObject({ sold: z.literal(true), winner: partySchema, bidId: id, price: minor }),
  z.strictObject({ sold: z.literal(false), reason: z.enum(['no-bids', 'reserve-not-met']) }),
])

export const eventSchema: z.ZodType<AuctionEvent> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('BidPlaced'),
    at: time,
    bidId: id,
    bidder: partySchema,
    amount: minor.nullable(),
    commitment: hex64.nullable(),
    price: minor,
    leads: z.boolean(),
    reserveMet: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('MaxBidChanged'),
    at: time,
    bidId: id,
    bidder: partySchema,
    commitment: hex64,
    price: minor,
    reserveMet: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('AuctionExtended'),
    at: time,
    closesAt: time,
    by: z.enum(['soft-close', 'seller']),
  }),
  z.strictObject({
    type: z.literal('AuctionOpened'),
    at: time,
    commandId: id,
    seller: partySchema,
    home: homeSchema,
    terms: termsSchema,
  }),
  z.strictObject({ type: z.literal('AuctionStarted'), at: time }),
  z.strictObject({ type: z.literal('LotBoughtNow'), at: time, bidId: id, bidder: partySchema, price: minor }),
  z.strictObject({
    type: z.literal('AuctionClosed'),
    at: time,
    by: z.enum(['seller', 'end-time', 'buy-now']),
    result: resultSchema,
    reserve: openingSchema.nullable(),
  }),
  z.strictObject({
    type: z.literal('MaximaRevealed'),
    at: time,
    maxima: z
      .array(z.strictObject({ bidId: id, amount: minor, salt }))
      .min(1)
      .max(MAX_REVEALS_PER_EVENT),
  }),
  z.strictObject({ type: z.literal('AuctionHandedOver'), at: time, to: homeSchema }),
  z.strictObject({ type: z.literal('AuctionCancelled'), at: time, reason: z.string().max(500) }),
])

export const MAX_EVENTS_PER_COMMIT = 4_096

const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
const ORDER_SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/
const MAX_COMMANDS_PER_ORDER = 1_000

const orderSchema = z.strictObject({
  signer: z.string().regex(DIGEST),
  signedAt: time,
  digests: z.array(z.string().regex(DIGEST)).min(1).max(MAX_COMMANDS_PER_ORDER),
  signature: z.string().regex(ORDER_SIGNATURE),
})

const ordersSchema = z.array(orderSchema).min(1).max(MAX_EVENTS_PER_COMMIT)

export const commitBodySchema = z.strictObject({
  auctionId: z.string().max(64).nullable(),
  firstSeq: z.int().positive(),
  prevHash: hex64.nullable(),
  events: z.array(eventSchema).min(1).max(MAX_EVENTS_PER_COMMIT),
  orders: ordersSchema.exactOptional(),
})
export type CommitBody = z.infer<typeof commitBodySchema>

/**
 * True for a body that `commitBodySchema` accepts as it is; false says nothing. Most events are bids, and a schema
 * costs more per bid than all other checks of a replica together: their shape is checked by hand.
 */
export function isSoundBody(json: unknown): json is CommitBody {
  const { auctionId, firstSeq, prevHash, events, orders } = (json ?? {}) as Record<string, unknown>
  return (
    Object.keys(json ?? {}).length === (orders === undefined ? 4 : 5) &&
    (orders === undefined || isSoundOrders(orders)) &&
    (auctionId === null || isText(auctionId, 0, 64)) &&
    isWhole(firstSeq, 1) &&
    (prevHash === null || isHex64(prevHash)) &&
    Array.isArray(events) &&
    events.length > 0 &&
    events.length <= MAX_EVENTS_PER_COMMIT &&
    events.every((event) => isBidPlaced(event) || eventSchema.safeParse(event).success)
  )
}

/** As `ordersSchema`: most of it are digests, of which there is one for each bid. */
function isSoundOrders(orders: unknown): boolean {
  return (
    Array.isArray(orders) &&
    orders.length > 0 &&
    orders.length <= MAX_EVENTS_PER_COMMIT &&
    orders.every((order) => {
      const { signer, signedAt, digests, signature } = (order ?? {}) as Record<string, unknown>
      return (
        Object.keys(order ?? {}).length === 4 &&
        isMatch(signer, DIGEST) &&
        isWhole(signedAt, 0) &&
        isMatch(signature, ORDER_SIGNATURE) &&
        Array.isArray(digests) &&
        digests.length > 0 &&
        digests.length <= MAX_COMMANDS_PER_ORDER &&
        digests.every((digest) => isMatch(digest, DIGEST))
      )
    })
  )
}

function isMatch(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function isBidPlaced(event: unknown): boolean {
  if (typeof event !== 'object' || event === null) return false
  const { type, at, bidId, bidder, amount, commitment, price, leads, reserveMet } = event as Record<
    string,
    unknown
  >
  return (
    type === 'BidPlaced' &&
    Object.keys(event).length === 9 &&
    isWhole(at, 0) &&
    isText(bidId, 1, MAX_ID_LENGTH) &&
    isParty(bidder) &&
    (amount === null || isWhole(amount, 1)) &&
    (commitment === null || isHex64(commitment)) &&
    isWhole(price, 1) &&
    typeof leads === 'boolean' &&
    typeof reserveMet === 'boolean'
  )
}

function isParty(party: unknown): boolean {
  if (typeof party !== 'object' || party === null) return false
  const { id, name } = party as Record<string, unknown>
  return Object.keys(party).length === 2 && isText(id, 1, MAX_ID_LENGTH) && isText(name, 0, MAX_NAME_LENGTH)
}

function isText(value: unknown, min: number, max: number): boolean {
  return typeof value === 'string' && value.length >= min && value.length <= max
}

function isWhole(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min
}

function isHex64(value: unknown): boolean {
  return typeof value === 'string' && HEX64.test(value)
}
