import { createHash } from 'node:crypto'
import { BoundedRateLimiter, type Verdict } from './bounded-rate-limiter.js'
import type { Guard, Source } from './guard.js'
import { addressKey } from './limit-key.js'
import type { LimitRules, OpenName, RateName } from './limit-rules.js'

export class LimitError extends Error {
  readonly code = 'TOO_MANY_REQUESTS'
  readonly next: string
  constructor(
    /** The limit that was reached, as in the settings: "bids_per_account". */
    readonly limit: RateName | OpenName,
    /** Seconds, for Retry-After. */
    readonly retryAfterSeconds: number,
    rule: string,
  ) {
    super(`the limit ${limit} (${rule}) is reached; nothing was done`)
    this.name = 'LimitError'
    this.next = `try again in ${retryAfterSeconds} s`
  }
}

/** Addresses that an account's owner has logged in from: so many accounts, ... */
const MAX_KNOWN_NAMES = 10_000
/** ... so many addresses of each. The least recently used are forgotten. */
const MAX_KNOWN_ADDRESSES = 16
/** How soon a connection more may be tried: nobody knows when one ends. */
const OPEN_RETRY_SECONDS = 10

/** What one gateway process lets through. Counted in memory: a restart forgets, and each process counts for itself. */
export class Limits implements Guard {
  readonly #rates: Readonly<Record<RateName, BoundedRateLimiter>>
  readonly #open = new Map<string, number>()
  /** By login and address of former successes, the most recently used last. */
  readonly #known = new Map<string, Map<string, true>>()

  constructor(private readonly rules: LimitRules) {
    this.#rates = Object.fromEntries(
      Object.entries(rules.rates).map(([name, rate]) => [name, new BoundedRateLimiter(rate, rules.maxKeys)]),
    ) as Record<RateName, BoundedRateLimiter>
  }

  /** Rejects with `LimitError`; so do the others. */
  bid(source: Source): Promise<void> | null {
    return this.#both('bids', source)
  }

  /** Before it is known who calls; checking credentials is work too. */
  async callFrom(address: string): Promise<void> {
    await this.#take('calls_per_address', addressKey(address))
  }

  async callBy(accountId: string): Promise<void> {
    await this.#take('calls_per_account', accountId)
  }

  async registration({ address }: Source): Promise<void> {
    await this.#take('registrations_per_address', addressKey(address))
  }

  /**
   * Counts a connection until it is released, and the attempt in any case. `release` is idempotent.
   */
  async connection(source: Source): Promise<{ release(): void }> {
    await this.#both('connections', source)
    const keys: [OpenName, string][] = [['open_connections_per_address', addressKey(source.address)]]
    if (source.accountId !== undefined) keys.push(['open_connections_per_account', source.accountId])
    for (const [limit, key] of keys) {
      const most = this.rules.open[limit]
      if ((this.#open.get(`${limit} ${key}`) ?? 0) >= most)
        throw new LimitError(limit, OPEN_RETRY_SECONDS, `${most} open at a time`)
    }
    for (const [limit, key] of keys) this.#count(`${limit} ${key}`, 1)
    let released = false
    return {
      release: () => {
        if (released) return
        released = true
        for (const [limit, key] of keys) this.#count(`${limit} ${key}`, -1)
      },
    }
  }

  /**
   * Counts a login before it is tried, so that many at once do not slip through together; a success is taken back.
   * Guessing is slowed down for an address, for a name from an address, and for a name from everywhere. The last must
   * not lock the owner out: it does not hold for addresses that the owner has logged in from, what is refused does not
   * make the wait longer, and logins that are open and API keys go on.
   */
  async login(name: string, { address }: Source): Promise<LoginAttempt> {
    const who = loginHash(name)
    const from = addressKey(address)
    await this.#take('logins_per_address', from)
    await this.#take('logins_per_name_and_address', `${who} ${from}`)
    const known = this.#known.get(who)?.has(from) === true
    if (!known) await this.#take('logins_per_name', who)
    return {
      succeeded: async () => {
        this.#remember(who, from)
        await this.#rates.logins_per_address.giveBack(from)
        await this.#rates.logins_per_name_and_address.giveBack(`${who} ${from}`)
        if (!known) await this.#rates.logins_per_name.giveBack(who)
      },
    }
  }

  /** Counters in memory, for metrics and tests. */
  get size(): number {
    const rates = Object.values(this.#rates).reduce((sum, { size }) => sum + size, 0)
    return rates + this.#open.size + this.#known.size
  }

  #both(what: 'bids' | 'connections', { address, accountId }: Source): Promise<void> | null {
    const byAddress = this.#take(`${what}_per_address`, addressKey(address))
    if (accountId === undefined) return byAddress
    if (byAddress === null) return this.#take(`${what}_per_account`, accountId)
    return byAddress.then(() => this.#take(`${what}_per_account`, accountId) ?? undefined)
  }

  #take(limit: RateName, key: string): Promise<void> | null {
    const verdict = this.#rates[limit].take(key)
    if (verdict instanceof Promise) return verdict.then((told) => this.#judge(limit, told))
    return verdict.ok ? null : this.#judge(limit, verdict)
  }

  async #judge(limit: RateName, verdict: Verdict): Promise<void> {
    if (verdict.ok) return
    const { count, seconds } = this.#rates[limit].rate
    throw new LimitError(
      limit,
      Math.max(1, Math.ceil(verdict.retryAfterMs / 1_000)),
      `${count} in ${seconds} s`,
    )
  }

  #count(key: string, change: 1 | -1): void {
    const count = (this.#open.get(key) ?? 0) + change
    if (count > 0) this.#open.set(key, count)
    else this.#open.delete(key)
  }

  #remember(who: string, from: string): void {
    const addresses = this.#known.get(who) ?? new Map<string, true>()
    addresses.delete(from)
    addresses.set(from, true)
    dropOldest(addresses, MAX_KNOWN_ADDRESSES)
    this.#known.delete(who)
    this.#known.set(who, addresses)
    dropOldest(this.#known, MAX_KNOWN_NAMES)
  }
}

export interface LoginAttempt {
  succeeded(): Promise<void>
}

/** Of any length, and perhaps a password typed into the wrong field: not kept as it is. */
function loginHash(name: string): string {
  return createHash('sha256').update(name.trim().toLowerCase()).digest('base64url').slice(0, 22)
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
