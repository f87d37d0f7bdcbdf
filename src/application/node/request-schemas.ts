import { z } from 'zod'
import { AUCTION_PHASES } from '../../domain/auction.js'
import type { NewEnd } from '../../domain/commands.js'
import { isId, MAX_PARTY_NAME_LENGTH, MAX_TIME, nameProblem } from '../../domain/limits.js'
import type { PictureUpload } from '../../ports/node/node-pictures.js'
import type {
  AuctionCommand,
  AuditRequest,
  BidRequest,
  EventsRequest,
  HistoryRequest,
  ListRequest,
  LogRequest,
  MaximaRequest,
  MovingRequest,
  OpenRequest,
  ReceiptsRequest,
  RecoveryRequest,
  ShowRequest,
  TlogProofRequest,
} from '../../ports/node/node-requests.js'
import {
  AUCTION_REFERENCE,
  amountIn,
  auctionReference,
  base64,
  bidderNames,
  composed,
  count,
  currencyIn,
  cursorIn,
  descriptionIn,
  durationMs,
  hasOneEnd,
  hex64,
  id,
  incrementIn,
  isAmountIn,
  line,
  nameIn,
  newEnd,
  ONE_END_RULE,
  pageSize,
  pictureOffset,
  picturesIn,
  REQUEST_ID,
  reasonIn,
  requestId,
  searchIn,
  seq,
  time,
  titleIn,
} from '../log/input-schemas.js'
import { invalidInput } from '../log/invalid-input.js'
import { MAX_UPLOAD_PIECE_BYTES } from '../pictures/uploads-under-way.js'
import { MAX_ACK_REPLICAS } from '../replication/replication.js'

/**
 * Requests of a node's own user, the same whether they come from the same process or over RPC. What terms and amounts
 * may be is for the auction's rules to say; here stands what a request must look like, and how large it may get.
 */

export const MAX_WAIT_MS = 30_000
const MAX_PEER_LENGTH = 96

const auction = auctionReference
const replicas = z.int().min(1).max(MAX_ACK_REPLICAS).exactOptional()
/** The operator's word on whom a request is for. */
const as = z.strictObject({ id, name: nameIn }).exactOptional()
/** Of the request that it comes from, for the log. */
const traced = { requestId: requestId.exactOptional() }
const command = { auction, commandId: id, replicas, as, ...traced }

export const noRequest = z.strictObject({})
export const auctionRequest = z.strictObject({ auction })
export const showRequest: z.ZodType<ShowRequest> = z.strictObject({ auction, as, ...traced })
export const commandRequest: z.ZodType<AuctionCommand> = z.strictObject(command)
export const cancelRequest: z.ZodType<AuctionCommand & { readonly reason?: string }> = z.strictObject({
  ...command,
  reason: reasonIn.exactOptional(),
})
export const extendRequest = z
  .strictObject({ ...command, ...newEnd })
  .refine(hasOneEnd, ONE_END_RULE) as unknown as z.ZodType<AuctionCommand & NewEnd>
export const bidRequest: z.ZodType<BidRequest> = z.strictObject({
  ...command,
  kind: z.enum(['plain', 'max']),
  amount: amountIn,
  brief: z.boolean().exactOptional(),
})
export const autoBidRequest: z.ZodType<{
  readonly auction: string
  readonly limit: BidRequest['amount']
}> = z.strictObject({ auction, limit: amountIn })
export const handoverRequest = z.strictObject({ auction, peer: line(MAX_PEER_LENGTH) })

const recovery = { auction, withoutPeers: z.boolean().exactOptional() }
export const takeBackRequest: z.ZodType<RecoveryRequest> = z.strictObject(recovery)
export const giveUpRequest: z.ZodType<RecoveryRequest & { readonly reason?: string }> = z.strictObject({
  ...recovery,
  reason: reasonIn.exactOptional(),
})

export const openRequest: z.ZodType<OpenRequest> = z.strictObject({
  commandId: id,
  replicas,
  as,
  ...traced,
  title: titleIn,
  description: descriptionIn.exactOptional(),
  currency: currencyIn,
  start: amountIn,
  reserve: amountIn.exactOptional(),
  increment: incrementIn.exactOptional(),
  buyNow: amountIn.exactOptional(),
  opensAt: time.exactOptional(),
  opensInMs: durationMs.max(MAX_TIME).exactOptional(),
  openLate: z.literal(true).exactOptional(),
  closesAt: time.exactOptional(),
  closesInMs: durationMs.max(MAX_TIME).exactOptional(),
  softClose: z.strictObject({ windowMs: durationMs, extensionMs: durationMs }).exactOptional(),
  hardStopAt: time.exactOptional(),
  hardStopInMs: durationMs.max(MAX_TIME).exactOptional(),
  bidderNames: bidderNames.exactOptional(),
  givesTimeBack: z.boolean().exactOptional(),
  pictures: picturesIn.exactOptional(),
})

