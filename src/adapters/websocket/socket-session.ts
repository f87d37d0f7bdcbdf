import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawData, WebSocket } from 'ws'
import { type Presented, presentedInMessage } from '../../application/gateway/authenticate.js'
import { allowed } from '../../application/gateway/callers.js'
import { Conflator } from '../../application/gateway/conflator.js'
import type { CountedConnection } from '../../application/gateway/counted-connection.js'
import type { LiveCaller } from '../../application/gateway/live-callers.js'
import type { LiveMessage } from '../../application/gateway/live-message.js'
import {
  type ClientMessage,
  MAX_SUBSCRIPTIONS,
  type ReplyMessage,
} from '../../application/gateway/messages.js'
import { Watcher } from '../../application/gateway/presence.js'
import {
  AuctionSubscription,
  CatalogueSubscription,
  isCatalogueCursor,
} from '../../application/gateway/subscription.js'
import {
  badCursor,
  nothingToHear,
  tooManySubscriptions,
} from '../../application/gateway/subscription-errors.js'
import { timeText } from '../../application/log/time-text.js'
import { InOrder } from '../../application/turns/in-order.js'
import type { AmountInput } from '../../domain/money.js'
import type { Caller } from '../../ports/accounts/caller.js'
import { INTERNAL, type ProblemAnswer, problemOf, rejectionProblem } from '../http/problem.js'
import { auctionResource } from '../http/resources.js'
import { CLOSE } from './close-codes.js'
import { type EventFrames, PATH_FRAMES, PUBLIC_FRAMES } from './event-frames.js'
import {
  acceptedText,
  errorMessage,
  noAuction,
  parseFrame,
  refusedMessage,
  tooManyPending,
} from './socket-frames.js'
import type { SocketSessionDeps } from './socket-session-deps.js'
import { asciiFrame, type Outlet, textFrame } from './socket-writer.js'

export const PING_INTERVAL_MS = 25_000
/** Bytes that wait for a reader; past it the reader is too slow, and is let go. */
export const MAX_BUFFERED_BYTES = 1024 * 1024
/** A replay goes on below this. */
const REPLAY_BUFFERED_BYTES = 64 * 1024
const REPLAY_POLL_MS = 10
/** Bids of one connection that wait for their answer. */
const MAX_PENDING = 256
/** Messages that could not be used, before the connection is closed. */
const MAX_MISTAKES = 100
/** How long a slow reader gets to take its goodbye. */
const GOODBYE_MS = 2_000

type Place = { auction: string; mode: 'all' | 'newest'; fromSeq: number | undefined; presence: boolean }

type RefusedBid = { auction: string; key: string | null | undefined; requestId: string }
type BidMessage = Extract<ClientMessage, { type: 'place_bid' | 'buy_now' }>

interface Subscribed {
  readonly close: () => void
  /** Tells the other watchers who this is now. */
  readonly enter?: () => void
}

/** One WebSocket connection: what it hears, and what it asks. */
export class SocketSession {
  readonly #deps: SocketSessionDeps
  readonly #socket: WebSocket
  readonly #caller: LiveCaller
  readonly #connection: CountedConnection
  readonly #conflator: Conflator
  /** The auction of the path; its whole id once it is known. */
  #auction: string | null
  readonly #frames: EventFrames
  readonly #subscriptions = new Map<string, Subscribed>()
  /** The connection's; its bids' are made of it. */
  readonly #requestId: string
  #bids = 0
  readonly #outlet: Outlet
  #pending = 0
  #mistakes = 0
  #closing = false
  #alive = true
  /** Bids, and the credentials that they are made with, in the order in which they come. */
  readonly #lane = new InOrder()
  /** New credentials that are being checked: what comes after them is asked with them. */
  #authenticating: Promise<unknown> | null = null

