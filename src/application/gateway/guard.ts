/** Who is counted: an address always, an account where there is one. */
export interface Source {
  readonly address: string
  readonly accountId?: string | undefined
}

/**
 * Keeps rates and numbers within limits. Each method rejects where one is reached, with an error whose code is
 * TOO_MANY_REQUESTS and that says `limit`, `next` and `retryAfterSeconds`.
 */
export interface Guard {
  /** Null where there is nothing to wait for. */
  bid(source: Source): Promise<void> | null
  /** Before it is known who calls: checking credentials is work too. */
  callFrom(address: string): Promise<void>
  callBy(accountId: string): Promise<void>
  /** Counts a connection until it is released. */
  connection(source: Source): Promise<{ release(): void }>
}