export const addPictureRequest: z.ZodType<PictureUpload> = z.strictObject({
  as,
  ...traced,
  hash: hex64,
  bytes: z.int().min(1),
  offset: z.int().min(0),
  piece: base64(MAX_UPLOAD_PIECE_BYTES),
})
export const pictureRequest = z.strictObject({ hash: hex64, offset: pictureOffset })

export const listRequest: z.ZodType<ListRequest> = z.strictObject({
  as,
  ...traced,
  seller: id.exactOptional(),
  bidder: id.exactOptional(),
  sort: z.enum(['newest', 'ending']).exactOptional(),
  statuses: z.array(z.enum(AUCTION_PHASES)).max(AUCTION_PHASES.length).exactOptional(),
  text: searchIn.exactOptional(),
  cursor: cursorIn.exactOptional(),
  limit: pageSize.exactOptional(),
})

export const historyRequest: z.ZodType<HistoryRequest> = z.strictObject({
  as,
  ...traced,
  auction,
  beforeSeq: count.exactOptional(),
  limit: pageSize.exactOptional(),
})

export const eventsRequest: z.ZodType<EventsRequest> = z.strictObject({
  auction: auction.exactOptional(),
  cursor: cursorIn.exactOptional(),
  fromSeq: count.exactOptional(),
  waitMs: z.int().min(0).max(MAX_WAIT_MS),
  limit: pageSize.exactOptional(),
})

export const movingRequest: z.ZodType<MovingRequest> = z.strictObject({
  after: count.nullable(),
  waitMs: z.int().min(0).max(MAX_WAIT_MS),
})

export const tlogProofRequest: z.ZodType<TlogProofRequest> = z.strictObject({ auction, seq: seq.exactOptional() })
export const logRequest: z.ZodType<LogRequest> = z.strictObject({ auction, fromSeq: seq })
const MAX_ACT_LENGTH = 64
export const auditRequest: z.ZodType<AuditRequest> = z.strictObject({
  who: id.exactOptional(),
  auction: auction.exactOptional(),
  act: line(MAX_ACT_LENGTH).exactOptional(),
  sinceMs: time.exactOptional(),
  untilMs: time.exactOptional(),
  afterSeq: count.exactOptional(),
  limit: pageSize.exactOptional(),
})
/** As many as a page of a list has. */
const MAX_MAXIMA = 1_000
export const maximaRequest: z.ZodType<MaximaRequest> = z.strictObject({
  of: z.array(z.strictObject({ auction, party: id })).max(MAX_MAXIMA),
})
export const receiptsRequest = z
  .strictObject({ auction: auction.exactOptional(), party: id.exactOptional(), after: count.exactOptional() })
  .refine(({ auction: of, party }) => party === undefined || of !== undefined, {
    path: ['party'],
    message: 'needs the auction beside it',
  }) as z.ZodType<ReceiptsRequest>

/** The request as it is meant. Throws INVALID_INPUT with the field and the rule. */
export function parseRequest<T extends object>(schema: z.ZodType<T>, request: T): T {
  const parsed = schema.safeParse(withoutUndefined(request))
  if (parsed.success) return parsed.data
  throw invalidInput(parsed.error)
}

/** Programs leave things out by giving them as undefined, which JSON would not send. */
function withoutUndefined(request: unknown): unknown {
  if (typeof request !== 'object' || request === null) return request
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined))
}

/** As `parseRequest`; most requests are bids, and for most of them a look is enough. */
export function parseBid(request: BidRequest): BidRequest {
  return isPlainBid(request) ? request : parseCommand(bidRequest, request)
}

/** A lane is no data: it is passed on as it is, in the same process alone. */
export function parseCommand<T extends AuctionCommand>(schema: z.ZodType<T>, request: T): T {
  if (typeof request !== 'object' || request === null || !('lane' in request)) return parseRequest(schema, request)
  const { lane, ...asked } = request
  return { ...parseRequest(schema, asked as T), lane }
}

function isPlainBid({ auction, commandId, kind, amount, as, replicas, requestId }: BidRequest): boolean {
  return (
    isMatch(auction, AUCTION_REFERENCE) &&
    isId(commandId) &&
    (kind === 'plain' || kind === 'max') &&
    isAmountIn(amount) &&
    replicas === undefined &&
    (requestId === undefined || isMatch(requestId, REQUEST_ID)) &&
    (as === undefined || (isId(as.id) && isComposedName(as.name)))
  )
}

function isMatch(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function isComposedName(name: unknown): boolean {
  return typeof name === 'string' && nameProblem(name, MAX_PARTY_NAME_LENGTH) === null && composed(name) === name
}
