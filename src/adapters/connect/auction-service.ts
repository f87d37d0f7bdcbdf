import { create, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import type { z } from 'zod'
import {
  type AuctionService,
  type StreamEventsRequest,
  type StreamEventsResponse,
  StreamEventsResponseSchema,
} from '../../../gen/vendue/v1/auctions_pb.js'
import { extendTerms, listTerms, newEndOf, openRequest, openTerms } from '../../application/gateway/auction-requests.js'
import { CountedConnection } from '../../application/gateway/counted-connection.js'
import { GatewayRefusal } from '../../application/gateway/gateway-refusal.js'
import type { LiveMessage } from '../../application/gateway/live-message.js'
import { readFeedCursor } from '../../application/log/feed-cursor.js'
import { auctionReference, length, pageSize, reasonIn } from '../../application/log/input-schemas.js'
import { invalidInput } from '../../application/log/invalid-input.js'
import { exportLines, readLog } from '../../application/proof/read-log.js'
import type { CommandResult } from '../../ports/node/node-answers.js'
import type { ServingDeps } from '../http/serving-deps.js'
import type { EventQueues } from './event-queues.js'
import { callIn } from './rpc-call.js'
import {
  auctionMessage,
  bidMessage,
  given,
  orNone,
  outcomeMessage,
  secondsOf,
  termsOf,
  timeOf,
  wordOf,
} from './rpc-messages.js'

export interface AuctionServiceDeps extends ServingDeps {
  readonly queues: EventQueues
}

/** Bytes of an export in one message. */
const EXPORT_PIECE_BYTES = 64 * 1024

/** The service that proto/vendue/v1/auctions.proto describes. */
export function auctionService(
  deps: AuctionServiceDeps,
  { defaultCurrency }: { readonly defaultCurrency: string },
): ServiceImpl<typeof AuctionService> {
  const { calls } = deps
  const outcome = async (result: Promise<CommandResult>) => ({ outcome: outcomeMessage(await result) })
  return {
    async openAuction(request, context) {
      const terms = openRequest(parsed(openTerms, termsOf(request)), defaultCurrency)
      const result = await calls.open(callIn(context, request.idempotencyKey), terms)
      const { commandId } = outcomeMessage(result)
      return { commandId, ...(result.auction && { auction: auctionMessage(result.auction) }) }
    },

    async getAuction({ auctionId }, context) {
      return { auction: auctionMessage(await calls.show(callIn(context), idOf(auctionId))) }
    },

    async listAuctions(request, context) {
      const { statuses, text, seller, bidder, order, pageSize: limit, pageToken } = request
      const terms = given({
        status: statuses.length === 0 ? undefined : statuses,
        q: orNone(text),
        seller: orNone(seller),
        bidder: orNone(bidder),
        sort: wordOf(order, ['newest', 'ending'], 'order'),
        limit: limit === 0 ? undefined : limit,
        cursor: orNone(pageToken),
      })
      const { auctions, next } = await calls.list(callIn(context), parsed(listTerms, terms))
      return { auctions: auctions.map(auctionMessage), nextPageToken: next ?? '' }
    },

    async placeBid({ auctionId, amount, kind, idempotencyKey }, context) {
      const auction = idOf(auctionId)
      const word = wordOf(kind, ['plain', 'max'], 'kind') ?? 'plain'
      const bid = { auction, kind: word, amount, brief: true } as const
      const result = await calls.bid(callIn(context, idempotencyKey), bid)
      // The answer leaves the auction out: it would cost more than all the rest.
      const { terms } = await deps.facts.of(auction)
      return { outcome: outcomeMessage(result, terms.currency) }
    },

    buyNow({ auctionId, idempotencyKey }, context) {
      const bid = { auction: idOf(auctionId), kind: 'buy-now' } as const
      return outcome(calls.bid(callIn(context, idempotencyKey), bid))
    },

    closeAuction({ auctionId, idempotencyKey }, context) {
      return outcome(calls.close(callIn(context, idempotencyKey), idOf(auctionId)))
    },

    cancelAuction({ auctionId, reason, idempotencyKey }, context) {
      const said = reason === '' ? undefined : parsed(reasonIn, reason)
      return outcome(calls.cancel(callIn(context, idempotencyKey), idOf(auctionId), said))
    },

    extendAuction({ auctionId, end, idempotencyKey }, context) {
      const terms = given({
        closes_at: end.case === 'closesAt' ? timeOf(end.value, 'closes_at') : undefined,
        by_seconds: end.case === 'by' ? secondsOf(end.value) : undefined,
      })
      const newEnd = newEndOf(parsed(extendTerms, terms))
      return outcome(calls.extend(callIn(context, idempotencyKey), idOf(auctionId), newEnd))
    },

    async listBids({ auctionId, beforeSeq, pageSize: limit }, context) {
      const page = {
        beforeSeq: beforeSeq === undefined ? undefined : parsed(length, Number(beforeSeq)),
        limit: limit === 0 ? undefined : parsed(pageSize, limit),
      }
      const { auction, bids, next } = await calls.bids(callIn(context), idOf(auctionId), page)
      const { currency } = auction.state.terms
      return {
        bids: bids.map((bid) => bidMessage(bid, currency)),
        ...(next !== null && { nextBeforeSeq: BigInt(next) }),
      }
    },

    async *exportAuction({ auctionId }, context) {
      const { address, caller } = callIn(context)
      const { auctionId: id } = await deps.api.show({ auction: idOf(auctionId) })
      const download = deps.guard?.hold('downloads', { address, accountId: caller?.party.id })
      download?.add(1)
      try {
        yield* piecesOf(exportLines(readLog(deps.api, id)), context.signal)
      } finally {
        download?.release()
      }
    },

    streamEvents: (request, context) => streamEvents(deps, request, context),
  }
}

/** Checked as over HTTP. */
function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw invalidInput(result.error)
}

