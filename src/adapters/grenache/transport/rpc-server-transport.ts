/**
 * Room `grenache/transport`: HTTP under Grenache: connections, TLS, bodies, and their limits.
 *
 * Long because it takes the place of one class of Grenache, with all that this one does.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import TransportRPCServer, { type RequestMeta } from 'grenache-nodejs-http/lib/TransportRPCServer.js'
import type { Budgets } from '../../../application/budgets/budgets.js'
import type { Admission } from '../../../application/members/peer-gate.js'
import type { Logger } from '../../../ports/system/logger.js'
import { type AnswerPayload, failure, requestSchema } from '../rpc/wire.js'
import { CallerSeats, type Seat } from './caller-seats.js'
import { ConnectionLimits } from './connection-limits.js'
import { FairTurns } from './fair-turns.js'
import { JsonTextError, parseJson, REQUEST_JSON } from './json-text.js'
import type { MeshTls } from './mesh-tls.js'
import { ByteBudget, type ByteLease, CallerGoneError, RefusedRequest, readBody } from './request-body.js'

export interface ServerLimits {
  /** Of one request, compressed or not. */
  readonly maxBodyBytes: number
  /** Of all requests under way together. */
  readonly maxBufferedBytes: number
  readonly maxConnections: number
  /** The part of these for unknown callers; see `ConnectionLimits`. */
  readonly maxStrangers: number
  /** Of their requests under way together. */
  readonly maxStrangerBytes: number
  /** From the first byte (or the connection) to the last of the headers. */
  readonly headersTimeoutMs: number
  /** To the last byte of the body. */
  readonly requestTimeoutMs: number
  /** Between two requests on one connection. */
  readonly keepAliveTimeoutMs: number
  /** Without any traffic; longer than the longest long poll. */
  readonly idleTimeoutMs: number
}

export interface ServerTransportConf {
  readonly limits: ServerLimits
  readonly budgets: Budgets
  readonly logger: Logger
  /** Without it, plain HTTP. */
  readonly tls: MeshTls | null
  /** Never rejects. */
  readonly dispatch: (rpc: string, payload: unknown, from: RequestOrigin) => Promise<AnswerPayload>
}

export interface RequestOrigin {
  /** Null for a caller without a certificate. */
  readonly admission: Admission | null
  readonly address: string | null
  /** To be called where the request shows that the operator makes it. */
  readonly vouch: () => void
}

/** How often node looks for requests that take too long; its default is 30 s. */
const TIMEOUT_CHECK_MS = 500
/** How long a refused body is still read, so that the caller gets to see the answer. */
const LINGER_MS = 500
/** Of one request by somebody without a certificate: room for a join, or for the operator's words. */
const MAX_STRANGER_BYTES = 1024 * 1024

/**
 * Grenache's HTTP server with its reading replaced: the base class keeps bodies of any size, unpacks them without a
 * limit, and never answers one that it cannot parse. With `disableBuffered` it leaves the raw request to us.
 */
export class RpcServerTransport extends TransportRPCServer {
  readonly #conf: ServerTransportConf
  readonly #budget: ByteBudget
  readonly #strangerBudget: ByteBudget
  readonly #connections: ConnectionLimits
  readonly #seats: CallerSeats
  readonly #turns: FairTurns
  /** Set while the server drains: answers ask the caller to close. */
  draining = false

