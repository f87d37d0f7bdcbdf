import { z } from 'zod'
import { MAX_CLUSTER_ROTATIONS } from '../../domain/cluster-key.js'
import { type AuctionEvent, type BidPlaced, CLOSED_BY, EXTENDED_BY, TAKEN_OVER_BECAUSE } from '../../domain/events.js'
import { MAX_REVEALS_PER_EVENT } from '../../domain/evolve.js'
import { MAX_INCREMENT_BANDS } from '../../domain/increments.js'
import { MAX_PICTURES, MAX_TIME } from '../../domain/limits.js'
import { PICTURE_TYPES } from '../../domain/pictures/picture.js'
import { MESH_ID } from './ids.js'
import { BYTES32, bidderNames, hex64, id, minor, party, reason, SIGNATURE, salt, time } from './input-schemas.js'

/** The shapes of events as they stand in commit bodies, save the bids (see commit-body.ts). */

const publicKey = z.string().regex(BYTES32)
const signature = z.string().regex(SIGNATURE)
const homeSchema = z.strictObject({ nodeId: id, publicKey })
export const openingSchema = z.strictObject({ amount: minor, salt })

/** What else a picture may be is for `pictureProblems` to say. */
const pictureSchema = z.strictObject({
  hash: hex64,
  bytes: z.int().positive(),
  type: z.enum(PICTURE_TYPES),
  width: z.int().positive(),
  height: z.int().positive(),
  alt: z.string(),
})

/** How long texts are, and what they hold, is for `termsProblems` to say. */
export const termsSchema = z.strictObject({
  title: z.string(),
  description: z.string(),
  currency: z.strictObject({ code: z.string(), exponent: z.int().min(0).max(9) }),
  startPrice: minor,
  reserveCommitment: hex64.nullable(),
  increments: z
    .array(z.strictObject({ from: z.int().nonnegative(), step: minor }))
    .min(1)
    .max(MAX_INCREMENT_BANDS),
  buyNow: minor.nullable(),
  opensAt: time.nullable(),
  closesAt: time.nullable(),
  softClose: z.strictObject({ windowMs: z.int(), extensionMs: z.int(), hardStopAt: time.nullable() }).nullable(),
  bidderNames: bidderNames,
  givesTimeBack: z.boolean(),
  pictures: z.array(pictureSchema).max(MAX_PICTURES),
})

const resultSchema = z.discriminatedUnion('sold', [
  z.strictObject({ sold: z.literal(true), winner: party, bidId: id, price: minor }),
  z.strictObject({ sold: z.literal(false), reason: z.enum(['no-bids', 'reserve-not-met']) }),
])

export const eventSchema: z.ZodType<Exclude<AuctionEvent, BidPlaced>> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('MaxBidChanged'),
    at: time,
    bidId: id,
    bidder: party,
    commitment: hex64,
    price: minor,
    reserveMet: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('AuctionExtended'),
    at: time,
    closesAt: time,
    by: z.enum(EXTENDED_BY),
    since: time.nullable(),
    commandId: id.nullable(),
    addedMs: z.int().min(1).max(MAX_TIME).exactOptional(),
  }),
  z.strictObject({
    type: z.literal('AuctionOpened'),
    at: time,
    commandId: id,
    meshId: z.string().regex(MESH_ID),
    seller: party,
    home: homeSchema,
    cluster: publicKey.nullable(),
    terms: termsSchema,
  }),
  z.strictObject({ type: z.literal('AuctionStarted'), at: time }),
  z.strictObject({ type: z.literal('LotBoughtNow'), at: time, bidId: id, bidder: party, price: minor }),
  z.strictObject({
    type: z.literal('AuctionClosed'),
    at: time,
    by: z.enum(CLOSED_BY),
    commandId: id.nullable(),
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
  z.strictObject({
    type: z.literal('AuctionHandedOver'),
    at: time,
    to: homeSchema,
    cluster: publicKey.nullable(),
    consent: signature,
  }),
  z.strictObject({
    type: z.literal('AuctionTakenOver'),
    at: time,
    from: homeSchema,
    to: homeSchema,
    why: z.enum(TAKEN_OVER_BECAUSE),
    since: time,
    keys: z.array(z.strictObject({ publicKey, signature })).max(MAX_CLUSTER_ROTATIONS),
    clusterSignature: signature,
  }),
  z.strictObject({
    type: z.literal('AuctionCancelled'),
    at: time,
    commandId: id,
    reason,
  }),
  z.strictObject({ type: z.literal('AuctionGivenUp'), at: time, reason }),
  z.strictObject({
    type: z.literal('MaximaLost'),
    at: time,
    since: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  }),
])
