import type { RawData } from 'ws'
import { jsonTime } from '../../application/gateway/json-shapes.js'
import { type ClientMessage, clientMessage, type ReplyMessage, soundBid } from '../../application/gateway/messages.js'
import type { Currency } from '../../domain/currency.js'
import { formatAmount } from '../../domain/money.js'
import type { Accepted } from '../../ports/store/outcome-repository.js'
import { type ProblemAnswer, RequestError } from '../http/problem.js'

export type Frame =
  | { readonly value: ClientMessage }
  | { readonly problem: { readonly field: string | null; readonly rule: string } }

const MAX_RULE_LENGTH = 200

/** Null for what is no JSON. */
export function parseFrame(data: RawData): Frame | null {
  let json: unknown
  try {
    json = JSON.parse(textOf(data))
  } catch {
    return null
  }
  const bid = soundBid(json)
  if (bid !== null) return { value: bid }
  const parsed = clientMessage.safeParse(json)
  if (parsed.success) return { value: parsed.data }
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || null
  return { problem: { field, rule: issue?.message.slice(0, MAX_RULE_LENGTH) ?? 'is not valid' } }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString()
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString()
}

export interface AcceptedBid {
  /** The client's own id for it. */
  readonly key: string | null
  readonly currency: Currency
  /** Made or checked here: never anything that JSON would escape. */
  readonly requestId: string
}

/**
 * To the bidder: the bid stands. As ASCII JSON: of all messages that are made for one reader alone these are the most,
 * and put together by hand they cost half.
 */
export function acceptedText(
  { commandId, auctionId, seq, at, bid }: Accepted,
  { key, currency, requestId }: AcceptedBid,
): string {
  const bidId = quoted(commandId)
  const clientId = key === commandId ? bidId : key === null ? 'null' : quoted(key)
  return (
    `{"type":"bid_accepted","auction_id":${quoted(auctionId)},"bid_id":${bidId},` +
    `"client_id":${clientId},"request_id":"${requestId}","seq":${seq},` +
    `"timestamp":"${jsonTime(at)}","leads":${bid?.leads ?? true},` +
    `"current_bid":"${bid ? formatAmount(bid.price, currency) : ''}","reserve_met":${bid?.reserveMet ?? true},` +
    `"currency":${quoted(currency.code)}}`
  )
}

const AS_IT_IS = /^[\w.:-]*$/
const BEYOND_ASCII = /[\u0080-\uffff]/g

function quoted(text: string): string {
  if (AS_IT_IS.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** To the bidder: nothing was done, or it is not known what was. */
export function refusedMessage(
  { problem, retryAfterSeconds }: ProblemAnswer,
  { auction, key, now, requestId }: { auction: string; key: string | null; now: string; requestId: string },
): ReplyMessage {
  const { code, detail, next, command_id, minimum, price, currency, at } = problem
  const money = (value: unknown) => (typeof value === 'string' ? value : null)
  return {
    type: code === 'OUTCOME_UNKNOWN' ? 'bid_unknown' : 'bid_rejected',
    auction_id: auction,
    bid_id: typeof command_id === 'string' ? command_id : null,
    client_id: key,
    request_id: requestId,
    timestamp: typeof at === 'string' ? at : now,
    code,
    reason: detail,
    next: next ?? null,
    ...(minimum !== undefined && { minimum: money(minimum) }),
    ...(price !== undefined && { price: money(price) }),
    ...(typeof currency === 'string' && { currency }),
    ...limitOf({ problem, retryAfterSeconds }),
  }
}

/** To who asked: a message that could not be used, or not now. */
export function errorMessage({ problem, retryAfterSeconds }: ProblemAnswer): ReplyMessage {
  const { code, detail, field, next } = problem
  return {
    type: 'error',
    code,
    message: detail,
    field: field ?? null,
    next: next ?? null,
    ...limitOf({ problem, retryAfterSeconds }),
  }
}

function limitOf({ problem, retryAfterSeconds }: ProblemAnswer): { limit?: string; retry_after_ms?: number } {
  return {
    ...(typeof problem.limit === 'string' && { limit: problem.limit }),
    ...(retryAfterSeconds !== null && { retry_after_ms: retryAfterSeconds * 1_000 }),
  }
}

/** The bids of one connection that wait for their answers. */
export function tooManyPending(most: number): RequestError {
  return new RequestError(503, 'BUSY', `${most} bids of this connection wait for their answers`, {
    next: 'wait for some of them; nothing was done',
  })
}

export function noAuction(): RequestError {
  return new RequestError(400, 'INVALID_INPUT', 'it is not said on which auction', {
    field: 'auction_id',
    next: 'add auction_id, or connect to /ws/auction/{id}',
  })
}
