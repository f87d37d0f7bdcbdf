/** One login, and all refresh tokens that have come of it: a token is good once, and the next one takes its place. */
export interface Session {
  /** `ses_...`; reveals nothing about its tokens. */
  readonly id: string
  readonly accountId: string
  /** SHA-256 (hex) of the refresh token that is good now. */
  readonly tokenHash: string
  /** Of the one before it, null at first. */
  readonly previousHash: string | null
  /** UTC milliseconds; when `tokenHash` took its place. */
  readonly rotatedAt: number
  readonly createdAt: number
  /** Of no use from then on. */
  readonly expiresAt: number
}

export interface SessionRepository {
  /** Durable once it resolves. Of the account's sessions only the newest `keep` remain. */
  create(session: Session, keep: number): Promise<void>
  find(id: string): Promise<Session | null>
  /**
   * Puts `to` in the place of the token `from`, durably and at most once: false where `from` is not the good one any
   * longer, or the session is gone.
   */
  rotate(
    id: string,
    rotation: {
      readonly from: string
      readonly to: string
      readonly now: number
      readonly expiresAt: number
    },
  ): Promise<boolean>
  /** Idempotent. */
  remove(id: string): Promise<void>
  removeOf(accountId: string): Promise<void>
  /** At most `limit` of those that were past at `now`. */
  removeExpired(now: number, limit: number): Promise<void>
}
