import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { ReplyMessage } from '../../application/gateway/messages.js'
import type { ServingDeps } from '../http/serving-deps.js'
import { CLOSE } from './close-codes.js'
import { asciiFrame, type Outlet, type SocketWriter, textFrame } from './socket-writer.js'

export interface SocketOutboxDeps extends Pick<ServingDeps, 'logger' | 'metrics' | 'timers'> {
  readonly writer: SocketWriter
}

export interface SocketOutboxOptions {
  readonly socket: WebSocket
  /** What the WebSocket writes to. */
  readonly raw: Duplex
  readonly address: string
  readonly requestId: string
  /** It has said goodbye: nothing more is sent. */
  readonly onClose: () => void
}

/** Bytes that wait for a reader; beyond this the reader is too slow, and is let go. */
export const MAX_BUFFERED_BYTES = 1024 * 1024
/** A replay goes on below this. */
const REPLAY_BUFFERED_BYTES = 64 * 1024
const REPLAY_POLL_MS = 10
/** How long a reader gets to take its goodbye. */
const GOODBYE_MS = 2_000

/**
 * What goes out to one WebSocket, in order: events gather until the end of the turn, answers go at once, behind them.
 */
export class SocketOutbox {
  readonly #deps: SocketOutboxDeps
  readonly #options: SocketOutboxOptions
  readonly #outlet: Outlet
  #closed = false

  constructor(deps: SocketOutboxDeps, options: SocketOutboxOptions) {
    this.#deps = deps
    this.#options = options
    this.#outlet = { raw: options.raw, frames: [] }
  }

  get closed(): boolean {
    return this.#closed
  }

  /** An event: goes with others at the end of the turn. */
  event(frame: Buffer): void {
    if (this.#mayWrite()) this.#deps.writer.write(this.#outlet, frame)
  }

  reply(message: ReplyMessage): void {
    if (this.#mayReply()) this.#outlet.raw.write(textFrame(JSON.stringify(message)))
  }

  /** `reply` of JSON that is ASCII. */
  replyAscii(text: string): void {
    if (this.#mayReply()) this.#outlet.raw.write(asciiFrame(text), 'latin1')
  }

  /** Resolves when a replay may go on. */
  async ready(): Promise<void> {
    this.#deps.writer.empty(this.#outlet)
    while (!this.#closed && this.#outlet.raw.writableLength > REPLAY_BUFFERED_BYTES) await sleep(REPLAY_POLL_MS)
  }

  /** Says why, and closes the connection. Idempotent. */
  close(code: number, name: string, reason: string, retryAfterMs: number | null = null): void {
    if (this.#closed) return
    const { socket } = this.#options
    const goodbye: ReplyMessage = { type: 'goodbye', code: name, reason, retry_after_ms: retryAfterMs }
    this.#deps.writer.empty(this.#outlet)
    socket.send(JSON.stringify(goodbye))
    this.end()
    socket.close(code, name)
    this.#deps.timers.after(GOODBYE_MS, () => socket.terminate())
  }

  /** The connection is over: sends nothing more. Idempotent. */
  end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.onClose()
  }

  #mayWrite(): boolean {
    if (this.#closed) return false
    if (this.#outlet.raw.writableLength <= MAX_BUFFERED_BYTES) return true
    const { address, requestId } = this.#options
    this.#deps.metrics.slowReader('ws')
    this.#deps.logger.info({ code: 'SLOW_READER', address, requestId }, 'a reader was too slow, and is let go')
    this.close(CLOSE.slowReader, 'SLOW_READER', 'too many messages wait for you; resume with from_seq', 0)
    return false
  }

  #mayReply(): boolean {
    if (!this.#mayWrite()) return false
    // What happened before stays before.
    this.#deps.writer.empty(this.#outlet)
    return this.#outlet.raw.writable
  }
}
