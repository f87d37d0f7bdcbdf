import { z } from 'zod'
import { MAX_BODY_BYTES } from '../../../application/log/commit.js'
import { MESH_ID } from '../../../application/log/ids.js'
import {
  hex64 as hash,
  hasOneEnd,
  id,
  length,
  line,
  minor,
  name,
  newEnd,
  ONE_END_RULE,
  party,
  reason,
  salt,
  seq,
  time,
} from '../../../application/log/input-schemas.js'
import { MAX_ACK_REPLICAS } from '../../../application/replication/replication.js'
import type { Commit } from '../../../domain/commit.js'
import { isWellFormed } from '../../../domain/limits.js'
import type { RemoteCommand } from '../../../domain/remote-command.js'
import type { Consent, SignedParcel, SubmittedMandate } from '../../../ports/mesh/home-messages.js'
import type { Challenge, Goodbye, NodeProof, Rumor } from '../../../ports/mesh/liveness-messages.js'
import type { DigestPart, PulledPage, PullWant, StoredHead } from '../../../ports/mesh/sync-messages.js'
import type { NodeInfo } from '../../../ports/node/node-info.js'
import type { AuctionHead } from '../../../ports/store/event-log.js'
import { MAX_ADDRESS_LENGTH, parseAddress } from '../transport/address.js'

/** The shapes of messages between peers. The application checks whether they are true. */

export const MAX_COMMANDS_PER_SUBMIT = 1_000
export const MAX_COMMITS_PER_PUSH = 256
export const MAX_COMMITS_PER_PULL = 1_024
export const MAX_WANTS_PER_PULL = 256
export const MAX_HEADS_PER_PAGE = 10_000
export const MAX_DIGEST_PARTS = 1_024
export const MAX_PEERS_PER_HELLO = 1_000
export const MAX_RUMORS_PER_PING = 16
/** A thousand outcomes and maxima, in characters. */
const MAX_PARCEL_LENGTH = 4 * 1024 * 1024
const MAX_VERSION_LENGTH = 64

const publicKey = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be a key in base64url')
const address = z
  .string()
  .max(MAX_ADDRESS_LENGTH)
  .refine((value) => parseAddress(value) !== null, 'must be host:port')

export const nodeInfoSchema: z.ZodType<NodeInfo> = z.strictObject({
  nodeId: id,
  name,
  publicKey,
  version: line(MAX_VERSION_LENGTH),
  address,
  dhtAddress: address.nullable(),
  incarnation: time,
})

export const signature = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be a signature in base64url')
const nonce = z.string().regex(/^[A-Za-z0-9_-]{22,86}$/, 'must be 16 to 64 random bytes in base64url')
const meshId = z.string().regex(MESH_ID, 'must be the id of a mesh')

export const challengeSchema: z.ZodType<Challenge> = z.strictObject({
  meshId,
  nonce,
  to: address,
  caller: nodeInfoSchema,
})

export const nodeProofSchema: z.ZodType<NodeProof> = z.strictObject({
  nodeId: id,
  address,
  incarnation: time,
  signature,
})

export const goodbyeSchema: z.ZodType<Goodbye> = z.strictObject({
  nodeId: id,
  address,
  incarnation: time,
  signature,
})

const rumorSchema: z.ZodType<Rumor> = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('alive'), nodeId: id, address, incarnation: time, signature }),
  z.strictObject({ state: z.literal('left'), nodeId: id, address, incarnation: time, signature }),
  z.strictObject({ state: z.enum(['suspect', 'dead']), nodeId: id, incarnation: time }),
])

export const rumorsSchema = z.array(rumorSchema).max(MAX_RUMORS_PER_PING)

const replicas = z.int().min(1).max(MAX_ACK_REPLICAS).exactOptional()

const bid = {
  type: z.literal('PlaceBid'),
  auctionId: id,
  commandId: id,
  bidder: party,
  amount: minor,
  replicas,
}

export const remoteCommandSchema = z.discriminatedUnion('type', [
  z.discriminatedUnion('kind', [
    z.strictObject({ ...bid, kind: z.literal('plain') }),
    z.strictObject({ ...bid, kind: z.literal('max'), salt }),
  ]),
  z.strictObject({ type: z.literal('BuyNow'), auctionId: id, commandId: id, bidder: party, replicas }),
  z.strictObject({ type: z.literal('CloseAuction'), auctionId: id, commandId: id, by: party, replicas }),
  z.strictObject({
    type: z.literal('CancelAuction'),
    auctionId: id,
    commandId: id,
    by: party,
    reason,
    replicas,
  }),
  z
    .strictObject({
      type: z.literal('ExtendAuction'),
      auctionId: id,
      commandId: id,
      by: party,
      replicas,
      ...newEnd,
    })
    .refine(hasOneEnd, ONE_END_RULE),
]) as unknown as z.ZodType<RemoteCommand>

export const commitSchema: z.ZodType<Commit> = z.strictObject({
  auctionId: id,
  firstSeq: seq,
  lastSeq: seq,
  body: z.string().min(1).max(MAX_BODY_BYTES).refine(isWellFormed, 'must be whole Unicode text'),
  hash,
  signer: publicKey,
  signature: z.string().regex(/^[A-Za-z0-9_-]{0,128}$/, 'must be a signature in base64url'),
})

export const headSchema: z.ZodType<AuctionHead> = z.strictObject({ auctionId: id, seq, hash })

export const storedHeadSchema: z.ZodType<StoredHead> = z.strictObject({
  auctionId: id,
  seq: length,
})

export const signedParcelSchema: z.ZodType<SignedParcel> = z.strictObject({
  auctionId: id,
  parcel: z.string().min(2).max(MAX_PARCEL_LENGTH).refine(isWellFormed, 'must be whole Unicode text'),
  signature,
})
/** What else the keys are is for the application to say. */
export const consentSchema: z.ZodType<Consent> = z.strictObject({ cluster: publicKey.nullable(), signature })
export const wantSchema: z.ZodType<PullWant> = z.strictObject({ auctionId: id, fromSeq: seq })

export const pageSchema: z.ZodType<PulledPage> = z.strictObject({
  auctionId: id,
  commits: z.array(commitSchema).max(MAX_COMMITS_PER_PULL),
  head: z.strictObject({ seq, hash }).nullable(),
})

/** The beginning of an id, or nothing. */
export const idPrefix = z.string().regex(/^[A-Za-z0-9_-]{0,96}$/, 'must be the beginning of an id')

export const digestPartSchema: z.ZodType<DigestPart> = z.strictObject({ prefix: idPrefix, sum: hash })

export const submittedMandateSchema: z.ZodType<SubmittedMandate> = z.strictObject({
  auctionId: id,
  signer: publicKey,
  signedAt: time,
  signature,
})
