/** Room `accounts`: the people who use a gateway: their accounts, logins, API keys and pseudonyms. */

import { type Account, type AccountRepository, loginKey } from '../../ports/accounts/account-repository.js'
import type { Role } from '../../ports/accounts/caller.js'
import type { PasswordHasher } from '../../ports/accounts/password-hasher.js'
import type { SessionRepository } from '../../ports/accounts/session-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import { base32 } from '../log/base32.js'
import { AccountError } from './account-error.js'
import { newPassword, parseInput, passwordChange, registration, rolesInput } from './account-input.js'
import { newId } from './secrets.js'

export interface AccountsDeps {
  readonly accounts: AccountRepository
  readonly sessions: SessionRepository
  readonly passwords: PasswordHasher
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface AccountsOptions {
  /** Whether people may register themselves. */
  readonly registration: 'open' | 'closed'
  /** The roles of those who register themselves. Never `admin`. */
  readonly selfRoles: readonly Exclude<Role, 'admin'>[]
}

/**
 * Makes and changes accounts. Input is checked here, wherever it comes from; every call may reject with
 * `AccountError`, and with an error of code `BUSY` if passwords are hashed.
 */
export class Accounts {
  constructor(
    private readonly deps: AccountsDeps,
    private readonly options: AccountsOptions,
  ) {}

  /** Registers the caller: `{name?, email?, password}`, with a name or an e-mail address or both. */
  async register(input: unknown): Promise<Account> {
    if (this.options.registration === 'closed') {
      throw new AccountError('REGISTRATION_CLOSED', 'this gateway makes no accounts on request', {
        next: 'ask its operator for one (`vendue user add`)',
      })
    }
    const account = await this.#create(input, this.options.selfRoles)
    this.deps.logger.info({ account: account.id }, 'account registered')
    return account
  }

  /** Made by an operator, with any roles. */
  async add(input: unknown, roles: unknown): Promise<Account> {
    return this.#create(input, parseInput(rolesInput, roles))
  }

  async list(after: string | null, limit: number): Promise<readonly Account[]> {
    return this.deps.accounts.list(after, limit)
  }

  /** By id, name or e-mail address. */
  async get(who: string): Promise<Account> {
    const account = (await this.deps.accounts.find(who)) ?? (await this.deps.accounts.findByLogin(who))
    return account ?? notFound(who)
  }

  async setRoles(who: string, roles: unknown): Promise<Account> {
    const parsed = parseInput(rolesInput, roles)
    return this.#change(who, { roles: parsed })
  }

  /** Ends all of its logins; its API keys are refused as long as it is disabled. */
  async disable(who: string): Promise<Account> {
    const account = await this.#change(who, { disabledAt: this.deps.clock.now() })
    await this.deps.sessions.removeOf(account.id)
    return account
  }

  async enable(who: string): Promise<Account> {
    return this.#change(who, { disabledAt: null })
  }

  /** By an operator; ends all logins. */
  async setPassword(who: string, password: string): Promise<Account> {
    const parsed = parseInput(newPassword, password)
    return this.#setHash(await this.get(who), parsed)
  }

  /** By its owner: `{current_password, new_password}`. Ends all logins, this one too; API keys stay. */
  async changePassword(accountId: string, input: unknown): Promise<Account> {
    const { current_password, new_password } = parseInput(passwordChange, input)
    const account = await this.get(accountId)
    if (!(await this.deps.passwords.verify(account.passwordHash, current_password))) {
      throw new AccountError('PASSWORD_WRONG', 'the current password is wrong', {
        next: 'send the current password, or ask an operator to set one (`vendue user password`)',
        problems: [{ field: 'current_password', rule: 'must be the current password' }],
      })
    }
    return this.#setHash(account, new_password)
  }

  async #create(input: unknown, roles: readonly Role[]): Promise<Account> {
    const { accounts, passwords, clock, random } = this.deps
    const { name, email, password } = parseInput(registration, input)
    const account: Account = {
      id: newId('usr', random),
      name: name ?? `user-${base32(random.bytes(5), 8)}`,
      email: email ?? null,
      roles,
      passwordHash: await passwords.hash(password),
      createdAt: clock.now(),
      disabledAt: null,
    }
    const created = await accounts.create(account)
    if (created === 'created') return account
    throw created === 'name-taken'
      ? taken('NAME_TAKEN', 'name', 'choose another name, or log in if it is yours')
      : taken('EMAIL_TAKEN', 'email', 'log in with it, or register with another address')
  }

  async #setHash(account: Account, password: string): Promise<Account> {
    const own = [account.name, account.email].map((text) => text && loginKey(text))
    if (own.includes(password.toLowerCase())) {
      throw new AccountError('INVALID_INPUT', 'the password must not be the name or the address', {
        problems: [{ field: 'new_password', rule: 'must not be the name or the address' }],
        next: 'choose another one',
      })
    }
    const changed = await this.#change(account.id, {
      passwordHash: await this.deps.passwords.hash(password),
    })
    await this.deps.sessions.removeOf(account.id)
    this.deps.logger.info({ account: account.id }, 'password changed; its logins have ended')
    return changed
  }

  async #change(who: string, change: Parameters<AccountRepository['change']>[1]): Promise<Account> {
    const { id } = await this.get(who)
    return (await this.deps.accounts.change(id, change)) ?? notFound(who)
  }
}

function notFound(who: string): never {
  const shown = JSON.stringify(who.slice(0, 80))
  throw new AccountError('ACCOUNT_NOT_FOUND', `there is no account ${shown}`, {
    next: '`vendue user list` shows the accounts',
    problems: [{ field: 'name', rule: 'must be the name, address or id of an account' }],
  })
}

function taken(code: 'NAME_TAKEN' | 'EMAIL_TAKEN', field: string, next: string): AccountError {
  return new AccountError(code, `this ${field} is taken`, {
    next,
    problems: [{ field, rule: 'must not be taken' }],
  })
}
