import { z } from 'zod'
import type { LiveMessage } from '../../application/gateway/live-message.js'
import { amountIn, auctionReference as auctionId, clientKey, length } from '../../application/log/input-schemas.js'
import { type ProblemAnswer, RequestError } from '../http/problem.js'

/** What Socket.IO clients send and hear. */

export const auctionRequest = z.object({ auctionId })
/** `fromSeq`: sends what happened from there on, as to a client that comes back. */
export const joinRequest = z.object({ auctionId, fromSeq: length.exactOptional() })
export const bidRequest = z.object({
  auctionId,
  amount: amountIn,
  kind: z.enum(['plain', 'max']).default('plain'),
  bidId: clientKey.exactOptional(),
})
/** `commandId`: the client's own; the same one again ends nothing twice, and gets the first answer. */
export const endRequest = z.object({ auctionId, commandId: clientKey.exactOptional() })

const secret = z.string().max(4_096).exactOptional()
const who = { user_id: z.string().max(256).exactOptional(), userId: z.string().max(256).exactOptional() }
/** Of `authenticate`, and of the handshake's `auth`. An API key does as `token` too. */
export const authenticateRequest = z.object({ token: secret, apiKey: secret, api_key: secret, ...who })

/** What the members of an auction's room get; null for events that these clients do not know. */
export function socketIoEvent({
  auctionId: id,
  seq,
  body,
}: LiveMessage): { readonly event: string; readonly data: object } | null {
  const { timestamp, currency } = body
  const common = { auctionId: id, seq, timestamp, currency }
  switch (body.type) {
    case 'bid_placed':
      return message('newBid', {
        ...common,
        amount: body.price,
        currentBid: body.price,
        currentWinner: body.leader.name,
        bidder: body.bidder.name,
        userId: body.bidder.id,
        bidId: body.bid_id,
        leads: body.leads,
        minimum: body.minimum,
      })
    case 'auction_closed': {
      const { result } = body
      return message('auctionEnd', {
        ...common,
        winner: result.sold ? result.winner.name : null,
        winnerId: result.sold ? result.winner.id : null,
        finalPrice: result.sold ? result.price : null,
        sold: result.sold,
      })
    }
    case 'auction_cancelled':
      return message('auctionEnd', {
        ...common,
        winner: null,
        winnerId: null,
        finalPrice: null,
        sold: false,
        reason: body.reason,
      })
    case 'auction_extended':
      return message('auctionExtended', { ...common, endTime: body.closes_at })
    case 'auction_started':
      return message('auctionStarted', common)
    case 'auction_opened':
    case 'auction_moved':
    case 'maxima_lost':
    case 'maxima_revealed':
      return null
    default: {
      const unknown: never = body
      throw new Error(`unknown message ${JSON.stringify(unknown)}`)
    }
  }
}

function message(event: string, data: object) {
  return { event, data }
}

/** Programs that know tokens as a header send them with its first word. */
export function bare(token: string): string {
  return token.replace(/^Bearer +/i, '')
}

/** Of a refusal, what all of them say. */
export function refusal({ problem: { code, detail, next, limit }, retryAfterSeconds }: ProblemAnswer) {
  return {
    code,
    reason: detail,
    next: next ?? null,
    ...(limit !== undefined && { limit }),
    ...(retryAfterSeconds !== null && { retryAfterMs: retryAfterSeconds * 1_000 }),
  }
}

export function parse<T>(schema: z.ZodType<T>, request: unknown): T {
  const parsed = schema.safeParse(request)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || 'the message'
  throw new RequestError(400, 'INVALID_INPUT', `${field}: ${issue?.message.slice(0, 200) ?? 'is not valid'}`, {
    field,
    next: 'send an object such as {"auctionId": "auc_...", "amount": "105.00"}',
  })
}
