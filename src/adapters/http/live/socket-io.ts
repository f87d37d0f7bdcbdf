import type { Server as HttpServer } from 'node:http'
import { type DefaultEventsMap, type Namespace, Server, type Socket } from 'socket.io'
import { z } from 'zod'
import type { Caller } from '../../../ports/caller.js'
import type { Clock } from '../../../ports/clock.js'
import type { Logger } from '../../../ports/logger.js'
import type { NodeApi } from '../../../ports/node-api.js'
import type { Timer, Timers } from '../../../ports/timers.js'
import type { AuctionFactsCache } from '../auction-facts.js'
import type { BidDesk } from '../bid-desk.js'
import { ANONYMOUS, allowed, type Callers } from '../callers.js'
import type { CommandIds } from '../command-ids.js'
import type { GatewayMetrics } from '../gateway-metrics.js'
import type { Guard } from '../guard.js'
import type { OriginPolicy } from '../origin-policy.js'
import { INTERNAL, type Problem, problemOf, RequestError, rejectionProblem } from '../problem.js'
import { requestIdOf } from '../request-id.js'
import { auctionResource } from '../resources.js'
import type { EventHub } from './event-hub.js'
import type { LiveMessage } from './event-messages.js'
import type { Presence } from './presence.js'

export interface GatewaySocketIoDeps {
  readonly api: NodeApi
  readonly callers: Callers
  readonly clock: Clock
  readonly commandIds: CommandIds
  readonly desk: BidDesk
  readonly facts: AuctionFactsCache
  readonly guard: Guard | null
  readonly hub: EventHub
  readonly logger: Logger
  readonly metrics: GatewayMetrics
  readonly origins: OriginPolicy
  readonly presence: Presence
  readonly timers: Timers
}

export const NAMESPACE = '/auction'
const MAX_MESSAGE_BYTES = 16 * 1024
const MAX_PENDING = 64
const MAX_ROOMS = 100
/** Messages that wait for a reader; past it the reader is too slow, and is let go. */
const MAX_WAITING = 2_000
const SLOW_CHECK_MS = 1_000

const auctionId = z.string().regex(/^[A-Za-z0-9_-]{1,96}$/, "must be an auction's id, or the start of one")
const auctionRequest = z.object({ auctionId })
const bidRequest = z.object({
  auctionId,
  amount: z.union([z.string().max(64), z.number()]).transform(String),
  kind: z.enum(['plain', 'max']).default('plain'),
  bidId: z.string().max(128).exactOptional(),
})

type State = { caller: Caller | null; address: string; leave: Map<string, () => void>; pending: number }
type AuctionSocket = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, State>
type Answer = (answer: object) => void

/** The events of Socket.IO auction clients, over the same calls as everything else. */
export class GatewaySocketIo {
  readonly #deps: GatewaySocketIoDeps
  readonly #io: Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, State>
  readonly #auctions: Namespace<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, State>
  /** One listener for each auction that somebody here has joined. */
  readonly #rooms = new Map<string, { watchers: number; close: () => void }>()
  #slowCheck: Timer | null = null
  #draining = false

