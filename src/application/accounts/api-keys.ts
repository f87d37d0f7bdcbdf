import type { AccountRepository } from '../../ports/accounts/account-repository.js'
import type { ApiKey, ApiKeyRepository } from '../../ports/accounts/api-key-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Random } from '../../ports/system/random.js'
import { AccountError } from './account-error.js'
import { apiKeyInput, parseInput } from './account-input.js'
import { scopesOf } from './roles.js'
import { newApiKey, newId, sha256 } from './secrets.js'

export interface ApiKeysDeps {
  readonly accounts: AccountRepository
  readonly apiKeys: ApiKeyRepository
  readonly clock: Clock
  readonly random: Random
}

/** The most keys of one account that are neither revoked nor expired. */
export const MAX_API_KEYS = 20
/** The most keys that are listed, revoked ones included. */
export const MAX_LISTED_KEYS = 100
const DAY_MS = 24 * 60 * 60 * 1_000

export interface NewApiKey {
  readonly apiKey: ApiKey
  /** The key itself: shown only here, and stored nowhere. */
  readonly secret: string
}

/** Keys for programs, each with its own scopes and valid until revoked. */
export class ApiKeys {
  constructor(private readonly deps: ApiKeysDeps) {}

  /** `{label, scopes, expires_in_days?}`; scopes within what the account may do. */
  async create(accountId: string, input: unknown): Promise<NewApiKey> {
    const { accounts, apiKeys, clock, random } = this.deps
    const { label, scopes, expires_in_days } = parseInput(apiKeyInput, input)
    const account = await accounts.find(accountId)
    if (!account) throw new AccountError('ACCOUNT_NOT_FOUND', 'there is no such account any more')
    const allowed = scopesOf(account.roles)
    const beyond = scopes.filter((scope) => !allowed.includes(scope))
    if (beyond.length > 0) {
      throw new AccountError('SCOPE_NOT_ALLOWED', `the account may not do ${beyond.join(', ')} itself`, {
        next: `leave it out; the account has ${allowed.join(', ')}`,
        problems: [{ field: 'scopes', rule: `must be of ${allowed.join(', ')}` }],
      })
    }
    const id = newId('key', random)
    const secret = newApiKey(id, random)
    const now = clock.now()
    const apiKey: ApiKey = {
      id,
      accountId,
      label,
      scopes,
      hash: sha256(secret),
      createdAt: now,
      expiresAt: expires_in_days === undefined ? null : now + expires_in_days * DAY_MS,
      lastUsedAt: null,
      revokedAt: null,
    }
    if ((await apiKeys.create(apiKey, MAX_API_KEYS)) === 'created') return { apiKey, secret }
    throw new AccountError('TOO_MANY_API_KEYS', `an account has at most ${MAX_API_KEYS} usable API keys`, {
      next: 'revoke one that is not needed',
    })
  }

  /** Newest first, revoked ones too. */
  async list(accountId: string): Promise<readonly ApiKey[]> {
    return this.deps.apiKeys.list(accountId, MAX_LISTED_KEYS)
  }

  /** Takes effect at once. Idempotent; `accountId` null: an operator revokes it, whoever owns it. */
  async revoke(keyId: string, accountId: string | null): Promise<void> {
    const { apiKeys, clock } = this.deps
    const key = await apiKeys.find(keyId)
    // To a caller, keys of others do not exist.
    if (!key || (accountId !== null && key.accountId !== accountId)) {
      throw new AccountError('API_KEY_NOT_FOUND', 'there is no such API key', {
        next: 'list the keys to see their ids',
        problems: [{ field: 'id', rule: 'must be the id of an API key of this account, such as key_7k2m...' }],
      })
    }
    await apiKeys.revoke(keyId, clock.now())
  }
}
