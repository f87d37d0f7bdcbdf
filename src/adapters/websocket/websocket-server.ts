/** Room `websocket`: a gateway over WebSockets. */

import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { ConflatorBeat } from '../../application/gateway/conflator.js'
import { CountedConnection } from '../../application/gateway/counted-connection.js'
import type { Timer } from '../../ports/system/timers.js'
import { INTERNAL, PROBLEM_TYPE, type ProblemAnswer, problemOf, RequestError } from '../http/problem.js'
import { requestIdOf } from '../http/request-id.js'
import type { ServingDeps } from '../http/serving-deps.js'
import { CLOSE } from './close-codes.js'
import { PING_INTERVAL_MS, SocketSession, type SocketSessionDeps } from './socket-session.js'
import { SocketWriter } from './socket-writer.js'

export interface WebSocketServerOptions {
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
}

/**
 * A frame of a client, and all fragments of a message together: the longest message that is documented fits (see its
 * test).
 */
export const MAX_FRAME_BYTES = 128 * 1024
const ONE = /^\/ws\/auction\/([A-Za-z0-9_-]{1,96})\/?$/
const MANY = /^\/ws\/?$/

/** Takes upgrades to WebSockets at /ws and /ws/auction/{id}. */
export class GatewayWebSockets {
  readonly #deps: SocketSessionDeps
  readonly #options: WebSocketServerOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    // Counted first.
    autoPong: false,
  })
  readonly #sessions = new Set<SocketSession>()
  readonly #perAddress = new Map<string, number>()
  #beat: Timer | null = null
  #draining = false

  constructor(deps: ServingDeps, options: WebSocketServerOptions) {
    this.#deps = { ...deps, writer: new SocketWriter(), beat: new ConflatorBeat(deps) }
    this.#options = options
  }

  get size(): number {
    return this.#sessions.size
  }

  start(): void {
    this.#beat = this.#deps.timers.after(PING_INTERVAL_MS, () => {
      for (const session of this.#sessions) session.beat()
      this.start()
    })
  }

  /** True where the upgrade is for here. */
  handles(path: string): boolean {
    return ONE.test(path) || MANY.test(path)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      const known = problemOf(error)
      if (!known) this.#deps.logger.error({ err: error }, 'an upgrade failed')
      refuseUpgrade(socket, known ?? { problem: INTERNAL, retryAfterSeconds: null })
    })
  }

  /** Takes no new ones; those that are there get the reason and are closed. */
  drain(): void {
    this.#draining = true
    this.#beat?.cancel()
    for (const session of this.#sessions)
      session.close(CLOSE.restart, 'STOPPING', 'the gateway stops; reconnect and resume', RETRY_MS)
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { origins, callers, guard } = this.#deps
    if (this.#draining) throw stopping()
    const url = new URL(request.url ?? '/', 'http://gateway')
    const refusal = origins.refusal(request.headers)
    if (refusal) throw refusal
    const address = this.#deps.addresses.of(request)
    const query = (name: string) => url.searchParams.get(name) ?? undefined
    guard?.callFrom(address)
    const presented = {
      origin: { via: 'ws', from: address } as const,
      headers: request.headers,
      userId: query('user_id'),
      accessTokens: url.searchParams.getAll('access_token'),
    }
    const caller = await callers.identify(presented)
    const place = placeOf(url)
    const connection = new CountedConnection(guard, address, caller)
    const release = this.#enter(address, connection)
    const leave = () => {
      release()
      connection.release()
    }
    if (socket.destroyed || this.#draining) {
      leave()
      throw stopping()
    }
    socket.once('close', leave)
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#open(
        new SocketSession(this.#deps, {
          socket: webSocket,
          raw: socket,
          caller,
          presented,
          connection,
          auction: place.auction,
          requestId: requestIdOf(request.headers['x-request-id']),
        }),
        {
          place,
          onClose: (done) => webSocket.once('close', done),
        },
      )
    })
  }

  #open(session: SocketSession, { place, onClose }: { place: Place; onClose: (done: () => void) => void }): void {
    this.#sessions.add(session)
    onClose(() => this.#sessions.delete(session))
    session.greet()
    const { auction, mode, fromSeq } = place
    if (auction !== null) void session.watch({ auction, mode, fromSeq, presence: place.presence })
  }

  #enter(address: string, connection: CountedConnection): () => void {
    const { maxConnections, maxConnectionsPerAddress } = this.#options
    const count = this.#perAddress.get(address) ?? 0
    if (this.#sessions.size >= maxConnections || count >= maxConnectionsPerAddress) {
      connection.release()
      throw new RequestError(429, 'TOO_MANY_CONNECTIONS', 'too many connections are open', {
        next: 'close some, or hear several auctions over one connection at /ws',
        retryAfterSeconds: 10,
      })
    }
    this.#perAddress.set(address, count + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const now = (this.#perAddress.get(address) ?? 1) - 1
      if (now > 0) this.#perAddress.set(address, now)
      else this.#perAddress.delete(address)
    }
  }
}

interface Place {
  /** Null: /ws, which subscribes by messages. */
  readonly auction: string | null
  readonly mode: 'all' | 'newest'
  readonly fromSeq: number | undefined
  readonly presence: boolean
}

const RETRY_MS = 1_000

function stopping(): RequestError {
  return new RequestError(503, 'STOPPING', 'the gateway stops', {
    next: 'connect again',
    retryAfterSeconds: RETRY_MS / 1_000,
  })
}

function placeOf(url: URL): Place {
  const auction = ONE.exec(url.pathname)?.[1] ?? null
  const from = url.searchParams.get('from_seq')
  if (from !== null && !/^\d{1,15}$/.test(from)) throw invalid('from_seq', 'must be a whole number')
  const mode = url.searchParams.get('mode') ?? 'all'
  if (mode !== 'all' && mode !== 'newest') throw invalid('mode', 'must be "all" or "newest"')
  const presence = url.searchParams.get('presence') !== 'false'
  return { auction, mode, presence, fromSeq: from === null ? undefined : Number(from) }
}

function invalid(field: string, rule: string): RequestError {
  return new RequestError(400, 'INVALID_INPUT', `${field} ${rule}`, { field, next: 'correct the address' })
}

/** Answers an upgrade as plain HTTP, and ends the connection. */
export function refuseUpgrade(socket: Duplex, { problem, retryAfterSeconds }: ProblemAnswer): void {
  const body = JSON.stringify(problem)
  const retry = retryAfterSeconds === null ? '' : `retry-after: ${retryAfterSeconds}\r\n`
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}\r\nconnection: close\r\n${retry}` +
      `content-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
