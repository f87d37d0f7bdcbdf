import type { IncomingMessage } from 'node:http'
import type { Server } from 'socket.io'
import { CountedConnection } from '../../application/gateway/counted-connection.js'
import type { Guard } from '../../application/gateway/guard.js'
import type { ClientAddresses } from '../http/client-addresses.js'
import type { OriginPolicy } from '../http/origin-policy.js'
import { problemOf } from '../http/problem.js'

export interface SocketIoSessionsDeps {
  readonly addresses: ClientAddresses
  readonly guard: Guard | null
  readonly origins: OriginPolicy
}

/** How long a session that is refused, and polls, has to fetch why. */
const GOODBYE_MS = 2_000

interface Session {
  readonly request: IncomingMessage
  readonly transport: { closeTimeout?: number }
  once(event: 'close', listener: () => void): void
}

/**
 * The sessions below Socket.IO (Engine.IO's), which exist before anybody joins a namespace, whatever they travel over.
 * They are what is counted: a client can open them without ever joining, and join several namespaces over one.
 */
export class SocketIoSessions {
  readonly #deps: SocketIoSessionsDeps
  /** By the request that opened the session. */
  readonly #connections = new WeakMap<IncomingMessage, CountedConnection>()
  readonly #open = new Set<Session>()
  #closed = false
  #ended: () => void = () => {}

  constructor(deps: SocketIoSessionsDeps) {
    this.#deps = deps
  }

  /** Engine.IO's `allowRequest`: asked once for each session. */
  readonly admit = (
    request: IncomingMessage,
    done: (refusal: string | null | undefined, admitted: boolean) => void,
  ): void => {
    const refusal = this.#closed ? 'STOPPING' : this.#enter(request)
    done(refusal, refusal === null)
  }

  /** Of a session that was admitted. */
  of(request: IncomingMessage): CountedConnection {
    const connection = this.#connections.get(request)
    if (connection === undefined) throw new Error('the session was not counted')
    return connection
  }

  attach(engine: Server['engine']): void {
    engine.on('connection', (session: Session) => {
      const connection = this.of(session.request)
      session.transport.closeTimeout = GOODBYE_MS
      session.request.socket.off('close', connection.leave)
      this.#open.add(session)
      session.once('close', () => {
        connection.leave()
        this.#open.delete(session)
        if (this.#open.size === 0) this.#ended()
      })
    })
    // Admitted, and refused by Engine.IO for another reason.
    engine.on('connection_error', ({ req }: { req: IncomingMessage }) => this.#connections.get(req)?.release())
  }

  /** No new ones. */
  close(): void {
    this.#closed = true
  }

  /** Resolves when none is left; call it after `close`. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      this.#ended = resolve
      if (this.#open.size === 0) resolve()
    })
  }

  /** The code of the refusal; null where there is none. */
  #enter(request: IncomingMessage): string | null {
    const { addresses, guard, origins } = this.#deps
    const refusal = origins.refusal(request.headers)
    if (refusal) return refusal.code
    try {
      const connection = new CountedConnection(guard, addresses.of(request), null)
      this.#connections.set(request, connection)
      // Until the session is open: nothing else says that the client went away before.
      request.socket.once('close', connection.leave)
      return null
    } catch (error) {
      const answer = problemOf(error)
      if (answer === null) throw error
      return answer.problem.code
    }
  }
}
