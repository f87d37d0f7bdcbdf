import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CountedConnection } from '../../../application/gateway/counted-connection.js'
import { readFeedCursor } from '../../../application/log/feed-cursor.js'
import { auctionReference, length } from '../../../application/log/input-schemas.js'
import { type EventStreams, STREAM_HEADERS } from '../event-streams.js'
import { RequestError } from '../problem.js'
import { type GatewayApp, problems, type RouteDeps, whoQuery } from './route.js'

const query = z.strictObject({
  ...whoQuery,
  auction: auctionReference.exactOptional(),
  from_seq: z.coerce.number().pipe(length).exactOptional(),
  cursor: z.string().max(128).exactOptional(),
  mode: z.enum(['all', 'newest']).default('all'),
})

/** Server-sent events, for those who only listen. */
export function eventRoutes(app: GatewayApp, deps: RouteDeps & { readonly streams: EventStreams }): void {
  app.get(
    '/api/v1/events',
    {
      schema: {
        tags: ['live'],
        summary: 'Events as they happen, of one auction or of all',
        description:
          'The messages of the WebSocket API, as server-sent events. A browser that reconnects goes on where it was, by Last-Event-ID.',
        querystring: query,
        response: {
          200: { description: 'A stream', content: { 'text/event-stream': { schema: z.string() } } },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { auction, mode } = request.query
      const last = lastEventId(request)
      const { streams } = deps
      if (auction === undefined) {
        const cursor = last ?? request.query.cursor ?? null
        if (cursor !== null && readFeedCursor(cursor) === null) throw invalid('cursor')
        return open(request, reply, { auctionId: null, cursor, mode })
      }
      if (last !== undefined && !/^\d{1,15}$/.test(last)) throw invalid('Last-Event-ID')
      const { auctionId, head } = await deps.api.show({ auction })
      const from = request.query.from_seq
      const asked = from === undefined ? head.seq : Math.max(0, from - 1)
      const afterSeq = last === undefined ? asked : Number(last)
      return open(request, reply, { auctionId, afterSeq, mode })

      async function open(
        { address, caller, method, raw, headers: sent }: FastifyRequest,
        answer: FastifyReply,
        place: Parameters<EventStreams['open']>[1],
      ) {
        // The headers of a stream are known without starting one.
        if (method === 'HEAD') return answer.headers(STREAM_HEADERS).send()
        const connection = new CountedConnection(deps.guard, address, caller)
        if (raw.destroyed) return connection.release()
        try {
          connection.subscribe()
        } catch (refusal) {
          connection.release()
          throw refusal
        }
        answer.hijack()
        const headers = answer.getHeaders() as OutgoingHttpHeaders
        const { access_token, user_id } = request.query
        const presented = {
          headers: sent,
          userId: user_id,
          accessTokens: access_token === undefined ? [] : [access_token],
        }
        streams.open({ response: answer.raw, headers, presented, caller, onEnd: connection.leave }, place)
      }
    },
  )
}

function lastEventId({ headers }: FastifyRequest): string | undefined {
  const last = headers['last-event-id']
  return typeof last === 'string' && last !== '' ? last : undefined
}

function invalid(field: string): RequestError {
  return new RequestError(400, 'INVALID_INPUT', `${field} is not one that this stream gave`, {
    field,
    next: 'leave it out to hear what happens from now on',
  })
}
