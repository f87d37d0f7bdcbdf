import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Presented } from '../../application/gateway/authenticate.js'
import { Conflator, ConflatorBeat } from '../../application/gateway/conflator.js'
import type { EventHub } from '../../application/gateway/event-hub.js'
import type { GatewayMetrics } from '../../application/gateway/gateway-metrics.js'
import { GatewayRefusal } from '../../application/gateway/gateway-refusal.js'
import type { LiveCallers } from '../../application/gateway/live-callers.js'
import type { Encoding, LiveMessage } from '../../application/gateway/live-message.js'
import type { MovingWatch } from '../../application/gateway/moving-watch.js'
import { AuctionSubscription, CatalogueSubscription } from '../../application/gateway/subscription.js'
import { timeText } from '../../application/log/time-text.js'
import type { Caller } from '../../ports/accounts/caller.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timer, Timers } from '../../ports/system/timers.js'

export interface EventStreamsDeps {
  readonly clock: Clock
  readonly hub: EventHub
  readonly liveCallers: LiveCallers
  readonly logger: Logger
  readonly metrics: GatewayMetrics
  readonly movingWatch: MovingWatch
  readonly timers: Timers
}

export type StreamPlace =
  | { readonly auctionId: string; readonly afterSeq: number; readonly mode: 'all' | 'newest' }
  | { readonly auctionId: null; readonly cursor: string | null; readonly mode: 'all' | 'newest' }

const HEARTBEAT_MS = 15_000
const MAX_BUFFERED_BYTES = 1024 * 1024
const REPLAY_BUFFERED_BYTES = 64 * 1024
const REPLAY_POLL_MS = 10
const RETRY_MS = 2_000
const MAX_STREAMS = 10_000

/** Server-sent events; whoever gives back an event's id hears what comes after it. */
const AUCTION_EVENT: Encoding = ({ seq, type, text }) => streamEvent(String(seq), type, text)
const CATALOGUE_EVENT: Encoding = ({ cursor, type, catalogueText }) => streamEvent(cursor ?? '', type, catalogueText)

function streamEvent(id: string, type: string, text: string): Buffer {
  return Buffer.from(`id: ${id}\nevent: ${type}\ndata: ${text}\n\n`)
}

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
} as const

/** Server-sent event streams. */
export class EventStreams {
  readonly #deps: EventStreamsDeps
  readonly #conflatorBeat: ConflatorBeat
  readonly #open = new Map<ServerResponse, () => void>()
  #beat: Timer | null = null

  constructor(deps: EventStreamsDeps) {
    this.#deps = deps
    this.#conflatorBeat = new ConflatorBeat(deps)
  }

  get size(): number {
    return this.#open.size
  }

  start(): void {
    this.#beat = this.#deps.timers.after(HEARTBEAT_MS, () => {
      for (const response of this.#open.keys()) response.write(': still here\n\n')
      this.start()
    })
  }

  /** Ends all streams; browsers come back by themselves. */
  drain(): void {
    this.#beat?.cancel()
    for (const [response, close] of this.#open) {
      close()
      response.end('event: goodbye\ndata: {"type":"goodbye","code":"STOPPING"}\n\n')
    }
    this.#open.clear()
  }

  open(
    connection: {
      response: ServerResponse
      headers: OutgoingHttpHeaders
      presented: Presented
      caller: Caller | null
      onEnd: () => void
    },
    place: StreamPlace,
  ): void {
    const { response, headers, presented, caller, onEnd } = connection
    if (this.#open.size >= MAX_STREAMS) {
      onEnd()
      response.writeHead(503, { 'retry-after': '10', connection: 'close' })
      response.end()
      return
    }
    response.writeHead(200, { ...headers, ...STREAM_HEADERS })
    const server_time = timeText(this.#deps.clock.now())
    response.write(`retry: ${RETRY_MS}\nevent: welcome\ndata: ${JSON.stringify({ type: 'welcome', server_time })}\n\n`)
    const conflator = new Conflator({ beat: this.#conflatorBeat })
    const subscription = this.#subscribe(response, place, conflator)
    // Nothing can be sent back on a stream: a new one takes new credentials, or none.
    const live = this.#deps.liveCallers.watch(presented, {
      caller,
      ended: ({ code, message, next }) => {
        close()
        const data = JSON.stringify({ type: 'signed_out', code, reason: message, next: next ?? null })
        response.end(`event: signed_out\ndata: ${data}\n\n`)
      },
    })
    const close = () => {
      live.leave()
      subscription.close()
      conflator.stop()
      this.#open.delete(response)
      onEnd()
    }
    this.#open.set(response, close)
    response.once('close', close)
    response.on('error', close)
  }

  #subscribe(response: ServerResponse, place: StreamPlace, conflator: Conflator): { close(): void } {
    const encoding = place.auctionId === null ? CATALOGUE_EVENT : AUCTION_EVENT
    const write = (message: LiveMessage) => this.#write(response, message.encoded(encoding))
    const deps = {
      hub: this.#deps.hub,
      deliver: place.mode === 'newest' ? (message: LiveMessage) => conflator.offer(message, write) : write,
      ready: async () => {
        while (!response.destroyed && response.writableLength > REPLAY_BUFFERED_BYTES) await sleep(REPLAY_POLL_MS)
      },
      fail: (error: unknown) => {
        const known = error instanceof GatewayRefusal
        if (!known) this.#deps.logger.warn({ err: error }, 'an event stream could not go on')
        response.end()
      },
    }
    if (place.auctionId === null) return new CatalogueSubscription(deps, { cursor: place.cursor })
    const subscription = new AuctionSubscription(deps, place)
    const unlisten = this.#deps.movingWatch.listen(place.auctionId, ({ type }, text) =>
      this.#write(response, Buffer.from(`event: ${type}\ndata: ${text}\n\n`)),
    )
    subscription.catchUp()
    const close = () => {
      unlisten()
      subscription.close()
    }
    return { close }
  }

  #write(response: ServerResponse, data: Buffer): void {
    if (response.destroyed || response.writableEnded) return
    if (response.writableLength <= MAX_BUFFERED_BYTES) {
      response.write(data)
      return
    }
    this.#deps.metrics.slowReader('sse')
    this.#deps.logger.info({ code: 'SLOW_READER' }, 'the reader of an event stream was too slow, and is let go')
    response.destroy()
  }
}
