import { create, fromJson, type JsonValue } from '@bufbuild/protobuf'
import { type Duration, type Timestamp, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt'
import {
  type Auction,
  AuctionSchema,
  type Bid,
  BidSchema,
  type OpenAuctionRequest,
  type Outcome,
  OutcomeSchema,
} from '../../../gen/vendue/v1/auctions_pb.js'
import { GatewayRefusal } from '../../application/gateway/gateway-refusal.js'
import { bidJson } from '../../application/gateway/json-shapes.js'
import { timeText } from '../../application/log/time-text.js'
import type { Currency } from '../../domain/currency.js'
import { MAX_TIME } from '../../domain/limits.js'
import { formatAmount } from '../../domain/money.js'
import type { AuctionView, CommandResult } from '../../ports/node/node-answers.js'
import type { BidRecord } from '../../ports/store/auction-repository.js'
import { RequestError, rejectionProblem } from '../http/problem.js'
import { auctionResource } from '../http/resources.js'

/* Between messages and what the gateway takes and gives: nothing is checked here that is checked there. */

const LENIENT = { ignoreUnknownFields: true } as const

/** As over HTTP; fields that the message does not have are left out. */
export function auctionMessage(view: AuctionView): Auction {
  return fromJson(AuctionSchema, auctionResource(view) as unknown as JsonValue, LENIENT)
}

export function bidMessage(bid: BidRecord, currency: Currency): Bid {
  return fromJson(BidSchema, bidJson(bid, currency) as unknown as JsonValue, LENIENT)
}

/** The result of an accepted command; throws for a refused one. Written by hand because bids are frequent. */
export function outcomeMessage({ outcome, auction }: CommandResult, known?: Currency | null): Outcome {
  const currency = auction?.state.terms.currency ?? known ?? null
  if (outcome.status === 'rejected') throw refused(outcome, currency)
  const { commandId, auctionId, at, seq, bid } = outcome
  return create(OutcomeSchema, {
    commandId,
    auctionId,
    at: timestampFromMs(at),
    seq: BigInt(seq),
    currency: currency?.code ?? '',
    ...(bid && { leads: bid.leads, reserveMet: bid.reserveMet }),
    ...(bid && currency && { price: formatAmount(bid.price, currency) }),
  })
}

function refused(outcome: Parameters<typeof rejectionProblem>[0], currency: Currency | null): RequestError {
  const { type: _, title: __, status, detail, code, field, next, ...more } = rejectionProblem(outcome, currency)
  const data = Object.entries(more).filter((entry): entry is [string, NonNullable<(typeof entry)[1]>] => {
    return entry[1] !== undefined
  })
  return new RequestError(status, code, detail, {
    ...(field !== undefined && { field }),
    ...(next !== undefined && { next }),
    more: Object.fromEntries(data),
  })
}

/** The terms as `openTerms` reads them; an empty field counts as not given. */
export function termsOf(request: OpenAuctionRequest): Readonly<Record<string, unknown>> {
  const { softClose, closesIn, pictures } = request
  return given({
    title: orNone(request.title),
    description: orNone(request.description),
    currency: orNone(request.currency),
    start_price: orNone(request.startPrice),
    reserve: request.reserve,
    increment: request.increment,
    buy_now: request.buyNow,
    opens_at: timeOf(request.opensAt, 'opens_at'),
    closes_at: timeOf(request.closesAt, 'closes_at'),
    closes_in_seconds: closesIn && secondsOf(closesIn),
    soft_close: softClose && {
      window_ms: Number(softClose.windowMs),
      extension_ms: Number(softClose.extensionMs),
      ...given({ hard_stop_at: timeOf(softClose.hardStopAt, 'soft_close.hard_stop_at') }),
    },
    bidder_names: request.bidderNames,
    gives_time_back: request.givesTimeBack,
    pictures: pictures.length === 0 ? undefined : pictures.map(({ hash, alt }) => ({ hash, alt })),
  })
}

/** Without undefined fields. */
export function given(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** proto3 sends no empty texts. */
export function orNone(text: string): string | undefined {
  return text === '' ? undefined : text
}

export function timeOf(time: Timestamp | undefined, field: string): string | undefined {
  if (time === undefined) return undefined
  const ms = timestampMs(time)
  if (ms >= 0 && ms <= MAX_TIME && time.nanos >= 0 && time.nanos < 1e9) return timeText(Math.floor(ms))
  throw new GatewayRefusal('INVALID_INPUT', `${field} must be a time from 1970 to 9999`, {
    field,
    next: 'correct it and send the request again',
  })
}

export function secondsOf({ seconds, nanos }: Duration): number {
  return Number(seconds) + nanos / 1e9
}

/** The word for a value of an enum; undefined for its zero. */
export function wordOf<T extends string>(value: number, words: readonly T[], field: string): T | undefined {
  if (value === 0) return undefined
  const word = words[value - 1]
  if (word !== undefined) return word
  throw new GatewayRefusal('INVALID_INPUT', `${field} has no value ${value}`, {
    field,
    next: `give one of 1 to ${words.length}: ${words.join(', ')}`,
  })
}
