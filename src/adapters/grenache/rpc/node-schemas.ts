import { z } from 'zod'
import { id, line, name, text, time } from '../../../application/log/text-schema.js'
import { MAX_ACK_REPLICAS } from '../../../application/replication/replication.js'
import { AUCTION_PHASES } from '../../../domain/auction.js'
import { BIDDER_NAMES } from '../../../domain/terms.js'
import type {
  AuctionCommand,
  AutoBidView,
  BidRequest,
  CommandResult,
  EventsRequest,
  HistoryRequest,
  ListRequest,
  OpenRequest,
  ShowRequest,
} from '../../../ports/node/node-api.js'

/**
 * Requests of a node's own user. What terms and amounts may be is for the auction's rules to say; here stands what a
 * request must look like, and how large it may get.
 */

export const MAX_WAIT_MS = 30_000
const MAX_PAGE = 1_000
const MAX_TITLE_INPUT = 10_000
const MAX_DESCRIPTION_INPUT = 100_000
const MAX_INCREMENT_INPUT = 2_000
const MAX_AMOUNT_LENGTH = 64
const MAX_CURSOR_LENGTH = 512
const MAX_REASON_INPUT = 1_000

export const auction = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,96}$/, "must be an auction's id, or the start of one")
const amount = z
  .string()
  .max(MAX_AMOUNT_LENGTH)
  .regex(/^\s*\S+\s*$/, 'must be decimal text, like 105.00')
const duration = z.int().positive()
const limit = z.int().min(1).max(MAX_PAGE)

const replicas = z.int().min(1).max(MAX_ACK_REPLICAS).exactOptional()
/** The operator's word on whom a request is for. */
const as = z.strictObject({ id, name }).exactOptional()
const command = { auction, commandId: id, replicas, as }

export const noRequest = z.strictObject({})
export const auctionRequest = z.strictObject({ auction })
export const showRequest: z.ZodType<ShowRequest> = z.strictObject({ auction, as })
export const commandRequest: z.ZodType<AuctionCommand> = z.strictObject(command)
export const cancelRequest: z.ZodType<AuctionCommand & { readonly reason?: string }> = z.strictObject({
  ...command,
  reason: line(MAX_REASON_INPUT).exactOptional(),
})
export const extendRequest: z.ZodType<AuctionCommand & { readonly closesAt: number }> = z.strictObject({
  ...command,
  closesAt: time,
})
export const bidRequest: z.ZodType<BidRequest> = z.strictObject({
  ...command,
  kind: z.enum(['plain', 'max']),
  amount,
  brief: z.boolean().exactOptional(),
})
export const autoBidRequest: z.ZodType<{ readonly auction: string; readonly limit: string }> = z.strictObject(
  { auction, limit: amount },
)

export const openRequest: z.ZodType<OpenRequest> = z.strictObject({
  commandId: id,
  replicas,
  as,
  title: text(MAX_TITLE_INPUT),
  description: text(MAX_DESCRIPTION_INPUT).exactOptional(),
  currency: z.string().regex(/^[A-Za-z0-9]{1,10}$/, 'must be a currency code, like USD'),
  start: amount,
  reserve: amount.exactOptional(),
  increment: text(MAX_INCREMENT_INPUT).exactOptional(),
  buyNow: amount.exactOptional(),
  opensAt: time.exactOptional(),
  closesAt: time.exactOptional(),
  closesInMs: duration.exactOptional(),
  softClose: z.strictObject({ windowMs: duration, extensionMs: duration }).exactOptional(),
  hardStopAt: time.exactOptional(),
  bidderNames: z.enum(BIDDER_NAMES).exactOptional(),
})

export const listRequest: z.ZodType<ListRequest> = z.strictObject({
  as,
  seller: id.exactOptional(),
  bidder: id.exactOptional(),
  sort: z.enum(['newest', 'ending']).exactOptional(),
  statuses: z.array(z.enum(AUCTION_PHASES)).max(AUCTION_PHASES.length).exactOptional(),
  text: text(MAX_TITLE_INPUT).exactOptional(),
  cursor: text(MAX_CURSOR_LENGTH).exactOptional(),
  limit: limit.exactOptional(),
})

export const historyRequest: z.ZodType<HistoryRequest> = z.strictObject({
  as,
  auction,
  beforeSeq: z.int().nonnegative().exactOptional(),
  limit: limit.exactOptional(),
})

export const eventsRequest: z.ZodType<EventsRequest> = z.strictObject({
  auction: auction.exactOptional(),
  cursor: text(MAX_CURSOR_LENGTH).exactOptional(),
  fromSeq: z.int().nonnegative().exactOptional(),
  waitMs: z.int().min(0).max(MAX_WAIT_MS),
  limit: limit.exactOptional(),
})

/**
 * An answer of the operator's own node, whose token the caller holds: only its outline is checked, so that a node of
 * another version is noticed.
 */
export function trusted<T extends object>(...keys: readonly (keyof T & string)[]): z.ZodType<T> {
  return z.custom<T>((value) => hasKeys(value, keys), `must have ${keys.join(', ')}`)
}

export function trustedList<T extends object>(...keys: readonly (keyof T & string)[]): z.ZodType<T[]> {
  return z.array(trusted<T>(...keys))
}

export const commandResult = trusted<CommandResult>('outcome', 'auction')
export const autoBidView = trusted<AutoBidView>('autoBid', 'auction')

function hasKeys(value: unknown, keys: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && keys.every((key) => Object.hasOwn(value, key))
}
