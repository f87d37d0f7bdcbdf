import type { CallOptions, HttpCalls } from './http-calls.js'
import type { Session, Tokens } from './session.js'

/** A program's key; the key itself is shown only once, when it is made. */
export interface ApiKey {
  readonly id: string
  readonly label: string
  readonly scopes: readonly string[]
  readonly created_at: string
  readonly expires_at: string | null
  readonly last_used_at: string | null
  readonly revoked_at: string | null
}

export interface Registration {
  /** One of the two, or both. */
  readonly username?: string
  readonly email?: string
  readonly password: string
}

const KEYS = '/api/v1/me/api-keys'

/** The value of a refresh token that is in a cookie of the gateway, which no script of a page can read. */
export const IN_COOKIE = 'cookie'

/** Logins and keys, at gateways with accounts. After a login, the client acts for the account and renews the login. */
export class AccountCalls {
  readonly #http: HttpCalls
  readonly #session: Session

  readonly #asks: Readonly<Record<string, unknown>>

  constructor({ http, session, inCookie }: { http: HttpCalls; session: Session; inCookie: boolean }) {
    this.#http = http
    this.#session = session
    this.#asks = inCookie ? { refresh_token_in: IN_COOKIE } : {}
  }

  /** Registers an account, and logs in. */
  register(registration: Registration, options: CallOptions = {}): Promise<Tokens> {
    return this.#enter('register', { ...registration }, options)
  }

  /** By name or e-mail address. */
  login(login: { readonly username: string; readonly password: string }, options: CallOptions = {}): Promise<Tokens> {
    return this.#enter('login', { ...login }, options)
  }

  /** Resumes a login that the gateway keeps in a cookie. Rejects with `RequestRefused` if there is none. */
  async resume(options: CallOptions = {}): Promise<Tokens> {
    const body = { refresh_token: IN_COOKIE }
    const call = { method: 'POST', path: '/api/v1/auth/refresh', body, once: true, ...options } as const
    return this.#keep(await this.#http.ask<Tokens>(call, null))
  }

  /** Ends the login, at the gateway as well. */
  async logout(options: CallOptions = {}): Promise<void> {
    const token = this.#session.tokens?.refresh_token
    this.#session.set(null)
    if (token === undefined) return
    const body = { refresh_token: token }
    await this.#http.ask({ method: 'POST', path: '/api/v1/auth/logout', body, ...options }, null)
  }

  /** Ends all other logins. */
  async changePassword(
    { current, next }: { readonly current: string; readonly next: string },
    options: CallOptions = {},
  ): Promise<Tokens> {
    const body = { current_password: current, new_password: next, ...this.#asks }
    const call = { method: 'POST', path: '/api/v1/auth/password', body, once: true, ...options } as const
    return this.#keep(await this.#http.ask<Tokens>(call, this.#session))
  }

  createApiKey(
    key: {
      readonly label: string
      readonly scopes: readonly ('read' | 'bid' | 'sell')[]
      readonly expires_in_days?: number
    },
    options: CallOptions = {},
  ): Promise<ApiKey & { readonly api_key: string }> {
    return this.#http.ask({ method: 'POST', path: KEYS, body: { ...key }, once: true, ...options }, this.#session)
  }

  async apiKeys(options: CallOptions = {}): Promise<readonly ApiKey[]> {
    const call = { method: 'GET', path: KEYS, ...options } as const
    return (await this.#http.ask<{ api_keys: ApiKey[] }>(call, this.#session)).api_keys
  }

  async revokeApiKey(id: string, options: CallOptions = {}): Promise<void> {
    const path = `${KEYS}/${encodeURIComponent(id)}`
    await this.#http.ask({ method: 'DELETE', path, ...options }, this.#session)
  }

  async #enter(what: string, body: Readonly<Record<string, unknown>>, options: CallOptions): Promise<Tokens> {
    const once = what === 'register'
    const whole = { ...body, ...this.#asks }
    const call = { method: 'POST', path: `/api/v1/auth/${what}`, body: whole, once, ...options } as const
    return this.#keep(await this.#http.ask<Tokens>(call, null))
  }

  #keep(tokens: Tokens): Tokens {
    this.#session.set(tokens)
    return tokens
  }
}
