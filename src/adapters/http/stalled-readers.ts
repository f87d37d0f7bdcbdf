import type { Socket } from 'node:net'
import type { Timer, Timers } from '../../ports/system/timers.js'

/** How often connections are checked, and so how long one may take nothing. */
const LOOK_EVERY_MS = 15_000
/** The bytes that a reader has to take between two checks, while there is something to take. */
const MIN_BYTES = 4 * 1024

/**
 * Cuts off clients that do not read what is sent: a download holds a page of a log, a file and a socket for as long as
 * its reader likes. Slow readers may go on; those that take next to nothing between two checks, twice in a row, may
 * not.
 */
export class StalledReaders {
  readonly #deps: { readonly timers: Timers; readonly sockets: Iterable<Socket>; readonly cut: () => void }
  readonly #seen = new WeakMap<Socket, { readonly taken: number; readonly strikes: number }>()
  #timer: Timer | null = null

  constructor(deps: { timers: Timers; sockets: Iterable<Socket>; cut: () => void }) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = this.#deps.timers.after(LOOK_EVERY_MS, () => {
      for (const socket of this.#deps.sockets) this.#look(socket)
      this.start()
    })
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel()
  }

  #look(socket: Socket): void {
    const { writableLength } = socket
    if (writableLength === 0) {
      this.#seen.delete(socket)
      return
    }
    const taken = socket.bytesWritten - writableLength
    const before = this.#seen.get(socket)
    const strikes = before !== undefined && taken - before.taken < MIN_BYTES ? before.strikes + 1 : 0
    if (strikes < 2) {
      this.#seen.set(socket, { taken, strikes })
      return
    }
    this.#deps.cut()
    socket.destroy()
  }
}
