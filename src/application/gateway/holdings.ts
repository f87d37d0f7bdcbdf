import type { Held, HeldThing, Source } from './guard.js'
import { addressKey } from './limit-key.js'
import type { LimitRules, OpenName } from './limit-rules.js'

type Whom = 'address' | 'account'

/** What callers hold of a gateway now: by address, by account, and in total. */
export class Holdings {
  readonly #most: Readonly<Partial<Record<string, number>>>
  /** By limit and whose. */
  readonly #counts = new Map<string, number>()
  readonly #totals = new Map<HeldThing, number>()
  readonly #refused: (limit: OpenName, most: number) => never

  constructor(open: LimitRules['open'], refused: (limit: OpenName, most: number) => never) {
    this.#most = open
    this.#refused = refused
  }

  get size(): number {
    return this.#counts.size
  }

  total(what: HeldThing): number {
    return this.#totals.get(what) ?? 0
  }

  /** Throws what `refused` throws. */
  grow(what: HeldThing, whom: Whom, whose: string, count: number): void {
    const limit = `open_${what}_per_${whom}`
    const most = this.#most[limit]
    if (most === undefined) return
    const key = `${limit} ${whose}`
    const held = this.#counts.get(key) ?? 0
    if (held + count > most) this.#refused(limit as OpenName, most)
    this.#counts.set(key, held + count)
  }

  shrink(what: HeldThing, whom: Whom, whose: string, count: number): void {
    const key = `open_${what}_per_${whom} ${whose}`
    const left = (this.#counts.get(key) ?? 0) - count
    if (left > 0) this.#counts.set(key, left)
    else this.#counts.delete(key)
  }

  count(what: HeldThing, change: number): void {
    this.#totals.set(what, this.total(what) + change)
  }
}

export class Holding implements Held {
  readonly #holdings: Holdings
  readonly #what: HeldThing
  readonly #address: string
  #account: string | undefined
  #count = 0

  constructor(holdings: Holdings, what: HeldThing, { address, accountId }: Source) {
    this.#holdings = holdings
    this.#what = what
    this.#address = addressKey(address)
    this.#account = accountId
  }

  get accountId(): string | undefined {
    return this.#account
  }

  add(count: number): void {
    const holdings = this.#holdings
    holdings.grow(this.#what, 'address', this.#address, count)
    try {
      if (this.#account !== undefined) holdings.grow(this.#what, 'account', this.#account, count)
    } catch (refusal) {
      holdings.shrink(this.#what, 'address', this.#address, count)
      throw refusal
    }
    holdings.count(this.#what, count)
    this.#count += count
  }

  become(accountId: string | undefined): void {
    const before = this.#account
    if (accountId === before) return
    if (accountId !== undefined) this.#holdings.grow(this.#what, 'account', accountId, this.#count)
    if (before !== undefined) this.#holdings.shrink(this.#what, 'account', before, this.#count)
    this.#account = accountId
  }

  release(count = this.#count): void {
    const freed = Math.min(count, this.#count)
    if (freed === 0) return
    this.#count -= freed
    this.#holdings.count(this.#what, -freed)
    this.#holdings.shrink(this.#what, 'address', this.#address, freed)
    if (this.#account !== undefined) this.#holdings.shrink(this.#what, 'account', this.#account, freed)
  }
}
