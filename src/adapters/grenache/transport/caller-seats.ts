import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Budget, Budgets } from '../../../application/budgets/budgets.js'

/** What one request of a caller holds until its answer has been taken. */
export interface Seat {
  /** False if the caller holds too much already. */
  take(bytes: number): boolean
  /** Counts an answer, which exists whether there is room or not. */
  charge(bytes: number): void
}

/** How many requests a caller has here, and how many bytes of them and of answers that it has not taken yet. */
export class CallerSeats {
  readonly #requests: Budget
  readonly #bytes: Budget
  /** Of each connection: answers that wait behind others on it are not closed with it. */
  readonly #seats = new WeakMap<Socket, Set<() => void>>()

  constructor(budgets: Budgets) {
    this.#requests = budgets.of('requests')
    this.#bytes = budgets.of('request-bytes')
  }

  /**
   * Null if the caller has as much under way as it may. The seat is freed when the answer, or the connection, is gone.
   */
  take(caller: string, { socket }: IncomingMessage, response: ServerResponse): Seat | null {
    if (this.#bytes.isSpent(caller) || !this.#requests.take(caller)) return null
    let held = 0
    const seats = this.#on(socket)
    const leave = () => {
      if (!seats.delete(leave)) return
      this.#requests.give(caller)
      this.#bytes.give(caller, held)
    }
    seats.add(leave)
    response.once('close', leave)
    return {
      take: (bytes) => {
        if (!seats.has(leave) || !this.#bytes.take(caller, bytes)) return false
        held += bytes
        return true
      },
      charge: (bytes) => {
        if (!seats.has(leave)) return
        held += bytes
        this.#bytes.charge(caller, bytes)
      },
    }
  }

  #on(socket: Socket): Set<() => void> {
    const known = this.#seats.get(socket)
    if (known !== undefined) return known
    const seats = new Set<() => void>()
    this.#seats.set(socket, seats)
    socket.once('close', () => {
      for (const leave of [...seats]) leave()
    })
    return seats
  }
}
