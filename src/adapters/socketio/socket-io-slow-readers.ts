import type { GatewayMetrics } from '../../application/gateway/gateway-metrics.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { AuctionSocket } from './auction-socket.js'

export interface SlowReadersDeps {
  readonly logger: Logger
  readonly metrics: GatewayMetrics
  readonly timers: Timers
  readonly sockets: () => Iterable<AuctionSocket>
}

/** Messages, or bytes, that wait for a reader; past either the reader is too slow, and is let go. */
const MAX_WAITING = 2_000
const MAX_WAITING_BYTES = 1024 * 1024
const CHECK_MS = 1_000
/** How long a slow reader gets to take its goodbye. */
const GOODBYE_MS = 2_000
/** Socket.IO's packets that answer a request begin with it. */
const ACK = '3'

/** What the reader's transport has not taken yet; a fast one has nothing here. */
export function waitingOf({ conn }: AuctionSocket): Waiting[] {
  return (conn as unknown as { writeBuffer: Waiting[] }).writeBuffer
}

interface Waiting {
  readonly type: string
  readonly data?: unknown
}

/** Looks for Socket.IO readers that cannot keep up. */
export class SocketIoSlowReaders {
  readonly #deps: SlowReadersDeps
  #timer: Timer | null = null

  constructor(deps: SlowReadersDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = this.#deps.timers.after(CHECK_MS, () => {
      for (const socket of this.#deps.sockets()) if (isSlow(waitingOf(socket))) this.#letGo(socket)
      this.start()
    })
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel()
  }

  /**
   * Events that wait are left out: it asks for them when it comes back, and hears why it has to in time. Answers to its
   * requests are not. The transport is closed, not the socket: clients connect again by themselves then.
   */
  #letGo(socket: AuctionSocket): void {
    const { logger, metrics, timers } = this.#deps
    const { conn, data } = socket
    const waiting = waitingOf(socket)
    const fields = { code: 'SLOW_READER', address: data.connection.address, messages: waiting.length }
    logger.info(fields, 'a Socket.IO reader was too slow, and is let go')
    metrics.slowReader('socketio')
    for (const leave of data.leave.values()) leave()
    waiting.splice(0, Number.POSITIVE_INFINITY, ...waiting.filter(isAnswer))
    socket.emit('connectionRejected', {
      code: 'SLOW_READER',
      reason: 'too many messages wait for you',
      next: 'connect again, and join with fromSeq: one past the last seq that you have heard',
      retryAfterMs: 0,
    })
    conn.close()
    timers.after(GOODBYE_MS, () => {
      const { socket: webSocket } = conn.transport as { socket?: { terminate?(): void } }
      conn.close(true)
      // Closing waits for the other side, which may never read.
      webSocket?.terminate?.()
    })
  }
}

function isSlow(waiting: readonly Waiting[]): boolean {
  if (waiting.length > MAX_WAITING) return true
  let bytes = 0
  for (const { data } of waiting) bytes += typeof data === 'string' ? data.length : 0
  return bytes > MAX_WAITING_BYTES
}

function isAnswer({ data }: Waiting): boolean {
  return typeof data === 'string' && data.startsWith(ACK)
}
