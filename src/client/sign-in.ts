import type { EventMessage, ReplyMessage } from './messages.js'
import type { SaidCredential, Session } from './session.js'
import type { SocketLike } from './sockets.js'

/** Refusals of credentials: the same ones would be refused again. */
const REFUSED = new Set(['TOKEN_INVALID', 'TOKEN_EXPIRED', 'ACCOUNT_DISABLED', 'UNAUTHENTICATED', 'FORBIDDEN'])
/** Renewals for one greeting: a gateway that refuses what another one gives must not keep the client from hearing. */
const MAX_TRIES = 2

/**
 * Authenticates one connection to its gateway. Browsers cannot send headers with a WebSocket, and addresses end up in
 * logs: so the first message carries the credentials. If they are refused, the connection goes on anonymously and may
 * still listen.
 */
export class SignIn {
  readonly #session: Session
  readonly #socket: SocketLike
  /** That the gateway knows the connection by, or has been asked to. */
  #shown: string | null
  #refused: string | null = null
  #answer: ((answer: 'authenticated' | 'refused' | 'failed') => void) | null = null
  #accounts = false
  /** Nothing else has been sent over this connection yet. */
  #greeting = false
  #ended = false
  #done = false

  constructor({ session, socket }: { session: Session; socket: SocketLike }, shown: SaidCredential | null) {
    this.#session = session
    this.#socket = socket
    this.#shown = shown && JSON.stringify(shown)
  }

  /** The gateway knows who this is. */
  get done(): boolean {
    return this.#done
  }

  /** Null: there are no credentials. Resolves when the gateway has accepted or refused them; never rejects. */
  welcome({ auth, user }: Extract<ReplyMessage, { type: 'welcome' }>): Promise<void> | null {
    this.#accounts = auth === 'accounts'
    this.#done = user !== null
    if (this.#done || !this.#accounts) return null
    this.#greeting = true
    return this.renew().finally(() => {
      this.#greeting = false
    })
  }

  /** Says what the gateway does not know the connection by yet, renewed where it is refused. Never rejects. */
  async renew(): Promise<void> {
    try {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        if ((await this.#say()) !== 'refused' || !(await this.#session.renew())) return
      }
    } catch {
      // Asked again with the next beat; until then bids go by HTTP, which says more of why.
    }
  }

  /** True if the message was about this. */
  message(message: ReplyMessage | EventMessage): boolean {
    if (message.type === 'authenticated') {
      this.#done = !this.#ended
      this.#answered('authenticated')
    } else if (message.type === 'signed_out') {
      this.#done = false
      this.#answered('failed')
      this.#shown = null
      void this.#session
        .renew()
        .catch(() => false)
        .then(() => this.renew())
    } else if (message.type === 'error' && this.#answer) {
      if (REFUSED.has(message.code)) this.#answered('refused')
      else if (this.#greeting || message.code === 'TOO_MANY_REQUESTS') this.#answered('failed')
      else return false
    } else return false
    return true
  }

  /** The connection is lost. */
  end(): void {
    this.#ended = true
    this.#done = false
    this.#answered('failed')
  }

  async #say(): Promise<'authenticated' | 'refused' | 'failed' | 'nothing'> {
    if (!this.#accounts) return 'nothing'
    const credential = await this.#session.credential()
    const said = credential && JSON.stringify(credential)
    if (said === null || said === this.#shown || said === this.#refused || this.#answer || this.#ended) return 'nothing'
    this.#shown = said
    const answered = new Promise<'authenticated' | 'refused' | 'failed'>((resolve) => {
      this.#answer = resolve
    })
    this.#socket.send(JSON.stringify({ type: 'authenticate', ...credential }))
    const answer = await answered
    if (answer !== 'authenticated') this.#shown = null
    if (answer === 'refused') this.#refused = said
    return answer
  }

  #answered(answer: 'authenticated' | 'refused' | 'failed'): void {
    this.#answer?.(answer)
    this.#answer = null
  }
}
