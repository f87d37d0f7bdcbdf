import type { Caller } from '../../ports/accounts/caller.js'
import type { Guard } from './guard.js'

/** An open connection as the limits count it: for its address, and for the account that it is of at the time. */
export class CountedConnection {
  readonly #guard: Guard | null
  readonly address: string
  #account: string | undefined
  #counted: { release(): void } | null = null
  #released = false

  constructor(guard: Guard | null, address: string) {
    this.#guard = guard
    this.address = address
  }

  /** When it opens, and when it turns out to be another account's. Rejects as `Guard.connection` does. */
  async count(caller: Caller | null): Promise<void> {
    const account = caller?.party.id
    if (this.#guard === null || (this.#counted !== null && account === this.#account)) return
    const counted = await this.#guard.connection({ address: this.address, accountId: account })
    if (this.#released) return counted.release()
    this.#counted?.release()
    this.#counted = counted
    this.#account = account
  }

  /** Idempotent. */
  release(): void {
    this.#released = true
    this.#counted?.release()
  }
}
