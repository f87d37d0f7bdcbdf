import type { Account } from '../../ports/accounts/account-repository.js'
import type { ApiKey } from '../../ports/accounts/api-key-repository.js'
import { type Caller, CallerError, type Credentials } from '../../ports/accounts/caller.js'
import type { AccountAuthenticator, AccountCaller } from '../accounts/account-authenticator.js'
import { AccountError } from '../accounts/account-error.js'
import type { Accounts } from '../accounts/accounts.js'
import type { ApiKeys } from '../accounts/api-keys.js'
import type { Logins, Tokens } from '../accounts/logins.js'
import { needScope } from '../accounts/roles.js'
import type { Limits } from './limits.js'

export interface AccountCallsDeps {
  readonly accounts: Pick<Accounts, 'register' | 'changePassword'>
  readonly logins: Pick<Logins, 'open' | 'whose' | 'logIn' | 'refresh' | 'logOut' | 'end'>
  readonly apiKeys: ApiKeys
  readonly authenticator: Pick<AccountAuthenticator, 'authenticate'>
  readonly limits: Limits
}

/** What callers do with their accounts, over HTTP or gRPC. Rejects with `AccountError`, `CallerError` and limits. */
export class AccountCalls {
  readonly #deps: AccountCallsDeps

  constructor(deps: AccountCallsDeps) {
    this.#deps = deps
  }

  async register(address: string, account: Parameters<Accounts['register']>[0]): Promise<Tokens> {
    const { accounts, limits, logins } = this.#deps
    limits.registration({ address })
    return logins.open(await accounts.register(account))
  }

  async logIn(address: string, { login, password }: { login: string; password: string }): Promise<Tokens> {
    const { limits, logins } = this.#deps
    const attempt = limits.login(await logins.whose(login), { address })
    const tokens = await logins.logIn({ login, password })
    attempt.succeeded()
    return tokens
  }

  refresh(token: string): Promise<Tokens> {
    return this.#deps.logins.refresh(token)
  }

  /** By its refresh token, or by the access token that came along. */
  async logOut(token: string | undefined, presented: Credentials | null): Promise<void> {
    const { authenticator, logins } = this.#deps
    if (token !== undefined) return logins.logOut(token)
    if (presented?.kind !== 'access-token') throw missing('refresh_token')
    const { credential } = await authenticator.authenticate(presented)
    if (credential.kind !== 'access-token') throw missing('refresh_token')
    await logins.end(credential.sessionId)
  }

  async changePassword(
    { caller, address }: { readonly caller: Caller | null; readonly address: string },
    passwords: Parameters<Accounts['changePassword']>[1],
  ): Promise<Tokens> {
    const { accounts, limits, logins } = this.#deps
    const { party } = ownerIn(caller)
    const attempt = limits.login(party.id, { address })
    const account: Account = await accounts.changePassword(party.id, passwords)
    attempt.succeeded()
    return logins.open(account)
  }

  createKey(caller: Caller | null, key: Parameters<ApiKeys['create']>[1]): ReturnType<ApiKeys['create']> {
    return this.#deps.apiKeys.create(ownerIn(caller).party.id, key)
  }

  async keys(caller: Caller | null): Promise<readonly ApiKey[]> {
    needScope(caller, 'read')
    return this.#deps.apiKeys.list(caller.party.id)
  }

  async revokeKey(caller: Caller | null, id: string): Promise<void> {
    await this.#deps.apiKeys.revoke(id, ownerIn(caller).party.id)
  }
}

/** The logged-in caller. A program with a key must not make more keys, or take over the account. */
function ownerIn(caller: Caller | null): AccountCaller {
  needScope(caller, 'read')
  const { credential } = caller as Partial<AccountCaller>
  if (credential?.kind === 'access-token') return caller as AccountCaller
  throw new CallerError('FORBIDDEN', 'this needs a login, not an API key', {
    next: 'log in at /api/v1/auth/login and send the access token',
  })
}

export function missing(field: string): AccountError {
  return new AccountError('INVALID_INPUT', `${field} must be given`, {
    problems: [{ field, rule: 'must be given' }],
    next: 'correct it and send it again',
  })
}
