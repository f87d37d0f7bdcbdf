/**
 * Room `socketio`: a gateway over Socket.IO.
 *
 * Long because what each Socket.IO event does is said beside the others.
 */

import type { Server as HttpServer } from 'node:http'
import { type DefaultEventsMap, Server } from 'socket.io'
import type { z } from 'zod'
import { API_KEY_HEADER, presentedInMessage } from '../../application/gateway/authenticate.js'
import { ANONYMOUS, allowed } from '../../application/gateway/callers.js'
import type { LiveCaller } from '../../application/gateway/live-callers.js'
import { tooManySubscriptions } from '../../application/gateway/subscription-errors.js'
import { InOrder } from '../../application/turns/in-order.js'
import type { Caller } from '../../ports/accounts/caller.js'
import type { AuctionView } from '../../ports/node/node-answers.js'
import { INTERNAL, type ProblemAnswer, problemOf, RequestError, rejectionProblem } from '../http/problem.js'
import { requestIdOf } from '../http/request-id.js'
import { auctionResource } from '../http/resources.js'
import type { ServingDeps } from '../http/serving-deps.js'
import type { AuctionNamespace, AuctionSocket, SocketState } from './auction-socket.js'
import {
  auctionRequest,
  authenticateRequest,
  bare,
  bidRequest,
  endRequest,
  joinRequest,
  parse,
  refusal,
} from './socket-io-messages.js'
import { SocketIoRooms } from './socket-io-rooms.js'
import { SocketIoSessions } from './socket-io-sessions.js'
import { SocketIoSlowReaders } from './socket-io-slow-readers.js'

export const NAMESPACE = '/auction'
const MAX_MESSAGE_BYTES = 16 * 1024
const MAX_PENDING = 64
const MAX_ROOMS = 100
/** A session that has joined no namespace by then is closed. */
const JOIN_TIMEOUT_MS = 10_000

type Answer = (answer: object) => void

/** The events of Socket.IO auction clients, over the same calls as everything else. */
export class GatewaySocketIo {
  readonly #deps: ServingDeps
  readonly #io: Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketState>
  readonly #auctions: AuctionNamespace
  readonly #rooms: SocketIoRooms
  readonly #slowReaders: SocketIoSlowReaders
  readonly #sessions: SocketIoSessions
  /** Sessions that have a socket in the namespace, or are about to. */
  readonly #inside = new WeakSet<object>()

