import type { Caller } from '../../ports/accounts/caller.js'
import type { Guard, Held } from './guard.js'

/**
 * An open connection as the limits count it, with what it hears: for its address, and for the account that it is of at
 * the time.
 */
export class CountedConnection {
  readonly address: string
  readonly #open: Held | null
  readonly #subscriptions: Held | null
  #account: string | undefined

  /** Counts it. Throws as `Guard` does where one more is too many. */
  constructor(guard: Guard | null, address: string, caller: Caller | null) {
    this.address = address
    this.#account = caller?.party.id
    const source = { address, accountId: this.#account }
    this.#open = guard?.hold('connections', source) ?? null
    this.#subscriptions = guard?.hold('subscriptions', source) ?? null
    this.#open?.add(1)
  }

  /** It turns out to be another account's. Throws as `Guard` does, and nothing changes. */
  become(caller: Caller | null): void {
    const account = caller?.party.id
    this.#subscriptions?.become(account)
    try {
      this.#open?.become(account)
    } catch (refusal) {
      this.#subscriptions?.become(this.#account)
      throw refusal
    }
    this.#account = account
  }

  /** Throws as `Guard` does. Call the answer once, when it hears no more of it. */
  subscribe(): () => void {
    this.#subscriptions?.add(1)
    let heard = true
    return () => {
      if (heard) this.#subscriptions?.release(1)
      heard = false
    }
  }

  /** Idempotent. */
  release(): void {
    this.#open?.release()
    this.#subscriptions?.release()
  }

  /** `release`, to be called by an emitter of events. */
  readonly leave = (): void => this.release()
}
