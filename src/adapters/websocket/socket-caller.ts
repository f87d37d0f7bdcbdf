import { type Presented, presentedInMessage } from '../../application/gateway/authenticate.js'
import { allowed } from '../../application/gateway/callers.js'
import type { CountedConnection } from '../../application/gateway/counted-connection.js'
import type { LiveCaller } from '../../application/gateway/live-callers.js'
import type { ClientMessage, ReplyMessage } from '../../application/gateway/messages.js'
import { InOrder } from '../../application/turns/in-order.js'
import type { Caller } from '../../ports/accounts/caller.js'
import type { ServingDeps } from '../http/serving-deps.js'

export type SocketCallerDeps = Pick<ServingDeps, 'callers' | 'guard' | 'liveCallers'>

/** Who speaks over one WebSocket: as of now, and counted for it. */
export class SocketCaller {
  readonly #deps: SocketCallerDeps
  readonly #live: LiveCaller
  readonly #connection: CountedConnection
  /** Bids, and the credentials that they are made with, in the order in which they come. */
  readonly lane = new InOrder()
  /** New credentials that are being checked: what comes after them is asked with them. */
  #authenticating: Promise<unknown> | null = null

  constructor(
    deps: SocketCallerDeps,
    options: {
      readonly presented: Presented
      readonly caller: Caller | null
      readonly connection: CountedConnection
      readonly reply: (message: ReplyMessage) => void
    },
  ) {
    const { presented, caller, connection, reply } = options
    this.#deps = deps
    this.#connection = connection
    this.#live = deps.liveCallers.watch(presented, {
      caller,
      ended: ({ code, message, next }) => reply({ type: 'signed_out', code, reason: message, next: next ?? null }),
    })
  }

  get address(): string {
    return this.#connection.address
  }

  get known(): Caller | null {
    return this.#live.known
  }

  leave(): void {
    this.#live.leave()
  }

  /** Counts one more subscription. Throws as `Guard` does. Call the answer once, when it is over. */
  subscribe(): () => void {
    return this.#connection.subscribe()
  }

  /** What costs as much as a request counts as one. Throws as `Guard` does. */
  count(calls = 1): void {
    const { guard } = this.#deps
    guard?.callFrom(this.#connection.address, calls)
    const { known } = this.#live
    if (known) guard?.callBy(known.party.id, calls)
  }

  /** Resolves when credentials that came before are checked, whatever has come of them. */
  async settled(): Promise<void> {
    if (this.#authenticating !== null) await this.#authenticating.catch(() => undefined)
  }

  /**
   * Takes the credentials of a message, in the order in which bids come, and calls `became` before what was sent after
   * them is looked at. Rejects where they are not good; nothing changes then.
   */
  become(message: Extract<ClientMessage, { type: 'authenticate' }>, became: (caller: Caller) => void): Promise<void> {
    const origin = { via: 'ws', from: this.#connection.address } as const
    const presented = { ...presentedInMessage(message), origin }
    const authenticating = Promise.resolve(this.lane.run(async () => became(await this.#become(presented)))).finally(
      () => {
        if (this.#authenticating === authenticating) this.#authenticating = null
      },
    )
    this.#authenticating = authenticating
    return authenticating
  }

  async #become(presented: Presented): Promise<Caller> {
    const { callers, guard } = this.#deps
    guard?.callFrom(this.#connection.address)
    const caller = allowed(await callers.identify(presented), 'read', callers.mode)
    this.#connection.become(caller)
    this.#live.become(presented, caller)
    return caller
  }

  /** Who bids, as of now, if they may. */
  readonly admit = (): Caller | Promise<Caller> => {
    const { certain, known } = this.#live
    return certain ? this.#mayBid(known) : this.#live.now().then(this.#mayBid)
  }

  readonly #mayBid = (known: Caller | null): Caller => {
    const { guard, callers } = this.#deps
    const caller = allowed(known, 'bid', callers.mode)
    guard?.bid({ address: this.#connection.address, accountId: caller.party.id })
    return caller
  }
}
