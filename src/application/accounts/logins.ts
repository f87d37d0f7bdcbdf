import type { AccessTokens } from '../../ports/accounts/access-tokens.js'
import { type Account, type AccountRepository, loginKey } from '../../ports/accounts/account-repository.js'
import type { PasswordHasher } from '../../ports/accounts/password-hasher.js'
import type { SessionRepository } from '../../ports/accounts/session-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import { AccountError } from './account-error.js'
import { loginInput, parseInput } from './account-input.js'
import { newRefreshToken, nextRefreshToken, parseRefreshToken, type RefreshToken, sameHash, sha256 } from './secrets.js'

export interface LoginsDeps {
  readonly accounts: AccountRepository
  readonly sessions: SessionRepository
  readonly passwords: PasswordHasher
  readonly accessTokens: AccessTokens
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface LoginsOptions {
  readonly accessTokenMs: number
  /** A login that is not refreshed for so long ends. */
  readonly sessionIdleMs: number
  /** Every login ends after this. */
  readonly sessionMaxMs: number
  /** The gateway's, to derive refresh tokens with. */
  readonly refreshSecret: string
}

export interface Tokens {
  readonly account: Account
  readonly accessToken: string
  /** UTC milliseconds. */
  readonly accessExpiresAt: number
  readonly refreshToken: string
  readonly refreshExpiresAt: number
}

/**
 * A used refresh token stays valid for this long while its successor has not been used: for an answer that
 * was lost, and for two tabs that woke up together. Both get the same successor, so that there is never more than one
 * line of tokens, and a thief's use of it is noticed at the next refresh.
 */
export const REFRESH_GRACE_MS = 10_000
/** The most logins of one account at a time; one more ends the oldest. */
export const MAX_SESSIONS = 50
const EXPIRED_PER_LOGIN = 20

/** Logins by password, and their renewal. */
export class Logins {
  constructor(
    private readonly deps: LoginsDeps,
    private readonly options: LoginsOptions,
  ) {}

  /** `{login, password}`; the login is a name or an e-mail address. */
  async logIn(input: unknown): Promise<Tokens> {
    const { accounts, passwords, logger } = this.deps
    const { login, password } = parseInput(loginInput, input)
    const account = await accounts.findByLogin(login)
    // The same work whether there is such an account or not: the time must not reveal it.
    const good = await passwords.verify(account?.passwordHash ?? null, password)
    if (!account || !good) {
      // Without the login that was typed: sometimes people type the password there.
      logger.info({ account: account?.id ?? null }, 'login failed')
      throw new AccountError('LOGIN_FAILED', 'name or password is wrong', {
        next: 'check both; an operator can set a new password (`vendue user password`)',
      })
    }
    // The check takes a while: a password that was changed meanwhile is not valid any more.
    const fresh = await accounts.find(account.id)
    if (fresh?.passwordHash !== account.passwordHash) return this.logIn(input)
    // Only those who know the password learn this.
    if (fresh.disabledAt !== null) throw disabled()
    if (passwords.isOutdated(account.passwordHash)) {
      await accounts.change(account.id, { passwordHash: await passwords.hash(password) })
    }
    return this.open(fresh)
  }

  /**
   * Whose login this would be: the id of the account with this name or address, or what was typed if there is
   * none. So guesses at one account are counted together, whether by its name or its address.
   */
  async whose(login: string): Promise<string> {
    return (await this.deps.accounts.findByLogin(login))?.id ?? loginKey(login)
  }

  /** Starts a session for an account whose owner was just proven. */
  async open(account: Account): Promise<Tokens> {
    const { sessions, clock, random } = this.deps
    const now = clock.now()
    const token = newRefreshToken(random)
    const expiresAt = now + Math.min(this.options.sessionIdleMs, this.options.sessionMaxMs)
    await sessions.removeExpired(now, EXPIRED_PER_LOGIN)
    await sessions.create(
      {
        id: token.sessionId,
        accountId: account.id,
        tokenHash: sha256(token.text),
        previousHash: null,
        rotatedAt: now,
        createdAt: now,
        expiresAt,
      },
      MAX_SESSIONS,
    )
    return this.#tokens(account, token, { now, expiresAt })
  }

  async refresh(refreshToken: string): Promise<Tokens> {
    const { accounts, sessions, clock, logger } = this.deps
    const given = parseRefreshToken(refreshToken)
    if (!given) throw invalid()
    const now = clock.now()
    const session = await sessions.find(given.sessionId)
    if (!session || session.expiresAt <= now) throw invalid()
    const account = await accounts.find(session.accountId)
    if (!account) throw invalid()
    if (account.disabledAt !== null) throw disabled()
    const next = nextRefreshToken(given, this.options.refreshSecret)
    const expiresAt = Math.min(now + this.options.sessionIdleMs, session.createdAt + this.options.sessionMaxMs)
    const rotation = { from: sha256(given.text), to: sha256(next.text), now, expiresAt }
    if (await sessions.rotate(session.id, rotation)) return this.#tokens(account, next, { now, expiresAt })
    // Used before, perhaps at this very moment by another caller: what is stored now decides.
    const current = await sessions.find(session.id)
    if (!current) throw invalid()
    const again = current.previousHash !== null && sameHash(current.previousHash, rotation.from)
    const inTime = now - current.rotatedAt <= REFRESH_GRACE_MS
    if (again && inTime && sameHash(current.tokenHash, rotation.to))
      return this.#tokens(account, next, { now, expiresAt: current.expiresAt })
    // Two callers hold tokens of this session. One of them should not, and nobody can know which.
    await sessions.remove(session.id)
    logger.warn({ account: account.id }, 'a used refresh token came again: its login has ended')
    throw new AccountError('REFRESH_TOKEN_REUSED', 'this refresh token was used before; its login has ended', {
      next: 'log in again; if it was not you who used it, change the password',
    })
  }

  /** Ends the session of a refresh token, with its access tokens. Idempotent: tokens of no session are ignored. */
  async logOut(refreshToken: string): Promise<void> {
    const given = parseRefreshToken(refreshToken)
    if (given) await this.deps.sessions.remove(given.sessionId)
  }

  /** Ends the session that an access token names. */
  async end(sessionId: string): Promise<void> {
    await this.deps.sessions.remove(sessionId)
  }

  async #tokens(
    account: Account,
    token: RefreshToken,
    { now, expiresAt }: { now: number; expiresAt: number },
  ): Promise<Tokens> {
    const accessExpiresAt = Math.min(now + this.options.accessTokenMs, expiresAt)
    const claims = { accountId: account.id, sessionId: token.sessionId }
    return {
      account,
      accessToken: await this.deps.accessTokens.issue(claims, { now, expiresAt: accessExpiresAt }),
      accessExpiresAt,
      refreshToken: token.text,
      refreshExpiresAt: expiresAt,
    }
  }
}

function disabled(): AccountError {
  return new AccountError('ACCOUNT_DISABLED', 'this account is disabled', {
    next: 'ask an operator of the gateway',
  })
}

function invalid(): AccountError {
  return new AccountError('REFRESH_TOKEN_INVALID', 'this refresh token is not good, or not any longer', {
    next: 'log in again',
    problems: [{ field: 'refresh_token', rule: 'must be the newest one of a login that has not ended' }],
  })
}