  constructor(deps: GatewaySocketIoDeps) {
    this.#deps = deps
    this.#io = new Server({
      serveClient: false,
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      destroyUpgrade: false,
      cors: {
        origin: (origin, done) =>
          done(null, origin !== undefined && deps.origins.isAllowed(origin) ? origin : false),
      },
      allowRequest: (request, done) => {
        const refusal = this.#draining ? 'STOPPING' : (deps.origins.refusal(request.headers)?.code ?? null)
        done(refusal, refusal === null)
      },
    })
    this.#auctions = this.#io.of(NAMESPACE)
    this.#auctions.on('connection', (socket) => void this.#welcome(socket))
  }

  get size(): number {
    return this.#auctions.sockets.size
  }

  /** Answers what comes to /socket.io/. */
  attach(server: HttpServer): void {
    this.#io.attach(server)
    this.#checkSlowReaders()
  }

  drain(): void {
    this.#draining = true
    this.#slowCheck?.cancel()
    const reason = 'the gateway stops; reconnect and join again'
    this.#auctions.emit('connectionRejected', { code: 'STOPPING', reason })
    this.#io.disconnectSockets(true)
    this.#io.engine.close()
  }

  async #welcome(socket: AuctionSocket): Promise<void> {
    const address = socket.handshake.address
    // Requests that come before it is known who asks wait for that.
    const identified = this.#identify(socket, address)
    const on = (event: string, handle: (request: unknown, caller: Caller | null) => Promise<object>) => {
      socket.on(event, async (request: unknown, answer?: unknown) => {
        const caller = await identified
        if (caller !== undefined) await this.#handle(socket, { event, answer }, () => handle(request, caller))
      })
    }
    socket.data = { caller: null, address, leave: new Map(), pending: 0 }
    socket.once('disconnect', () => {
      for (const leave of socket.data.leave.values()) leave()
    })
    on('joinAuction', (request, caller) =>
      this.#join(socket, parse(auctionRequest, request).auctionId, caller),
    )
    on('leaveAuction', async (request) => {
      const id = parse(auctionRequest, request).auctionId
      socket.data.leave.get(id)?.()
      return { auctionId: id }
    })
    on('placeBid', (request, caller) => this.#bid(socket, parse(bidRequest, request), caller))
    on('endAuction', (request, caller) => this.#end(parse(auctionRequest, request).auctionId, caller))
    await identified
  }

  /** Undefined: refused, and on the way out. */
  async #identify(socket: AuctionSocket, address: string): Promise<Caller | null | undefined> {
    const { auth, query, headers } = socket.handshake
    const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
    try {
      const caller = await this.#deps.callers.identify({
        headers,
        userId: text(auth.user_id) ?? text(auth.userId) ?? text(query.user_id) ?? text(query.userId),
        accessToken: text(auth.token) ?? text(query.token),
      })
      const counted = await this.#deps.guard?.connection({ address, accountId: caller?.party.id })
      if (socket.disconnected) counted?.release()
      else socket.once('disconnect', () => counted?.release())
      socket.data.caller = caller
      return caller
    } catch (error) {
      const { code, detail, next } = this.#problem(error)
      socket.emit('connectionRejected', { code, reason: detail, next: next ?? null })
      socket.disconnect(true)
      return undefined
    }
  }

  async #handle(
    socket: AuctionSocket,
    { event, answer }: { event: string; answer: unknown },
    work: () => Promise<object>,
  ): Promise<void> {
    const reply: Answer = typeof answer === 'function' ? (answer as Answer) : () => {}
    try {
      if (socket.data.pending >= MAX_PENDING)
        throw new RequestError(503, 'BUSY', `${MAX_PENDING} requests wait for their answers`, {
          next: 'wait for some of them; nothing was done',
        })
      socket.data.pending += 1
      try {
        reply({ ok: true, ...(await work()) })
      } finally {
        socket.data.pending -= 1
      }
    } catch (error) {
      const { code, detail, next, command_id, minimum, price, currency } = this.#problem(error)
      const refused = {
        ...{ code, reason: detail, next: next ?? null, bidId: command_id ?? null },
        ...(minimum !== undefined && { minimum }),
        ...(price !== undefined && { price }),
        ...(currency !== undefined && { currency }),
      }
      socket.emit(event === 'placeBid' ? 'bidRejected' : 'requestRejected', { event, ...refused })
      reply({ ok: false, ...refused })
    }
  }

  async #join(socket: AuctionSocket, reference: string, caller: Caller | null): Promise<object> {
    const { api, presence } = this.#deps
    const { leave } = socket.data
    const { auctionId: id } = await api.show({ auction: reference })
    if (!leave.has(id) && !socket.disconnected) {
      if (leave.size >= MAX_ROOMS)
        throw new RequestError(
          429,
          'TOO_MANY_SUBSCRIPTIONS',
          `a connection joins ${MAX_ROOMS} auctions at most`,
          {
            next: 'leave some, or open another connection',
          },
        )
      const away = presence.join(id, caller?.party.name ?? null, null)
      this.#enter(id)
      leave.set(id, () => {
        leave.delete(id)
        away()
        this.#exit(id)
        void socket.leave(id)
      })
      await socket.join(id)
    }
    // After the room: an event between the two is told as well, with a seq that says so.
    const view = await api.show({ auction: id, as: caller?.party ?? ANONYMOUS.party })
    const state = { auctionId: id, ...auctionResource(view), watchers: presence.watchers(id) }
    socket.emit('auctionState', state)
    return { auctionId: id, seq: view.head.seq }
  }

  async #bid(
    socket: AuctionSocket,
    { auctionId: auction, amount, kind, bidId }: z.output<typeof bidRequest>,
    caller: Caller | null,
  ): Promise<object> {
    const bidder = allowed(caller, 'bid', this.#deps.callers.mode)
    await this.#deps.guard?.bid({ address: socket.data.address, accountId: bidder.party.id })
    const requestId = requestIdOf(socket.handshake.headers['x-request-id'])
    const order = { auction, kind, amount, key: bidId, keyField: 'bidId', brief: true, requestId }
    const { outcome } = await this.#deps.desk.bid('socketio', bidder, order)
    if (outcome.status === 'rejected') {
      const { currency } = (await this.#deps.facts.of(outcome.auctionId || auction)).terms
      const {
        status,
        code,
        detail,
        next,
        type: _,
        title: __,
        field: ___,
        ...more
      } = rejectionProblem(outcome, currency)
      throw new RequestError(status, code, detail, {
        ...(next !== undefined && { next }),
        more: more as NonNullable<RequestError['info']['more']>,
      })
    }
    return {
      auctionId: outcome.auctionId,
      bidId: outcome.commandId,
      seq: outcome.seq,
      leads: outcome.bid?.leads ?? true,
    }
  }

  async #end(auction: string, caller: Caller | null): Promise<object> {
    const { api, callers, commandIds, desk } = this.#deps
    const seller = allowed(caller ?? (callers.mode === 'open' ? ANONYMOUS : null), 'sell', callers.mode)
    const as = await desk.sellerFor(auction, seller)
    const commandId = commandIds.of('cmd', undefined, as)
    const { outcome } = await desk.command(auction, commandId, () => api.close({ auction, commandId, as }))
    if (outcome.status === 'accepted') return { auctionId: outcome.auctionId, seq: outcome.seq }
    const { status, code, detail, next } = rejectionProblem(outcome, null)
    throw new RequestError(status, code, detail, next === undefined ? {} : { next })
  }

  #enter(id: string): void {
    const room = this.#rooms.get(id)
    if (room) {
      room.watchers += 1
      return
    }
    const unlisten = this.#deps.hub.listen(id, (message) => this.#tell(message))
    const unpresent = this.#deps.presence.listen(id, ({ joined, left, watchers }) => {
      this.#auctions.to(id).emit('presenceDelta', { auctionId: id, joined, left, count: watchers })
    })
    const close = () => {
      unlisten()
      unpresent()
    }
    this.#rooms.set(id, { watchers: 1, close })
  }

  #exit(id: string): void {
    const room = this.#rooms.get(id)
    if (!room) return
    room.watchers -= 1
    if (room.watchers > 0) return
    room.close()
    this.#rooms.delete(id)
  }

  #tell({ auctionId: id, seq, body }: LiveMessage): void {
    const room = this.#auctions.to(id)
    const { timestamp, currency } = body
    const common = { auctionId: id, seq, timestamp, currency }
    switch (body.type) {
      case 'bid_update':
        return void room.emit('newBid', {
          ...common,
          amount: body.current_bid,
          currentBid: body.current_bid,
          currentWinner: body.current_winner,
          bidder: body.bidder.name,
          userId: body.bidder.id,
          bidId: body.bid_id,
          leads: body.leads,
          minimum: body.minimum,
        })
      case 'auction_ended':
        return void room.emit('auctionEnd', {
          ...common,
          winner: body.winner,
          winnerId: body.result.sold ? body.result.winner.id : null,
          finalPrice: body.final_price,
          sold: body.result.sold,
        })
      case 'auction_cancelled':
        return void room.emit('auctionEnd', {
          ...{ ...common, winner: null, winnerId: null, finalPrice: null, sold: false },
          reason: body.reason,
        })
      case 'auction_extended':
        return void room.emit('auctionExtended', { ...common, endTime: body.closes_at })
      case 'auction_started':
        return void room.emit('auctionStarted', common)
      case 'auction_opened':
      case 'auction_moved':
      case 'maxima_revealed':
        return
      default: {
        const unknown: never = body
        throw new Error(`unknown message ${JSON.stringify(unknown)}`)
      }
    }
  }

  #checkSlowReaders(): void {
    this.#slowCheck = this.#deps.timers.after(SLOW_CHECK_MS, () => {
      for (const socket of this.#auctions.sockets.values()) {
        const { writeBuffer } = socket.conn as unknown as { writeBuffer: readonly unknown[] }
        if (writeBuffer.length <= MAX_WAITING) continue
        this.#deps.metrics.slowReader()
        socket.disconnect(true)
      }
      if (!this.#draining) this.#checkSlowReaders()
    })
  }

  #problem(error: unknown): Problem {
    const known = problemOf(error)
    if (known) return known.problem
    this.#deps.logger.error({ err: error }, 'a Socket.IO message could not be answered')
    return INTERNAL
  }
}

function parse<T>(schema: z.ZodType<T>, request: unknown): T {
  const parsed = schema.safeParse(request)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || 'the message'
  throw new RequestError(
    400,
    'INVALID_INPUT',
    `${field}: ${issue?.message.slice(0, 200) ?? 'is not valid'}`,
    {
      field,
      next: 'send an object such as {"auctionId": "auc_...", "amount": "105.00"}',
    },
  )
}