  constructor(deps: ServingDeps) {
    this.#deps = deps
    this.#sessions = new SocketIoSessions(deps)
    this.#io = new Server({
      serveClient: false,
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      destroyUpgrade: false,
      cors: {
        origin: (origin, done) => done(null, origin !== undefined && deps.origins.isAllowed(origin) ? origin : false),
      },
      connectTimeout: JOIN_TIMEOUT_MS,
      allowRequest: this.#sessions.admit,
    })
    this.#io.use((_, next) => next(namespaceError(`there is nothing to join but ${NAMESPACE}`)))
    this.#auctions = this.#io.of(NAMESPACE)
    this.#auctions.use((socket, next) => next(this.#joined(socket)))
    const { hub, movingWatch, presence, logger, metrics, timers } = deps
    this.#rooms = new SocketIoRooms({
      hub,
      movingWatch,
      presence,
      namespace: this.#auctions,
      // The transport alone: clients connect again by themselves.
      fail: (socket, error) => {
        socket.emit('connectionRejected', refusal(this.#problem(error)))
        socket.conn.close()
      },
    })
    const sockets = () => this.#auctions.sockets.values()
    this.#slowReaders = new SocketIoSlowReaders({ logger, metrics, timers, sockets })
    this.#auctions.on('connection', (socket) => void this.#welcome(socket))
  }

  get size(): number {
    return this.#auctions.sockets.size
  }

  /** Answers what comes to /socket.io/. */
  attach(server: HttpServer): void {
    this.#io.attach(server)
    this.#sessions.attach(this.#io.engine)
    this.#slowReaders.start()
  }

  /**
   * Takes no new ones; those that are there get the reason and are closed. Resolves when all have taken that: some only
   * fetch it with their next poll, or are just changing from polling to a WebSocket.
   */
  async drain(): Promise<void> {
    this.#sessions.close()
    this.#slowReaders.stop()
    const reason = 'the gateway stops; reconnect and join again'
    this.#auctions.emit('connectionRejected', { code: 'STOPPING', reason })
    this.#io.disconnectSockets(true)
    await this.#sessions.ended()
  }

  /** Cuts off whoever is left, with what waits for them. */
  close(): void {
    this.#io.engine.close()
  }

  /** A session is in the namespace once: a client could ask to join many times before it is let in. */
  #joined({ client }: AuctionSocket): Error | undefined {
    if (this.#inside.has(client)) return namespaceError(`this session has joined ${NAMESPACE} already`)
    this.#inside.add(client)
    return undefined
  }

  async #welcome(socket: AuctionSocket): Promise<void> {
    const connection = this.#sessions.of(socket.request)
    socket.data = { caller: null, connection, leave: new Map(), pending: 0, lane: new InOrder() }
    // Requests that come before it is known who asks wait for that, and those after new credentials for them.
    let identified = this.#identify(socket)
    const on = (event: string, handle: (request: unknown, caller: LiveCaller) => Promise<object>) => {
      socket.on(event, async (request: unknown, answer?: unknown) => {
        await identified
        const { caller } = socket.data
        if (caller) await this.#handle(socket, { event, answer }, () => handle(request, caller))
      })
    }
    socket.once('disconnect', () => {
      for (const leave of socket.data.leave.values()) leave()
      socket.data.caller?.leave()
      connection.become(null)
      this.#inside.delete(socket.client)
    })
    on('joinAuction', (request, caller) => this.#join(socket, parse(joinRequest, request), caller.known))
    on('authenticate', async (request, caller) => {
      const presented = parse(authenticateRequest, request)
      const authenticated = Promise.resolve(socket.data.lane.run(() => this.#authenticate(socket, presented, caller)))
      identified = authenticated.then(
        () => undefined,
        () => undefined,
      )
      return authenticated
    })
    on('leaveAuction', async (request) => {
      const id = parse(auctionRequest, request).auctionId
      socket.data.leave.get(id)?.()
      return { auctionId: id }
    })
    on('placeBid', (request, caller) => this.#bid(socket, parse(bidRequest, request), caller))
    on('endAuction', (request, caller) => this.#end(socket, parse(endRequest, request), caller))
    await identified
  }

  /** Where it fails, the connection is refused, and on the way out. */
  async #identify(socket: AuctionSocket): Promise<void> {
    const { auth, query, headers: sent } = socket.handshake
    const { connection } = socket.data
    const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
    try {
      this.#deps.guard?.callFrom(connection.address)
      const token = text(auth.token) ?? text(query.token)
      const apiKey = text(auth.apiKey) ?? text(auth.api_key)
      const headers = apiKey === undefined ? sent : { ...sent, [API_KEY_HEADER]: apiKey }
      const presented = {
        origin: { via: 'socketio', from: connection.address } as const,
        headers,
        userId: text(auth.user_id) ?? text(auth.userId) ?? text(query.user_id) ?? text(query.userId),
        ...(token !== undefined && { accessTokens: [bare(token)] }),
      }
      const caller = await this.#deps.callers.identify(presented)
      connection.become(caller)
      if (socket.disconnected) return
      socket.data.caller = this.#deps.liveCallers.watch(presented, {
        caller,
        ended: ({ code, message, next }) => socket.emit('signedOut', { code, reason: message, next: next ?? null }),
      })
    } catch (error) {
      socket.emit('connectionRejected', refusal(this.#problem(error)))
      socket.disconnect(true)
    }
  }

  async #authenticate(
    { data: { connection } }: AuctionSocket,
    { token, api_key, apiKey = api_key, user_id, userId = user_id }: z.output<typeof authenticateRequest>,
    live: LiveCaller,
  ): Promise<object> {
    const { callers } = this.#deps
    const origin = { via: 'socketio', from: connection.address } as const
    const presented = {
      origin,
      ...presentedInMessage({
        access_token: token === undefined ? undefined : bare(token),
        api_key: apiKey,
        user_id: userId,
      }),
    }
    const caller = allowed(await callers.identify(presented), 'read', callers.mode)
    connection.become(caller)
    live.become(presented, caller)
    return { user: { ...caller.party }, scopes: [...caller.scopes] }
  }

  async #handle(
    socket: AuctionSocket,
    { event, answer }: { event: string; answer: unknown },
    work: () => Promise<object>,
  ): Promise<void> {
    const reply: Answer = typeof answer === 'function' ? (answer as Answer) : () => {}
    try {
      if (socket.data.pending >= MAX_PENDING) {
        this.#deps.metrics.overfull('socketio')
        throw new RequestError(503, 'BUSY', `${MAX_PENDING} requests wait for their answers`, {
          next: 'wait for some of them; nothing was done',
        })
      }
      socket.data.pending += 1
      try {
        this.#count(socket.data, event)
        reply({ ok: true, ...(await work()) })
      } finally {
        socket.data.pending -= 1
      }
    } catch (error) {
      const answered = this.#problem(error)
      const { command_id, minimum, price, currency } = answered.problem
      const refused = {
        ...refusal(answered),
        bidId: command_id ?? null,
        ...(minimum !== undefined && { minimum }),
        ...(price !== undefined && { price }),
        ...(currency !== undefined && { currency }),
      }
      socket.emit(event === 'placeBid' ? 'bidRejected' : 'requestRejected', { event, ...refused })
      reply({ ok: false, ...refused })
    }
  }

  /** What costs as much as a request counts as one; bids have limits of their own. */
  #count({ connection, caller }: SocketState, event: string): void {
    if (event === 'placeBid') return
    this.#deps.guard?.callFrom(connection.address)
    const known = caller?.known
    if (known) this.#deps.guard?.callBy(known.party.id)
  }

  async #join(
    socket: AuctionSocket,
    { auctionId: reference, fromSeq }: z.output<typeof joinRequest>,
    caller: Caller | null,
  ): Promise<object> {
    const { bidders } = this.#deps
    const { leave, connection } = socket.data
    const found = await bidders.show(reference, caller)
    const { auctionId: id } = found
    // What it missed follows the state.
    if (fromSeq !== undefined) {
      leave.get(id)?.()
      this.#sendState(socket, found)
    }
    if (!leave.has(id) && !socket.disconnected) {
      if (leave.size >= MAX_ROOMS)
        throw tooManySubscriptions(`joins ${MAX_ROOMS} auctions`, 'leave some, or open another connection')
      const afterSeq = fromSeq === undefined ? null : Math.max(0, fromSeq - 1)
      const forget = connection.subscribe()
      const exit = this.#rooms.enter(socket, id, { afterSeq, as: bidders.watcher(caller, found) })
      leave.set(id, () => {
        leave.delete(id)
        forget()
        exit()
      })
    }
    if (fromSeq !== undefined) return { auctionId: id, seq: found.head.seq }
    // After the room: an event between the two is sent as well, with a seq that says so.
    const view = await bidders.show(id, caller)
    this.#sendState(socket, view)
    return { auctionId: id, seq: view.head.seq }
  }

  #sendState(socket: AuctionSocket, view: AuctionView): void {
    const { auctionId } = view
    const watchers = this.#deps.presence.watchers(auctionId)
    socket.emit('auctionState', { auctionId, ...auctionResource(view), watchers })
  }

  async #bid(
    socket: AuctionSocket,
    { auctionId: auction, amount, kind, bidId }: z.output<typeof bidRequest>,
    caller: LiveCaller,
  ): Promise<object> {
    const { connection, lane } = socket.data
    const admit = async () => {
      const bidder = allowed(await caller.now(), 'bid', this.#deps.callers.mode)
      this.#deps.guard?.bid({ address: connection.address, accountId: bidder.party.id })
      return bidder
    }
    const requestId = requestIdOf(socket.handshake.headers['x-request-id'])
    const bid = {
      auction,
      kind,
      amount,
      key: bidId,
      keyField: 'bidId',
      brief: true,
      requestId,
      lane,
      from: connection.address,
    }
    const { outcome } = await this.#deps.desk.bid('socketio', admit, bid)
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

  async #end(
    { data: { connection, lane } }: AuctionSocket,
    { auctionId: auction, commandId: key }: z.output<typeof endRequest>,
    caller: LiveCaller,
  ): Promise<object> {
    const { api, callers, calls, commandIds, desk } = this.#deps
    const admit = async () => {
      const known = (await caller.now()) ?? (callers.mode === 'open' ? ANONYMOUS : null)
      const seller = allowed(known, 'sell', callers.mode)
      const as = await desk.sellerFor(auction, seller)
      const commandId = commandIds.of('cmd', key, seller.party, 'commandId')
      return { commandId, call: () => api.close({ auction, commandId, as, lane }) }
    }
    const call = { via: 'socketio', address: connection.address, caller: caller.known } as const
    const end = () => desk.command(auction, admit, lane)
    const { outcome } = await calls.recorded('auction.close', call, { auction }, end)
    if (outcome.status === 'accepted') return { auctionId: outcome.auctionId, seq: outcome.seq }
    const { status, code, detail, next } = rejectionProblem(outcome, null)
    throw new RequestError(status, code, detail, next === undefined ? {} : { next })
  }

  #problem(error: unknown): ProblemAnswer {
    const known = problemOf(error)
    if (known) return known
    this.#deps.logger.error({ err: error }, 'a Socket.IO message could not be answered')
    return { problem: INTERNAL, retryAfterSeconds: null }
  }
}

/** Clients hear it as `connect_error`. */
function namespaceError(message: string): Error {
  return Object.assign(new Error(message), { data: { code: 'NAMESPACE', next: `join ${NAMESPACE}, once` } })
}
