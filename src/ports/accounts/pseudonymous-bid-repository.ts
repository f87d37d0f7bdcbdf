export interface PseudonymousBid {
  readonly accountId: string
  readonly auctionId: string
  readonly position: number
}

/** Where an account has bid under a pseudonym: nobody else knows, and the log does not say. */
export interface PseudonymousBidRepository {
  /** Durable once it resolves. Idempotent. */
  note(accountId: string, auctionId: string): Promise<void>
  /** Those of these auctions that are noted. */
  among(accountId: string, auctionIds: readonly string[]): Promise<ReadonlySet<string>>
  /** The newest noted first, those before `before` (a position) or all; at most `limit`. */
  list(
    accountId: string,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<readonly { readonly auctionId: string; readonly position: number }[]>
  /**
   * Of all accounts, or of those in one auction: the oldest noted first, those after `after` (a position); at most
   * `limit`.
   */
  noted(
    auctionId: string | null,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly PseudonymousBid[]>
}
