import { createHash } from 'node:crypto'
import { loginKey } from '../../ports/accounts/account-repository.js'
import { BoundedRateLimiter } from './bounded-rate-limiter.js'
import type { Guard, Held, HeldThing, Source } from './guard.js'
import { Holding, Holdings } from './holdings.js'
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
  readonly #holdings: Holdings
  /** By login and address of former successes, the most recently used last. */
  readonly #known = new Map<string, Map<string, true>>()
  readonly #refusals = new Map<RateName | OpenName, number>()

  constructor(rules: LimitRules) {
    this.#rates = Object.fromEntries(
      Object.entries(rules.rates).map(([name, rate]) => [name, new BoundedRateLimiter(rate, rules.maxKeys)]),
    ) as Record<RateName, BoundedRateLimiter>
    this.#holdings = new Holdings(rules.open, (limit, most) =>
      this.#refuse(limit, OPEN_RETRY_SECONDS, `${most} at a time`),
    )
  }

  /** Throws `LimitError`; so do the others. */
  bid(source: Source): void {
    this.#both('bids', source)
  }

  picture(source: Source): void {
    this.#both('pictures', source)
  }

  /** Before it is known who calls; checking credentials is work too. */
  callFrom(address: string, calls = 1): void {
    this.#take('calls_per_address', addressKey(address), calls)
  }

  callBy(accountId: string, calls = 1): void {
    this.#take('calls_per_account', accountId, calls)
  }

  registration({ address }: Source): void {
    this.#take('registrations_per_address', addressKey(address))
  }

  /** Of connections the attempt counts too, in any case. */
  hold(what: HeldThing, source: Source): Held {
    const holding = new Holding(this.#holdings, what, source)
    if (what !== 'connections') return holding
    return {
      add: (count) => {
        this.#both('connections', source)
        holding.add(count)
      },
      become: (accountId) => {
        if (accountId !== undefined && accountId !== holding.accountId) this.#take('connections_per_account', accountId)
        holding.become(accountId)
      },
      release: (count) => holding.release(count),
    }
  }

  /**
   * Counts a login before it is tried, so that many at once do not slip through together; a success is taken back.
   * `whose` is the account's id where there is such an account, whatever it was called in the login, and what was typed
   * otherwise. Guessing is slowed down for an address, for a name from an address, and for a name from everywhere. The
   * last must not lock the owner out: it does not hold for addresses that the owner has logged in from, what is refused
   * does not make the wait longer, and logins that are open and API keys go on.
   */
  login(whose: string, { address }: Source): LoginAttempt {
    const who = loginHash(whose)
    const from = addressKey(address)
    this.#take('logins_per_address', from)
    this.#take('logins_per_name_and_address', `${who} ${from}`)
    const known = this.#known.get(who)?.has(from) === true
    if (!known) this.#take('logins_per_name', who)
    return {
      succeeded: () => {
        this.#remember(who, from)
        this.#rates.logins_per_address.giveBack(from)
        this.#rates.logins_per_name_and_address.giveBack(`${who} ${from}`)
        if (!known) this.#rates.logins_per_name.giveBack(who)
      },
    }
  }

  /** Counters in memory, for metrics and tests. */
  get size(): number {
    const rates = Object.values(this.#rates).reduce((sum, { size }) => sum + size, 0)
    return rates + this.#holdings.size + this.#known.size
  }

  held(what: HeldThing): number {
    return this.#holdings.total(what)
  }

  get refusals(): ReadonlyMap<RateName | OpenName, number> {
    return this.#refusals
  }

  #both(what: 'bids' | 'connections' | 'pictures', { address, accountId }: Source): void {
    this.#take(`${what}_per_address`, addressKey(address))
    if (accountId !== undefined) this.#take(`${what}_per_account`, accountId)
  }

  #take(limit: RateName, key: string, count = 1): void {
    const verdict = this.#rates[limit].take(key, count)
    if (verdict.ok) return
    const { rate } = this.#rates[limit]
    const seconds = Math.max(1, Math.ceil(verdict.retryAfterMs / 1_000))
    this.#refuse(limit, seconds, `${rate.count} in ${rate.seconds} s`)
  }

  #refuse(limit: RateName | OpenName, retryAfterSeconds: number, rule: string): never {
    this.#refusals.set(limit, (this.#refusals.get(limit) ?? 0) + 1)
    throw new LimitError(limit, retryAfterSeconds, rule)
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
  succeeded(): void
}

/** Of any length, and perhaps a password typed into the wrong field: not kept as it is. */
function loginHash(name: string): string {
  return createHash('sha256').update(loginKey(name)).digest('base64url').slice(0, 22)
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
