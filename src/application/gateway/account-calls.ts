import type { Account } from '../../ports/accounts/account-repository.js'
import type { ApiKey } from '../../ports/accounts/api-key-repository.js'
import { type Caller, CallerError, type Credentials } from '../../ports/accounts/caller.js'
import type { Audit } from '../../ports/audit/audit.js'
import type { AccountAuthenticator, AccountCaller } from '../accounts/account-authenticator.js'
import { AccountError } from '../accounts/account-error.js'
import type { Accounts } from '../accounts/accounts.js'
import type { ApiKeys } from '../accounts/api-keys.js'
import type { Logins, Tokens } from '../accounts/logins.js'
import { needScope } from '../accounts/roles.js'
import type { Limits } from './limits.js'
import { type Recorded, recorded } from './recorded.js'

export interface AccountCallsDeps {
  readonly accounts: Pick<Accounts, 'register' | 'changePassword'>
  readonly logins: Pick<Logins, 'open' | 'whose' | 'logIn' | 'refresh' | 'logOut' | 'end'>
  readonly apiKeys: ApiKeys
  readonly authenticator: Pick<AccountAuthenticator, 'authenticate'>
  readonly limits: Limits
  readonly audit: Audit
}

/** What callers do with their accounts, over HTTP or gRPC. Rejects with `AccountError`, `CallerError` and limits. */
export class AccountCalls {
  readonly #deps: AccountCallsDeps

  constructor(deps: AccountCallsDeps) {
    this.#deps = deps
  }

  register(call: Recorded, account: Parameters<Accounts['register']>[0]): Promise<Tokens> {
    const { accounts, audit, limits, logins } = this.#deps
    const register = async () => {
      limits.registration(call)
      return logins.open(await accounts.register(account))
    }
    return recorded(audit, { act: 'account.register', call }, register, ownerOf)
  }

  async logIn(call: Recorded, { login, password }: { login: string; password: string }): Promise<Tokens> {
    const { audit, limits, logins } = this.#deps
    const whose = await logins.whose(login)
    // What was typed for a name that nobody has may be a password.
    const who = ACCOUNT_ID.test(whose) ? whose : null
    const logIn = async () => {
      const attempt = limits.login(whose, call)
      const tokens = await logins.logIn({ login, password })
      attempt.succeeded()
      return tokens
    }
    return recorded(audit, { act: 'account.log-in', call, who }, logIn)
  }

  refresh(call: Recorded, token: string): Promise<Tokens> {
    const { audit, logins } = this.#deps
    return recorded(audit, { act: 'account.refresh', call }, () => logins.refresh(token), ownerOf)
  }

  logOut(call: Recorded, token: string | undefined, presented: Credentials | null): Promise<void> {
    const work = () => this.#logOut(token, presented)
    return recorded(this.#deps.audit, { act: 'account.log-out', call }, work)
  }

  /** By its refresh token, or by the access token that came along. */
  async #logOut(token: string | undefined, presented: Credentials | null): Promise<void> {
    const { authenticator, logins } = this.#deps
    if (token !== undefined) return logins.logOut(token)
    if (presented?.kind !== 'access-token') throw missing('refresh_token')
    const { credential } = await authenticator.authenticate(presented)
    if (credential.kind !== 'access-token') throw missing('refresh_token')
    await logins.end(credential.sessionId)
  }

  changePassword(call: Recorded, passwords: Parameters<Accounts['changePassword']>[1]): Promise<Tokens> {
    const { accounts, audit, limits, logins } = this.#deps
    const change = async () => {
      const { party } = ownerIn(call.caller)
      const attempt = limits.login(party.id, call)
      const account: Account = await accounts.changePassword(party.id, passwords)
      attempt.succeeded()
      return logins.open(account)
    }
    return recorded(audit, { act: 'account.password', call }, change)
  }

  createKey(call: Recorded, key: Parameters<ApiKeys['create']>[1]): ReturnType<ApiKeys['create']> {
    const { apiKeys, audit } = this.#deps
    const create = async () => apiKeys.create(ownerIn(call.caller).party.id, key)
    return recorded(audit, { act: 'key.create', call }, create, ({ apiKey }) => ({ about: apiKey.id }))
  }

  async keys(caller: Caller | null): Promise<readonly ApiKey[]> {
    needScope(caller, 'read')
    return this.#deps.apiKeys.list(caller.party.id)
  }

  revokeKey(call: Recorded, id: string): Promise<void> {
    const { apiKeys, audit } = this.#deps
    const revoke = async () => {
      await apiKeys.revoke(id, ownerIn(call.caller).party.id)
    }
    return recorded(audit, { act: 'key.revoke', call, about: KEY_ID.test(id) ? id : undefined }, revoke)
  }
}

const ACCOUNT_ID = /^usr_[0-9a-z]{16}$/
const KEY_ID = /^key_[0-9a-z]{16}$/

function ownerOf({ account }: Tokens): { who: string } {
  return { who: account.id }
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