  constructor(peer: object, conf: ServerTransportConf) {
    super(peer, { ...conf, disableBuffered: true })
    this.#conf = conf
    const { budgets, limits, logger, tls } = conf
    this.#seats = new CallerSeats(budgets)
    this.#turns = new FairTurns(budgets.of('work'))
    this.#budget = new ByteBudget(limits.maxBufferedBytes)
    this.#strangerBudget = new ByteBudget(limits.maxStrangerBytes)
    this.#connections = new ConnectionLimits({
      maxStrangers: limits.maxStrangers,
      ofMembers: budgets.of('connections'),
      onDropped: (from) => {
        tls?.dropped()
        logger.debug({ from }, "a stranger's connection was closed to make room")
      },
    })
    this.on('stream', (request: IncomingMessage, response: ServerResponse, meta: RequestMeta) => {
      void this.#serve(request, response, meta.compress)
    })
  }

  override getSocket(): Server {
    const { limits, tls } = this.#conf
    const options = {
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      noDelay: true,
    }
    const server = tls ? this.#tlsServer(tls, options) : createServer(options)
    server.maxConnections = limits.maxConnections
    server.setTimeout(limits.idleTimeoutMs)
    server.on('clientError', refuseConnection)
    server.on('connect', (_request, socket) => {
      closeWith(socket, 405, 'METHOD_NOT_ALLOWED', 'an RPC is a POST')
    })
    return server
  }

  #tlsServer(tls: MeshTls, options: { headersTimeout: number }): TlsServer {
    const server = createTlsServer({
      ...options,
      ...tls.serverOptions(),
      // A caller without a certificate may join; `MeshTls` decides what a certificate allows.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: options.headersTimeout,
    })
    server.on('tlsClientError', (err, socket) => {
      tls.refused()
      this.#conf.logger.debug({ err, from: socket.remoteAddress }, 'a TLS handshake failed')
      socket.destroy()
    })
    server.on('connection', (socket: Socket) => this.#connections.add(socket))
    server.on('secureConnection', (socket) => this.#meet(socket, tls))
    const unlisten = tls.onReplaced(() => server.setSecureContext(tls.serverOptions()))
    server.once('close', unlisten)
    return server
  }

  /** Members are recognised as soon as they have shown their certificate. */
  #meet(socket: TLSSocket, tls: MeshTls): void {
    try {
      const admission = tls.identifyCaller(socket)
      if (!admission?.ok) return
      this.#connections.know(socket)
      if (this.#connections.takeMember(socket, admission.nodeId)) return
      this.#conf.logger.warn({ nodeId: admission.nodeId }, 'a member opens too many connections')
      socket.destroy()
    } catch (err) {
      this.#conf.logger.warn({ err }, 'a certificate could not be read')
      socket.destroy()
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, gzipped: boolean): Promise<void> {
    const { limits, tls } = this.#conf
    let lease: ByteLease | null = null
    try {
      if (request.method !== 'POST') {
        throw new RefusedRequest(405, 'METHOD_NOT_ALLOWED', 'an RPC is a POST')
      }
      const admission = tls ? tls.identifyCaller(request.socket as TLSSocket) : null
      const isKnown = tls === null || admission?.ok === true || this.#connections.isKnown(request.socket)
      const seat = admission?.ok ? this.#seats.take(admission.nodeId, request, response) : undefined
      if (seat === null) return this.#turnAway(request, response)
      if (admission?.ok && isLarge(request)) await this.#turns.pace(admission.nodeId, lengthOf(request))
      lease = leaseOf(isKnown ? this.#budget : this.#strangerBudget, seat)
      const maxBytes = isKnown ? limits.maxBodyBytes : Math.min(limits.maxBodyBytes, MAX_STRANGER_BYTES)
      const body = await readBody(request, { maxBytes, lease, gzipped })
      await this.#turns.turn(admission?.ok ? admission.nodeId : isKnown ? OPERATOR : STRANGERS)
      const parsed = requestSchema.safeParse(parseJson(body, REQUEST_JSON))
      if (!parsed.success) {
        throw new RefusedRequest(400, 'MALFORMED', 'a request is the JSON list [rid, rpc, payload]')
      }
      const [rid, rpc, payload] = parsed.data
      const vouch = () => this.#connections.know(request.socket)
      const answer = await this.#conf.dispatch(rpc, payload, {
        admission,
        address: request.socket.remoteAddress ?? null,
        vouch,
      })
      if (admission?.ok === false) response.setHeader('connection', 'close')
      const text = JSON.stringify([rid, null, answer])
      seat?.charge(text.length)
      await this.#send(response, text, gzipped)
    } catch (error) {
      this.#refuse(request, response, error)
    } finally {
      lease?.release()
    }
  }

  /** A caller that asks for too much at once gets an answer that costs next to nothing, and keeps the connection. */
  #turnAway(request: IncomingMessage, response: ServerResponse): void {
    if (isLarge(request)) throw tooManyRequests()
    request.resume()
    request.once('end', () => {
      const { status, code, message } = tooManyRequests()
      const body = bodyOf(code, message)
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
      response.end(body)
    })
  }

  async #send(response: ServerResponse, text: string, gzipped: boolean): Promise<void> {
    // A caller that asks in Grenache's gzip expects its answer in it, without the usual header.
    const body = gzipped ? await promisify(gzip)(text) : Buffer.from(text)
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      ...(this.draining ? { connection: 'close' } : {}),
    })
    response.end(body)
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (error instanceof CallerGoneError || response.headersSent) return
    let refusal: RefusedRequest
    if (error instanceof RefusedRequest) refusal = error
    else if (error instanceof JsonTextError) refusal = new RefusedRequest(400, error.code, error.message)
    else {
      this.#conf.logger.error({ err: error }, 'an RPC request could not be answered')
      refusal = new RefusedRequest(500, 'INTERNAL', 'the request could not be answered')
    }
    const { status, code, message } = refusal
    const body = bodyOf(code, message)
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    })
    if (request.complete) response.end(body)
    else linger(request, response, body, code !== 'BUSY' || !isLarge(request))
  }
}

