/** Who is counted: an address always, an account where there is one. */
export interface Source {
  readonly address: string
  readonly accountId?: string | undefined
}

/** What callers hold of a gateway as long as they like: each is counted, and bounded by `DEFAULT_OPEN`. */
export const HELD_THINGS = ['sockets', 'connections', 'subscriptions', 'downloads', 'uploads'] as const
export type HeldThing = (typeof HELD_THINGS)[number]

/**
 * Keeps rates and numbers within limits, and answers at once. Each method throws where one is reached, with an error
 * whose code is TOO_MANY_REQUESTS and that says `limit`, `next` and `retryAfterSeconds`; nothing is counted then.
 */
export interface Guard {
  bid(source: Source): void
  /** A picture that is added. */
  picture(source: Source): void
  /** Before it is known who calls: checking credentials is work too. */
  callFrom(address: string, calls?: number): void
  callBy(accountId: string, calls?: number): void
  /** Nothing is held yet. */
  hold(what: HeldThing, source: Source): Held
  /** How much of it is held by all together. */
  held(what: HeldThing): number
  /** How often each limit has refused something since the start. */
  readonly refusals: ReadonlyMap<string, number>
}

/** How much of one thing somebody holds. */
export interface Held {
  add(count: number): void
  /** It is another account's from here on, or nobody's: as much as there is of it. */
  become(accountId: string | undefined): void
  /** Gives so many back; all of them, if none are named. */
  release(count?: number): void
}
