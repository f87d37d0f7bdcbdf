export interface AccessClaims {
  readonly accountId: string
  readonly sessionId: string
}

/** Short-lived proofs of a login, which say who and nothing else. */
export interface AccessTokens {
  /** Times in UTC milliseconds. */
  issue(claims: AccessClaims, validity: { readonly now: number; readonly expiresAt: number }): Promise<string>
  /** Rejects with `CallerError`: TOKEN_INVALID, or TOKEN_EXPIRED for one that was good once. */
  verify(token: string, now: number): Promise<AccessClaims>
}
