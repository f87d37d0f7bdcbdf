import { ClientError } from './client-error.js'
import { Emitter, type Listener } from './emitter.js'
import type { EventMessage, EventOf, EventType } from './messages.js'

export type EventsByType = { [K in EventType]: EventOf<K> } & {
  /** Every event, of whatever type. */
  event: EventMessage
}

/** The most events that wait for an iteration. */
export const MAX_WAITING_EVENTS = 10_000

/**
 * Events for the program: passed to its listeners as they come, or to a `for await` at its own pace; whichever is
 * used first. Events that come before either are kept.
 */
export class EventQueue {
  readonly #emitter = new Emitter<EventsByType>()
  /** Whether at least half of the queue is free. */
  readonly #onRoom: () => void
  readonly #onClose: () => void
  #waiting: EventMessage[] = []
  #mode: 'undecided' | 'listeners' | 'iterator' = 'undecided'
  #closed = false
  #error: Error | null = null
  #wake: () => void = () => {}

  constructor({ onRoom, onClose }: { onRoom: () => void; onClose: () => void }) {
    this.#onRoom = onRoom
    this.#onClose = onClose
  }

  get full(): boolean {
    return this.#waiting.length >= MAX_WAITING_EVENTS
  }

  push(event: EventMessage): void {
    if (this.#closed) return
    if (this.#mode === 'listeners' && this.#waiting.length === 0) {
      this.#emit(event)
      return
    }
    this.#waiting.push(event)
    this.#wake()
  }

  on<K extends keyof EventsByType>(type: K, listener: Listener<EventsByType[K]>): () => void {
    if (this.#mode === 'iterator') throw inUse()
    if (this.#mode === 'undecided') {
      this.#mode = 'listeners'
      // Later, so that listeners that are added next get it as well.
      queueMicrotask(() => {
        for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) this.#emit(event)
        this.#onRoom()
      })
    }
    return this.#emitter.on(type, listener)
  }

  off<K extends keyof EventsByType>(type: K, listener: Listener<EventsByType[K]>): void {
    this.#emitter.off(type, listener)
  }

  /** Idempotent. An iteration gets what waits, and then the end or the error. */
  close(error: Error | null = null): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    this.#onClose()
    this.#wake()
  }

  async *iterate(): AsyncGenerator<EventMessage, void, undefined> {
    if (this.#mode !== 'undecided') throw inUse()
    this.#mode = 'iterator'
    try {
      for (;;) {
        const event = this.#waiting.shift()
        if (event) {
          yield event
          // Not for each one: what was left out is read again from there on, as a whole.
          if (this.#waiting.length === 0 || this.#waiting.length === MAX_WAITING_EVENTS / 2) this.#onRoom()
        } else if (this.#closed) {
          if (this.#error) throw this.#error
          return
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      this.close()
    }
  }

  #emit(event: EventMessage): void {
    if (this.#closed) return
    this.#emitter.emit(event.type, event as never)
    this.#emitter.emit('event', event)
  }
}

function inUse(): ClientError {
  return new ClientError('IN_USE', 'these events are iterated, or listened to, already', {
    next: 'watch once more to hear them in another place',
  })
}
