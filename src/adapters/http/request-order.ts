import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { InOrder } from '../../application/turns/in-order.js'
import { RequestError } from './problem.js'

/** Requests of one connection that wait for those before them. */
const MAX_WAITING = 64

interface Line {
  readonly order: InOrder
  waiting: number
  /** Ends the turn of the request that is being served. */
  end: () => void
}

/**
 * Requests of one connection are served one after the other, as they came: a client that sends the next one before it
 * has the answer to the last (pipelining) would otherwise have them overtake each other in what is checked on the way.
 */
export class RequestOrder {
  readonly #lines = new WeakMap<Socket, Line>()

  /**
   * Null where it is its turn already; otherwise a promise for that. The turn lasts until the response is closed.
   * Throws where too many wait; the promise rejects where the connection closes before.
   */
  enter(socket: Socket, response: ServerResponse): Promise<void> | null {
    const line = this.#line(socket)
    const serve = () =>
      new Promise<void>((end) => {
        line.end = end
        if (socket.destroyed) end()
        else response.once('close', end)
      })
    if (line.order.idle) {
      void line.order.run(serve)
      return null
    }
    if (line.waiting >= MAX_WAITING) throw tooManyWaiting()
    line.waiting += 1
    return new Promise((resolve, reject) => {
      void line.order.run(() => {
        line.waiting -= 1
        if (socket.destroyed) reject(connectionClosed())
        else resolve()
        return serve()
      })
    })
  }

  #line(socket: Socket): Line {
    const known = this.#lines.get(socket)
    if (known) return known
    const line: Line = { order: new InOrder(), waiting: 0, end: () => {} }
    socket.once('close', () => line.end())
    this.#lines.set(socket, line)
    return line
  }
}

function tooManyWaiting(): RequestError {
  return new RequestError(503, 'BUSY', `${MAX_WAITING} requests of this connection wait for their answers`, {
    next: 'wait for some of them, or open another connection; nothing was done',
  })
}

function connectionClosed(): RequestError {
  return new RequestError(400, 'CONNECTION_CLOSED', 'the connection was closed before this request had its turn')
}
