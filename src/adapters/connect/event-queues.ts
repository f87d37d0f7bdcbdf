import type { Presented } from '../../application/gateway/authenticate.js'
import { Conflator, ConflatorBeat } from '../../application/gateway/conflator.js'
import { GatewayRefusal } from '../../application/gateway/gateway-refusal.js'
import type { LiveMessage } from '../../application/gateway/live-message.js'
import { AuctionSubscription, CatalogueSubscription } from '../../application/gateway/subscription.js'
import type { Caller } from '../../ports/accounts/caller.js'
import { RequestError } from '../http/problem.js'
import type { ServingDeps } from '../http/serving-deps.js'

type QueueDeps = Pick<ServingDeps, 'hub' | 'liveCallers' | 'logger' | 'metrics' | 'timers'>

export type EventPlace =
  | { readonly auctionId: string; readonly afterSeq: number }
  | { readonly auctionId: null; readonly cursor: string | null }

export interface EventReader {
  readonly mode: 'all' | 'newest'
  readonly caller: Caller | null
  readonly presented: Presented
  /** Aborted when nobody reads any more. */
  readonly signal: AbortSignal
}

/**
 * Live events that may wait for a reader. The stream of a slower reader ends; they call again and go on after their
 * last event.
 */
const MAX_WAITING = 4_096
/** From this many waiting events on, reading the log pauses for the reader. */
const REPLAY_WAITING = 256

/** Queues of events from which a reader pulls the next one. */
export class EventQueues {
  readonly #deps: QueueDeps
  readonly #beat: ConflatorBeat
  readonly #open = new Set<EventQueue>()

  constructor(deps: QueueDeps) {
    this.#deps = deps
    this.#beat = new ConflatorBeat(deps)
  }

  get size(): number {
    return this.#open.size
  }

  /** Ends all of them; their readers reconnect by themselves. */
  drain(): void {
    for (const queue of this.#open)
      queue.fail(
        new GatewayRefusal('STOPPING', 'the gateway stops', { next: 'call again, and go on from the last event' }),
      )
  }

  async *open(place: EventPlace, reader: EventReader): AsyncGenerator<LiveMessage, void, undefined> {
    const queue = new EventQueue()
    const conflator = new Conflator({ beat: this.#beat })
    const take = (message: LiveMessage) => this.#take(queue, message)
    const deps = {
      hub: this.#deps.hub,
      deliver: reader.mode === 'newest' ? (message: LiveMessage) => conflator.offer(message, take) : take,
      ready: () => queue.below(REPLAY_WAITING),
      fail: (error: unknown) => queue.fail(error),
    }
    const subscription =
      place.auctionId === null ? new CatalogueSubscription(deps, place) : new AuctionSubscription(deps, place)
    if (place.auctionId !== null) subscription.catchUp()
    const { caller, presented, signal } = reader
    const live = this.#deps.liveCallers.watch(presented, { caller, ended: (error) => queue.fail(error) })
    const stop = () => queue.end()
    signal.addEventListener('abort', stop, { once: true })
    this.#open.add(queue)
    try {
      if (!signal.aborted) yield* queue.messages()
    } finally {
      this.#open.delete(queue)
      signal.removeEventListener('abort', stop)
      queue.end()
      live.leave()
      subscription.close()
      conflator.stop()
    }
  }

  #take(queue: EventQueue, message: LiveMessage): void {
    if (queue.waiting < MAX_WAITING) {
      queue.add(message)
      return
    }
    this.#deps.metrics.slowReader('grpc')
    this.#deps.logger.info({ code: 'SLOW_READER' }, 'the reader of a stream is too slow; the stream ends')
    queue.fail(
      new RequestError(429, 'SLOW_READER', `${MAX_WAITING} events wait to be read: the stream ends here`, {
        next: 'call again from the event after the last one',
      }),
    )
  }
}

class EventQueue {
  #messages: LiveMessage[] = []
  #wake: () => void = () => {}
  #drained: (() => void)[] = []
  #over: { readonly error: unknown } | null = null

  get waiting(): number {
    return this.#messages.length
  }

  add(message: LiveMessage): void {
    if (this.#over !== null) return
    this.#messages.push(message)
    this.#wake()
  }

  fail(error: unknown): void {
    this.#over ??= { error }
    this.#release()
  }

  end(): void {
    this.#over ??= { error: null }
    this.#release()
  }

  /** Resolves when fewer events wait, or the reader has gone. */
  async below(count: number): Promise<void> {
    while (this.#over === null && this.#messages.length >= count)
      await new Promise<void>((resolve) => this.#drained.push(resolve))
  }

  async *messages(): AsyncGenerator<LiveMessage, void, undefined> {
    for (;;) {
      const taken = this.#messages
      this.#messages = []
      for (const done of this.#drained.splice(0)) done()
      for (const message of taken) yield message
      if (this.#messages.length > 0) continue
      if (this.#over?.error) throw this.#over.error
      if (this.#over) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #release(): void {
    this.#wake()
    for (const done of this.#drained.splice(0)) done()
  }
}