  constructor(
    deps: SocketSessionDeps,
    options: {
      socket: WebSocket
      /** What the WebSocket writes to. */
      raw: Duplex
      presented: Presented
      caller: Caller | null
      connection: CountedConnection
      auction: string | null
      requestId: string
    },
  ) {
    this.#deps = deps
    this.#socket = options.socket
    this.#connection = options.connection
    this.#caller = deps.liveCallers.watch(options.presented, {
      caller: options.caller,
      ended: ({ code, message, next }) =>
        this.#reply({ type: 'signed_out', code, reason: message, next: next ?? null }),
    })
    this.#auction = options.auction
    this.#frames = options.auction === null ? PUBLIC_FRAMES : PATH_FRAMES
    this.#requestId = options.requestId
    this.#conflator = new Conflator(deps)
    const { socket, raw } = options
    this.#outlet = { raw, frames: [] }
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('pong', () => {
      this.#alive = true
    })
    socket.on('close', () => this.#end())
    // ws closes the connection by itself, with the code that says why.
    socket.on('error', (error) => deps.logger.debug({ err: error }, 'a WebSocket failed'))
  }

  greet(): void {
    const { callers, clock } = this.#deps
    this.#reply({
      type: 'welcome',
      server_time: timeText(clock.now()),
      user: this.#caller.known && { ...this.#caller.known.party },
      auth: callers.mode,
      ping_interval_ms: PING_INTERVAL_MS,
    })
  }

  /** Of the path: where it fails the connection ends. */
  async watch(place: Place): Promise<void> {
    try {
      this.#auction = await this.#subscribe(place)
    } catch (error) {
      const answer = this.#problem(error)
      const { problem } = answer
      this.#reply(errorMessage(answer))
      this.close(problem.status === 404 ? CLOSE.notFound : CLOSE.policy, problem.code, problem.detail)
    }
  }

  /** Called at each ping interval; ends a connection that has been silent for a whole one. */
  beat(): void {
    if (!this.#alive) this.#socket.terminate()
    else this.#socket.ping()
    this.#alive = false
  }

  close(code: number, name: string, reason: string, retryAfterMs: number | null = null): void {
    if (this.#closing) return
    const goodbye: ReplyMessage = { type: 'goodbye', code: name, reason, retry_after_ms: retryAfterMs }
    this.#deps.writer.empty(this.#outlet)
    this.#socket.send(JSON.stringify(goodbye))
    this.#closing = true
    this.#end()
    this.#socket.close(code, name)
    this.#deps.timers.after(GOODBYE_MS, () => this.#socket.terminate())
  }

  #end(): void {
    this.#closing = true
    this.#caller.leave()
    this.#conflator.stop()
    for (const subscription of this.#subscriptions.values()) subscription.close()
    this.#subscriptions.clear()
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#alive = true
    if (this.#closing) return
    const startedMs = performance.now()
    const message = isBinary ? null : parseFrame(data)
    this.#deps.metrics.parse.observe((performance.now() - startedMs) / 1_000)
    if (message === null || 'problem' in message) {
      const problem = message?.problem ?? { field: null, rule: 'must be JSON text' }
      this.#mistake(problem.rule, problem.field)
      return
    }
    const asked = message.value
    const answered =
      asked.type === 'place_bid'
        ? this.#bid(asked, asked.kind, asked.amount)
        : asked.type === 'buy_now'
          ? this.#bid(asked, 'buy-now')
          : this.#answer(asked)
    answered.catch(this.#unanswered)
  }

  readonly #unanswered = (error: unknown) => this.#reply(errorMessage(this.#problem(error)))

  async #answer(message: Exclude<ClientMessage, BidMessage>): Promise<void> {
    switch (message.type) {
      case 'ping': {
        const now = timeText(this.#deps.clock.now())
        return this.#reply({ type: 'pong', server_time: now, timestamp: now, id: message.id ?? null })
      }
      case 'subscribe': {
        const { auction_id, auction_ids = [], catalogue, from_seq, mode, presence, cursor, since } = message
        const auctions = auction_id === undefined ? auction_ids : [auction_id, ...auction_ids]
        if (this.#authenticating !== null) await this.#authenticating.catch(() => undefined)
        this.#count(Math.max(1, auctions.length))
        if (catalogue) this.#subscribeAll(mode, cursor ?? null, since)
        else if (auctions.length === 0) throw nothingToHear()
        for (const auction of auctions) await this.#subscribe({ auction, mode, presence, fromSeq: from_seq })
        return
      }
      case 'unsubscribe':
        return this.#unsubscribe(message.catalogue ? null : (message.auction_id ?? this.#auction))
      case 'authenticate': {
        const presented = presentedInMessage(message)
        const authenticated = this.#lane.run(() => this.#authenticate(presented))
        const authenticating = Promise.resolve(authenticated).finally(() => {
          if (this.#authenticating === authenticating) this.#authenticating = null
        })
        this.#authenticating = authenticating
        return authenticating
      }
      default: {
        const unknown: never = message
        throw new Error(`unknown message ${JSON.stringify(unknown)}`)
      }
    }
  }

  async #authenticate(presented: Presented): Promise<void> {
    this.#deps.guard?.callFrom(this.#connection.address)
    const caller = allowed(await this.#deps.callers.identify(presented), 'read', this.#deps.callers.mode)
    this.#connection.become(caller)
    this.#caller.become(presented, caller)
    for (const { enter } of this.#subscriptions.values()) enter?.()
    this.#reply({ type: 'authenticated', user: { ...caller.party }, scopes: [...caller.scopes] })
  }

  /** What costs as much as a request counts as one. */
  #count(calls: number): void {
    const { guard } = this.#deps
    guard?.callFrom(this.#connection.address, calls)
    const { known } = this.#caller
    if (known) guard?.callBy(known.party.id, calls)
  }

  /** Who bids, as of now, if they may. */
  readonly #admit = (): Caller | Promise<Caller> => {
    const { certain, known } = this.#caller
    return certain ? this.#mayBid(known) : this.#caller.now().then(this.#mayBid)
  }

  readonly #mayBid = (known: Caller | null): Caller => {
    const { guard, callers } = this.#deps
    const caller = allowed(known, 'bid', callers.mode)
    guard?.bid({ address: this.#connection.address, accountId: caller.party.id })
    return caller
  }

  async #bid(message: BidMessage, kind: 'plain' | 'max' | 'buy-now', amount?: AmountInput): Promise<void> {
    const { desk, facts, metrics } = this.#deps
    const { bid_id: key, request_id: requestId = `${this.#requestId}.${++this.#bids}` } = message
    const auction = this.#auction ?? message.auction_id ?? ''
    const lane = this.#lane
    const order = { auction, kind, amount, key, keyField: 'bid_id', brief: true, requestId, lane }
    if (this.#pending >= MAX_PENDING) return this.#refuse(order, this.#problem(tooManyPending(MAX_PENDING)))
    this.#pending += 1
    // A gateway that stops waits until the answer is written.
    desk.begin()
    try {
      if (auction === '') throw noAuction()
      const { outcome } = await desk.bid('ws', this.#admit, order)
      const startedMs = performance.now()
      const id = outcome.auctionId || auction
      const { currency } = (facts.peek(id) ?? (await facts.of(id))).terms
      if (outcome.status === 'rejected')
        this.#refuse(order, { problem: rejectionProblem(outcome, currency), retryAfterSeconds: null })
      else this.#accept(acceptedText(outcome, { key: key ?? null, currency, requestId }))
      metrics.answer.observe((performance.now() - startedMs) / 1_000)
    } catch (error) {
      this.#refuse(order, this.#problem(error, requestId))
    } finally {
      this.#pending -= 1
      desk.end()
    }
  }

  #refuse({ auction, key = null, requestId }: RefusedBid, problem: ProblemAnswer): void {
    const now = timeText(this.#deps.clock.now())
    this.#reply(refusedMessage(problem, { auction, key, now, requestId }))
  }

  /** The auction's whole id. */
  async #subscribe({ auction, mode, presence, fromSeq }: Place): Promise<string> {
    const caller = this.#caller.known
    const { bidders } = this.#deps
    const view = await bidders.show(auction, caller)
    const { auctionId } = view
    if (this.#closing) return auctionId
    const forget = this.#makeRoom(auctionId)
    // A reader that comes from another gateway may know more than this one's node does yet.
    const afterSeq = fromSeq === undefined ? view.head.seq : Math.max(0, fromSeq - 1)
    const tell = presence ? (data: Buffer) => this.#tell(textFrame(data.toString())) : null
    const watcher = new Watcher(this.#deps, auctionId, tell)
    const enter = () => watcher.enter(bidders.watcher(this.#caller.known, view)?.name ?? null)
    enter()
    this.#reply({
      type: 'subscribed',
      auction_id: auctionId,
      seq: afterSeq,
      mode,
      watchers: this.#deps.presence.watchers(auctionId),
      auction: auctionResource(view) as Record<string, unknown>,
    })
    const subscription = new AuctionSubscription(this.#subscriptionDeps(mode, false), { auctionId, afterSeq })
    this.#subscriptions.set(auctionId, {
      enter,
      close: () => {
        forget()
        subscription.close()
        watcher.leave()
      },
    })
    // What happened between the look at the auction and now is in the log.
    subscription.catchUp()
    return auctionId
  }

  #subscribeAll(mode: 'all' | 'newest', cursor: string | null, since: number | undefined): void {
    if (cursor !== null && !isCatalogueCursor(cursor)) throw badCursor()
    const forget = this.#makeRoom('')
    const answer = { type: 'subscribed', auction_id: null, seq: null, watchers: null, auction: null } as const
    this.#reply({ ...answer, mode })
    const past = { cursor, sinceMs: since }
    const subscription = new CatalogueSubscription(this.#subscriptionDeps(mode, true), past)
    this.#subscriptions.set('', {
      close: () => {
        forget()
        subscription.close()
      },
    })
  }

  #subscriptionDeps(mode: 'all' | 'newest', catalogue: boolean) {
    const frame = catalogue ? this.#frames.catalogue : this.#frames.auction
    const deliver = (message: LiveMessage) => this.#tell(message.encoded(frame))
    return {
      hub: this.#deps.hub,
      deliver:
        mode === 'newest' ? (message: LiveMessage) => this.#conflator.offer(message, deliver) : deliver,
      ready: () => this.#ready(),
      fail: (error: unknown) => {
        const { problem } = this.#problem(error)
        this.close(CLOSE.going, problem.code, 'the events cannot be read; reconnect and resume', GOODBYE_MS)
      },
    }
  }

  /** The same once more takes the place of the old one. Call the answer when it is over. */
  #makeRoom(key: string): () => void {
    this.#subscriptions.get(key)?.close()
    this.#subscriptions.delete(key)
    if (this.#subscriptions.size < MAX_SUBSCRIPTIONS) return this.#connection.subscribe()
    const instead = 'subscribe to the catalogue, or open another connection'
    throw tooManySubscriptions(`hears ${MAX_SUBSCRIPTIONS} auctions`, instead)
  }

  #unsubscribe(auction: string | null): void {
    const key = auction ?? ''
    this.#subscriptions.get(key)?.close()
    this.#subscriptions.delete(key)
    this.#reply({ type: 'unsubscribed', auction_id: auction })
  }

  /** An event: goes with others at the end of the turn. */
  #tell(frame: Buffer): void {
    if (this.#mayWrite()) this.#deps.writer.write(this.#outlet, frame)
  }

  #mayWrite(): boolean {
    if (this.#closing) return false
    if (this.#outlet.raw.writableLength <= MAX_BUFFERED_BYTES) return true
    this.#deps.metrics.slowReader('ws')
    const fields = { code: 'SLOW_READER', address: this.#connection.address, requestId: this.#requestId }
    this.#deps.logger.info(fields, 'a reader was too slow, and is let go')
    this.close(CLOSE.slowReader, 'SLOW_READER', 'too many messages wait for you; resume with from_seq', 0)
    return false
  }

  async #ready(): Promise<void> {
    this.#deps.writer.empty(this.#outlet)
    while (!this.#closing && this.#outlet.raw.writableLength > REPLAY_BUFFERED_BYTES)
      await sleep(REPLAY_POLL_MS)
  }

  #reply(message: ReplyMessage): void {
    if (this.#mayReply()) this.#outlet.raw.write(textFrame(JSON.stringify(message)))
  }

  #accept(asciiText: string): void {
    if (this.#mayReply()) this.#outlet.raw.write(asciiFrame(asciiText), 'latin1')
  }

  #mayReply(): boolean {
    if (!this.#mayWrite()) return false
    // What happened before stays before.
    this.#deps.writer.empty(this.#outlet)
    return this.#outlet.raw.writable
  }

  #mistake(rule: string, field: string | null): void {
    this.#mistakes += 1
    if (this.#mistakes > MAX_MISTAKES) {
      this.close(CLOSE.policy, 'TOO_MANY_MISTAKES', 'too many messages could not be used')
      return
    }
    const next = 'see /docs/asyncapi.yaml for the messages'
    const message = `the message cannot be used: ${field === null ? '' : `${field} `}${rule}`
    this.#reply({ type: 'error', code: 'INVALID_INPUT', message, field, next })
  }

  #problem(error: unknown, requestId = this.#requestId): ProblemAnswer {
    const known = problemOf(error)
    if (known) return known
    this.#deps.logger.error({ err: error, requestId }, 'a WebSocket message could not be answered')
    return { problem: INTERNAL, retryAfterSeconds: null }
  }
}
