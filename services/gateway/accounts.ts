import { Argon2PasswordHasher } from '../../src/adapters/argon2/argon2-password-hasher.js'
import { accountRoutes } from '../../src/adapters/http/account-routes.js'
import { JoseAccessTokens } from '../../src/adapters/jose/jose-access-tokens.js'
import { openAccountStore } from '../../src/adapters/sqlite/open-account-store.js'
import { type AccountSettings, DEFAULT_ACCOUNT_SETTINGS } from '../../src/adapters/system/account-settings.js'
import { loadGatewaySecrets, rotateTokenKey, type TokenKeyRotation } from '../../src/adapters/system/gateway-secrets.js'
import { GatewayTokenKeys } from '../../src/adapters/system/gateway-token-keys.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { AccountAuthenticator } from '../../src/application/accounts/account-authenticator.js'
import { Accounts } from '../../src/application/accounts/accounts.js'
import { ApiKeys } from '../../src/application/accounts/api-keys.js'
import { Logins } from '../../src/application/accounts/logins.js'
import { Pseudonyms } from '../../src/application/accounts/pseudonyms.js'
import { AccountCalls } from '../../src/application/gateway/account-calls.js'
import { DEFAULT_LIMITS, type LimitRules } from '../../src/application/gateway/limit-rules.js'
import { Limits } from '../../src/application/gateway/limits.js'
import { type Audit, NO_AUDIT } from '../../src/ports/audit/audit.js'
import type { Clock } from '../../src/ports/system/clock.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Random } from '../../src/ports/system/random.js'
import type { GatewayNeeds } from './create-gateway.js'

export interface AccountsSettings {
  readonly accounts?: Partial<AccountSettings>
  readonly limits?: LimitRules
}

export interface GatewayAccounts {
  readonly authenticator: AccountAuthenticator
  /** A Fastify plugin for the gateway's instance. */
  readonly routes: ReturnType<typeof accountRoutes>
  readonly limits: Limits
  readonly accounts: Accounts
  readonly apiKeys: ApiKeys
  readonly pseudonyms: Pseudonyms
  /** What a gateway takes of them. */
  readonly parts: Pick<Required<GatewayNeeds>, 'accountCalls' | 'authenticator' | 'guard' | 'plugins' | 'pseudonyms'>
  /** Has another key sign access tokens, in all gateways of this data directory. */
  rotateTokenKey(options: { readonly dropOld: boolean }): TokenKeyRotation
  /** Idempotent. */
  close(): Promise<void>
}

/**
 * The accounts of a gateway, in its data directory: gateway.db and gateway.keys, both made where there are none.
 * Rejects with an error that has a `code` and says what to do.
 */
export async function openAccounts(
  dataDir: string,
  { accounts: accountSettings = {}, limits: limitRules = DEFAULT_LIMITS }: AccountsSettings,
  {
    logger,
    audit = NO_AUDIT,
    clock = systemClock,
    random = systemRandom,
  }: { logger: Logger; audit?: Audit; clock?: Clock; random?: Random },
): Promise<GatewayAccounts> {
  const settings = { ...DEFAULT_ACCOUNT_SETTINGS, ...accountSettings }
  const store = openAccountStore(dataDir)
  try {
    const { tokenKeys, refreshSecret, pseudonymSecret } = loadGatewaySecrets(dataDir, random)
    const { accessTokenMs: lifetimeMs } = settings
    const keys = new GatewayTokenKeys(dataDir, { clock, logger, random }, tokenKeys)
    const accessTokens = new JoseAccessTokens(keys, { lifetimeMs })
    const passwords = new Argon2PasswordHasher()
    await passwords.warmUp()
    const deps = { ...store, passwords, accessTokens, clock, random, logger }
    const accounts = new Accounts(deps, settings)
    const logins = new Logins(deps, { ...settings, refreshSecret })
    const apiKeys = new ApiKeys(deps)
    const authenticator = new AccountAuthenticator(deps)
    const limits = new Limits(limitRules)
    const calls = new AccountCalls({ accounts, logins, apiKeys, authenticator, limits, audit })
    const routes = accountRoutes({ calls, clock })
    const pseudonyms = new Pseudonyms(store, { secret: pseudonymSecret })
    return {
      authenticator,
      limits,
      accounts,
      apiKeys,
      routes,
      pseudonyms,
      parts: { accountCalls: calls, authenticator, guard: limits, plugins: [routes], pseudonyms },
      rotateTokenKey: ({ dropOld }) => rotateTokenKey(dataDir, { now: clock.now(), lifetimeMs, dropOld }, random),
      close: () => store.close(),
    }
  } catch (error) {
    await store.close()
    throw error
  }
}
