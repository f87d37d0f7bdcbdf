import type { AccessTokens } from '../../ports/accounts/access-tokens.js'
import type { Account, AccountRepository } from '../../ports/accounts/account-repository.js'
import type { ApiKeyRepository } from '../../ports/accounts/api-key-repository.js'
import {
  type Authenticator,
  type Caller,
  CallerError,
  type Credentials,
  type Scope,
} from '../../ports/accounts/caller.js'
import type { SessionRepository } from '../../ports/accounts/session-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import { MAX_TOKEN_LENGTH } from './account-input.js'
import { scopesOf } from './roles.js'
import { apiKeyIdOf, sameHash, sha256 } from './secrets.js'

export interface AccountAuthenticatorDeps {
  readonly accounts: AccountRepository
  readonly sessions: SessionRepository
  readonly apiKeys: ApiKeyRepository
  readonly accessTokens: AccessTokens
  readonly clock: Clock
}

/** Who calls, and with which credentials: some things only the account's owner may do, not a program with a key. */
export interface AccountCaller extends Caller {
  readonly credential:
    | { readonly kind: 'access-token'; readonly sessionId: string }
    | { readonly kind: 'api-key'; readonly keyId: string }
}

/** `lastUsedAt` shows the owner which keys are in use; that is not worth a write for every request. */
export const USED_EVERY_MS = 60 * 60 * 1_000

/**
 * Reads the account, the session and the key at every call, so that what was disabled, logged out or revoked, by
 * whichever process, is refused from that moment on; roles are the present ones, not those of when a token was issued.
 */
export class AccountAuthenticator implements Authenticator {
  constructor(private readonly deps: AccountAuthenticatorDeps) {}

  async authenticate(credentials: Credentials): Promise<AccountCaller> {
    switch (credentials.kind) {
      case 'access-token':
        // Programs that know only one way to send a secret send API keys as bearer tokens.
        return apiKeyIdOf(credentials.token) === null
          ? this.#byToken(credentials.token)
          : this.#byKey(credentials.token)
      case 'api-key':
        return this.#byKey(credentials.key)
      default: {
        const unknown: never = credentials
        throw new Error(`unknown credentials ${typeof unknown}`)
      }
    }
  }

  async #byToken(token: string): Promise<AccountCaller> {
    const { accessTokens, accounts, sessions, clock } = this.deps
    if (token.length > MAX_TOKEN_LENGTH) throw badToken()
    const now = clock.now()
    const { accountId, sessionId } = await accessTokens.verify(token, now)
    const account = usable(await accounts.find(accountId), badToken)
    const session = await sessions.find(sessionId)
    if (!session || session.accountId !== account.id || session.expiresAt <= now) {
      throw new CallerError('TOKEN_INVALID', 'the login that this access token came from has ended', {
        next: 'log in again',
      })
    }
    return callerOf(account, scopesOf(account.roles), { kind: 'access-token', sessionId })
  }

  async #byKey(key: string): Promise<AccountCaller> {
    const { apiKeys, accounts, clock } = this.deps
    const keyId = apiKeyIdOf(key)
    const found = keyId === null ? null : await apiKeys.find(keyId)
    if (!found || !sameHash(found.hash, sha256(key)) || found.revokedAt !== null) throw badKey()
    const now = clock.now()
    if (found.expiresAt !== null && found.expiresAt <= now) {
      throw new CallerError('TOKEN_EXPIRED', 'this API key has expired', { next: 'create another one' })
    }
    const account = usable(await accounts.find(found.accountId), badKey)
    if (found.lastUsedAt === null || now - found.lastUsedAt >= USED_EVERY_MS) await apiKeys.used(found.id, now)
    const allowed = scopesOf(account.roles)
    const scopes = found.scopes.filter((scope) => allowed.includes(scope))
    return callerOf(account, scopes, { kind: 'api-key', keyId: found.id })
  }
}

function callerOf(
  { id, name, roles }: Account,
  scopes: readonly Scope[],
  credential: AccountCaller['credential'],
): AccountCaller {
  return { party: { id, name }, roles, scopes, credential }
}

function usable(account: Account | null, missing: () => CallerError): Account {
  if (!account) throw missing()
  if (account.disabledAt === null) return account
  throw new CallerError('ACCOUNT_DISABLED', 'this account is disabled', {
    next: 'ask an operator of the gateway',
  })
}

function badToken(): CallerError {
  return new CallerError('TOKEN_INVALID', 'this access token is not one of this gateway', {
    next: 'log in again',
  })
}

function badKey(): CallerError {
  return new CallerError('TOKEN_INVALID', 'this API key is not good, or was revoked', {
    next: 'check that it is whole, or create another one',
  })
}
