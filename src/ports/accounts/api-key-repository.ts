import type { Scope } from './caller.js'

export interface ApiKey {
  /** `key_...`; stands in the key itself, and is no secret. */
  readonly id: string
  readonly accountId: string
  /** SHA-256 (hex) of the key. */
  readonly hash: string
  /** What its owner calls it. */
  readonly label: string
  readonly scopes: readonly Scope[]
  /** UTC milliseconds, as all times here. */
  readonly createdAt: number
  readonly expiresAt: number | null
  /** To the hour. */
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

export interface ApiKeyRepository {
  /** Durable once it resolves. Stores nothing where the account has `maxUsable` that are neither revoked nor past. */
  create(key: ApiKey, maxUsable: number): Promise<'created' | 'too-many'>
  find(id: string): Promise<ApiKey | null>
  /** Newest first, revoked ones too; at most `limit`. */
  list(accountId: string, limit: number): Promise<readonly ApiKey[]>
  /** Durable once it resolves. False where there is no such key; one that was revoked stays as it is. */
  revoke(id: string, now: number): Promise<boolean>
  used(id: string, now: number): Promise<void>
}
