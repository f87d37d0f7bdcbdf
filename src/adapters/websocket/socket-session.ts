import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { Presented } from '../../application/gateway/authenticate.js'
import type { ConflatorBeat } from '../../application/gateway/conflator.js'
import type { CountedConnection } from '../../application/gateway/counted-connection.js'
import type { ClientMessage } from '../../application/gateway/messages.js'
import { timeText } from '../../application/log/time-text.js'
import type { Caller } from '../../ports/accounts/caller.js'
import { INTERNAL, type ProblemAnswer, problemOf } from '../http/problem.js'
import type { ServingDeps } from '../http/serving-deps.js'
import { CLOSE } from './close-codes.js'
import { PATH_FRAMES, PUBLIC_FRAMES } from './event-frames.js'
import { type BidMessage, SocketBids } from './socket-bids.js'
import { SocketCaller } from './socket-caller.js'
import { errorMessage, parseFrame } from './socket-frames.js'
import { SocketOutbox } from './socket-outbox.js'
import { type Place, SocketSubscriptions } from './socket-subscriptions.js'
import type { SocketWriter } from './socket-writer.js'

/** What all connections share. */
export interface SocketSessionDeps extends ServingDeps {
  readonly writer: SocketWriter
  readonly beat: ConflatorBeat
}

export interface SocketSessionOptions {
  readonly socket: WebSocket
  /** What the WebSocket writes to. */
  readonly raw: Duplex
  readonly presented: Presented
  readonly caller: Caller | null
  readonly connection: CountedConnection
  /** Of the path: such connections hear events in the words of other auction servers. */
  readonly auction: string | null
  readonly requestId: string
}

export const PING_INTERVAL_MS = 25_000
/** Messages that could not be used, before the connection is closed. */
const MAX_MISTAKES = 100
/** After events could not be read. */
const READ_AGAIN_MS = 2_000

/** One WebSocket connection: reads what it asks, and has its parts answer. */
export class SocketSession {
  readonly #deps: SocketSessionDeps
  readonly #socket: WebSocket
  readonly #requestId: string
  readonly #outbox: SocketOutbox
  readonly #caller: SocketCaller
  readonly #bids: SocketBids
  readonly #subscriptions: SocketSubscriptions
  /** The auction of the path; its whole id once it is known. */
  #auction: string | null
  #mistakes = 0
  #alive = true

  constructor(deps: SocketSessionDeps, options: SocketSessionOptions) {
    const { socket, raw, presented, connection, auction, requestId } = options
    this.#deps = deps
    this.#socket = socket
    this.#requestId = requestId
    this.#auction = auction
    const { address } = connection
    const outbox = new SocketOutbox(deps, { socket, raw, address, requestId, onClose: () => this.#end() })
    const reply = outbox.reply.bind(outbox)
    const caller = new SocketCaller(deps, { presented, caller: options.caller, connection, reply })
    const problem = this.#problem.bind(this)
    this.#outbox = outbox
    this.#caller = caller
    this.#bids = new SocketBids(deps, { caller, outbox, problem, requestId })
    this.#subscriptions = new SocketSubscriptions(deps, {
      caller,
      outbox,
      frames: auction === null ? PUBLIC_FRAMES : PATH_FRAMES,
      fail: (error) => {
        const { code } = this.#problem(error).problem
        outbox.close(CLOSE.going, code, 'the events cannot be read; reconnect and resume', READ_AGAIN_MS)
      },
    })
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('ping', (data) => this.#pong(data))
    socket.on('pong', () => {
      this.#alive = true
    })
    socket.on('close', () => outbox.end())
    // ws closes the connection by itself, with the code that says why.
    socket.on('error', (error) => deps.logger.debug({ err: error }, 'a WebSocket failed'))
  }

  greet(): void {
    const { callers, clock } = this.#deps
    const { known } = this.#caller
    this.#outbox.reply({
      type: 'welcome',
      server_time: timeText(clock.now()),
      user: known && { ...known.party },
      auth: callers.mode,
      ping_interval_ms: PING_INTERVAL_MS,
    })
  }

  /** Of the path: where it fails the connection ends. */
  async watch(place: Place): Promise<void> {
    try {
      this.#auction = await this.#subscriptions.to(place)
    } catch (error) {
      const answer = this.#problem(error)
      const { problem } = answer
      this.#outbox.reply(errorMessage(answer))
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
    this.#outbox.close(code, name, reason, retryAfterMs)
  }

  #end(): void {
    this.#caller.leave()
    this.#subscriptions.endAll()
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#alive = true
    if (this.#outbox.closed) return
    const startedMs = performance.now()
    const message = isBinary ? null : parseFrame(data)
    this.#deps.metrics.parse.observe((performance.now() - startedMs) / 1_000)
    if (message === null || 'problem' in message) {
      const problem = message?.problem ?? { field: null, rule: 'must be JSON text' }
      this.#mistake(problem.rule, problem.field)
      return
    }
    const asked = message.value
    const isBid = asked.type === 'place_bid' || asked.type === 'buy_now'
    const answered = isBid ? this.#bids.place(asked, this.#auction) : this.#answer(asked)
    answered.catch(this.#unanswered)
  }

  readonly #unanswered = (error: unknown) => this.#outbox.reply(errorMessage(this.#problem(error)))

  async #answer(message: Exclude<ClientMessage, BidMessage>): Promise<void> {
    switch (message.type) {
      case 'ping': {
        this.#caller.count()
        const now = timeText(this.#deps.clock.now())
        return this.#outbox.reply({ type: 'pong', server_time: now, timestamp: now, id: message.id ?? null })
      }
      case 'subscribe':
        return this.#subscriptions.take(message)
      case 'unsubscribe':
        this.#caller.count()
        return this.#subscriptions.end(message.catalogue ? null : (message.auction_id ?? this.#auction))
      case 'authenticate': {
        return this.#caller.become(message, ({ party, scopes }) => {
          this.#subscriptions.reenter()
          this.#outbox.reply({ type: 'authenticated', user: { ...party }, scopes: [...scopes] })
        })
      }
      default: {
        const unknown: never = message
        throw new Error(`unknown message ${JSON.stringify(unknown)}`)
      }
    }
  }

  /** Of the protocol itself. One too many is not answered: nothing can be said there but the same bytes again. */
  #pong(data: Buffer): void {
    this.#alive = true
    try {
      this.#caller.count()
      this.#socket.pong(data)
    } catch (refusal) {
      this.#deps.logger.debug({ err: refusal }, 'a ping was not answered')
    }
  }

  #mistake(rule: string, field: string | null): void {
    this.#mistakes += 1
    if (this.#mistakes > MAX_MISTAKES) {
      this.close(CLOSE.policy, 'TOO_MANY_MISTAKES', 'too many messages could not be used')
      return
    }
    const next = 'see /docs/asyncapi.yaml for the messages'
    const message = `the message cannot be used: ${field === null ? '' : `${field} `}${rule}`
    this.#outbox.reply({ type: 'error', code: 'INVALID_INPUT', message, field, next })
  }

  #problem(error: unknown, requestId = this.#requestId): ProblemAnswer {
    const known = problemOf(error)
    if (known) return known
    this.#deps.logger.error({ err: error, requestId }, 'a WebSocket message could not be answered')
    return { problem: INTERNAL, retryAfterSeconds: null }
  }
}
