import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { JoseAccessTokens, type TokenKey, type TokenKeys } from '../../src/adapters/jose/jose-access-tokens.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { AccountAuthenticator } from '../../src/application/accounts/account-authenticator.js'
import { Accounts, type AccountsOptions } from '../../src/application/accounts/accounts.js'
import { ApiKeys } from '../../src/application/accounts/api-keys.js'
import { Logins } from '../../src/application/accounts/logins.js'
import type { PasswordHasher } from '../../src/ports/accounts/password-hasher.js'
import { MemoryAccountStore } from './memory/memory-account-store.js'
import { silentLogger } from './silent-logger.js'

export const PASSWORD = 'correct horse battery'
export const MINUTE_MS = 60_000
export const DAY_MS = 24 * 60 * MINUTE_MS

export function makeTokenKey(id: string): TokenKey {
  const pair: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('ed25519')
  return { id, ...pair, retiredAt: null }
}

export function fixedKeys(keys: readonly [TokenKey, ...TokenKey[]]): TokenKeys {
  return { current: () => keys, latest: () => keys }
}

/** Fast, and counts the work that was asked of it. */
export class PlainHasher implements PasswordHasher {
  verified: (string | null)[] = []
  version = 1
  async hash(password: string): Promise<string> {
    return `v${this.version}:${password}`
  }
  async verify(hash: string | null, password: string): Promise<boolean> {
    this.verified.push(hash)
    return hash?.replace(/^v\d+:/, '') === password
  }
  isOutdated(hash: string): boolean {
    return !hash.startsWith(`v${this.version}:`)
  }
}

/** All of the accounts in memory, with a clock to be moved by hand. */
export function makeAccountHouse(options: Partial<AccountsOptions> = {}) {
  const time = { now: Date.UTC(2030, 0, 1) }
  const clock = { now: () => time.now, monotonicMs: () => time.now }
  const store = new MemoryAccountStore()
  const passwords = new PlainHasher()
  const tokenKey = makeTokenKey('k1')
  const accessTokens = new JoseAccessTokens(fixedKeys([tokenKey]), { lifetimeMs: 15 * MINUTE_MS })
  const deps = { ...pick(store), passwords, accessTokens, clock, random: systemRandom, logger: silentLogger }
  return {
    time,
    clock,
    store,
    passwords,
    tokenKey,
    accessTokens,
    accounts: new Accounts(deps, { registration: 'open', selfRoles: ['bidder', 'seller'], ...options }),
    logins: new Logins(deps, {
      accessTokenMs: 15 * MINUTE_MS,
      sessionIdleMs: 30 * DAY_MS,
      sessionMaxMs: 90 * DAY_MS,
      refreshSecret: 'a secret of the gateway',
    }),
    apiKeys: new ApiKeys(deps),
    authenticator: new AccountAuthenticator(deps),
  }
}

function pick({ accounts, sessions, apiKeys }: MemoryAccountStore) {
  return { accounts, sessions, apiKeys }
}

/** The code that a promise rejects with; fails where it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'RESOLVED',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )
}