/** Who calls without a member's certificate, by what else is known. */
const OPERATOR = 'operator'
const STRANGERS = 'strangers'

function tooManyRequests(): RefusedRequest {
  return new RefusedRequest(503, 'BUSY', 'too many requests of this member at once; try again in a moment')
}

/** From the bytes that all share, and from the member's own. */
function leaseOf(budget: ByteBudget, seat: Seat | undefined): ByteLease {
  const lease = budget.lease()
  if (seat === undefined) return lease
  return { take: (bytes) => seat.take(bytes) && lease.take(bytes), release: () => lease.release() }
}

function bodyOf(code: RefusedRequest['code'], message: string): string {
  return JSON.stringify([null, null, failure(code, message)])
}

/** Reading it would cost more than answering it. */
const LARGE_BYTES = 64 * 1024

function isLarge(request: IncomingMessage): boolean {
  return !(lengthOf(request) <= LARGE_BYTES)
}

/** NaN where it does not say. */
function lengthOf({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? Number.NaN)
}

/**
 * Closing on a caller that still sends resets the connection, and the answer is lost: take in a little more first. What
 * a flooder sends is not worth even that: it waits unread.
 */
function linger(request: IncomingMessage, response: ServerResponse, body: string, isRead: boolean): void {
  response.write(body)
  const end = () => {
    clearTimeout(timer)
    response.end()
    request.socket.destroySoon()
  }
  const timer = setTimeout(end, LINGER_MS)
  request.once('end', end)
  request.once('close', () => clearTimeout(timer))
  if (isRead) request.resume()
  else request.pause()
}

/** Requests that are no HTTP, or come too slowly, get an answer as well. */
function refuseConnection(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    closeWith(socket, 408, 'REQUEST_TIMEOUT', 'the request did not arrive in time')
  } else if (error.code === 'HPE_HEADER_OVERFLOW') {
    closeWith(socket, 431, 'TOO_LARGE', 'the headers are too large')
  } else closeWith(socket, 400, 'MALFORMED', 'this is not HTTP')
}

/** Whether an answer's headers have gone out on the connection, so that nothing may be written between. */
function isAnswering(socket: Duplex): boolean {
  const { _httpMessage: message } = socket as Socket & { _httpMessage?: ServerResponse | null }
  return message?.headersSent === true
}

function closeWith(socket: Duplex, status: number, code: RefusedRequest['code'], message: string): void {
  const body = bodyOf(code, message)
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}