function idOf(auctionId: string): string {
  const result = auctionReference.safeParse(auctionId)
  if (result.success) return result.data
  throw new GatewayRefusal('INVALID_INPUT', "auction_id must be an auction's id, or the start of one", {
    field: 'auction_id',
    next: 'give the id that OpenAuction or ListAuctions returned',
  })
}

async function* piecesOf(lines: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<{ data: Uint8Array }> {
  let waiting: Buffer[] = []
  let bytes = 0
  for await (const line of lines) {
    signal.throwIfAborted()
    const data = Buffer.from(line)
    waiting.push(data)
    bytes += data.length
    if (bytes < EXPORT_PIECE_BYTES) continue
    const whole = Buffer.concat(waiting)
    for (let at = 0; at < whole.length; at += EXPORT_PIECE_BYTES)
      yield { data: whole.subarray(at, at + EXPORT_PIECE_BYTES) }
    waiting = []
    bytes = 0
  }
  if (bytes > 0) yield { data: Buffer.concat(waiting) }
}

type EventInit = MessageInitShape<typeof StreamEventsResponseSchema>

async function* streamEvents(
  deps: AuctionServiceDeps,
  { auctionId, fromSeq, cursor, mode }: StreamEventsRequest,
  context: HandlerContext,
): AsyncGenerator<EventInit> {
  const { caller, address, presented } = callIn(context)
  const pace = wordOf(mode, ['all', 'newest'], 'mode') ?? 'all'
  const place = auctionId === '' ? catalogueFrom(cursor) : await placeIn(deps, auctionId, fromSeq)
  const connection = new CountedConnection(deps.guard, address, caller)
  try {
    connection.subscribe()
    const events = deps.queues.open(place, { mode: pace, caller, presented, signal: context.signal })
    for await (const message of events) yield eventMessage(message)
  } finally {
    connection.release()
  }
}

async function placeIn({ api }: Pick<ServingDeps, 'api'>, auction: string, fromSeq: bigint | undefined) {
  const { auctionId, head } = await api.show({ auction: idOf(auction) })
  const from = fromSeq === undefined ? undefined : parsed(length, Number(fromSeq))
  return { auctionId, afterSeq: from === undefined ? head.seq : Math.max(0, from - 1) }
}

function catalogueFrom(cursor: string) {
  if (cursor === '' || readFeedCursor(cursor) !== null)
    return { auctionId: null, cursor: cursor === '' ? null : cursor }
  throw new GatewayRefusal('INVALID_INPUT', 'cursor must be one that a stream returned', {
    field: 'cursor',
    next: 'leave it out to hear what happens from now on',
  })
}

const messages = new WeakMap<LiveMessage, StreamEventsResponse>()

/** Made once, for any number of subscribers. */
function eventMessage(message: LiveMessage): StreamEventsResponse {
  const known = messages.get(message)
  if (known !== undefined) return known
  const { auctionId, seq, cursor, type } = message
  const data = JSON.parse(message.text) as JsonObject
  const made = create(StreamEventsResponseSchema, { auctionId, seq: BigInt(seq), cursor: cursor ?? '', type, data })
  messages.set(message, made)
  return made
}
