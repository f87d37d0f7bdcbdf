import { type ClientError, RequestRefused } from './client-error.js'
import type { TimeSource } from './time-source.js'

/** Who the client is to the gateway: one of these, or anonymous, which may only read. */
export interface Credentials {
  /** A name that is taken on trust; for gateways with `auth: open`. */
  readonly user?: string
  /** Of a program. */
  readonly apiKey?: string
  /** Of an earlier login, as `onTokens` gave them. */
  readonly tokens?: Tokens
}

/** What a login gives. */
export interface Tokens {
  readonly access_token: string
  /** Seconds from when it was given. */
  readonly expires_in?: number
  /** Valid once: each refresh returns the next. */
  readonly refresh_token?: string
  readonly user?: { readonly id: string; readonly username: string; readonly roles: readonly string[] }
}

/** As a message of a connection that is open says it. */
export type SaidCredential = { readonly access_token: string } | { readonly api_key: string }

export interface Presented {
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
}

export interface SessionDeps {
  readonly time: TimeSource
  /** Exchanges a refresh token; rejects with `RequestRefused` where the gateway says no. */
  readonly refresh: (refreshToken: string) => Promise<Tokens>
  /** Called with all new tokens, and with null if a login has ended. */
  readonly onTokens: (tokens: Tokens | null, because: ClientError | null) => void
}

/** Before it expires: a token that goes out now must still be good when it arrives. */
const REFRESH_EARLY_MS = 30_000
/** Between two refreshes that nobody's clock asked for. */
const MIN_REFRESH_INTERVAL_MS = 5_000

/** The credentials of one client; renews its access token before it expires, once for all who wait. */
export class Session {
  readonly #deps: SessionDeps
  readonly #user: string | undefined
  readonly #apiKey: string | undefined
  #tokens: Tokens | null
  #expiresAtMs = Number.POSITIVE_INFINITY
  #refreshedAtMs = Number.NEGATIVE_INFINITY
  #refreshing: Promise<void> | null = null

  constructor(deps: SessionDeps, { user, apiKey, tokens }: Credentials) {
    this.#deps = deps
    this.#user = user
    this.#apiKey = apiKey
    // Their age is not known: the first refusal shows that they have expired.
    this.#tokens = tokens ?? null
  }

  get tokens(): Tokens | null {
    return this.#tokens
  }

  /**
   * What a request carries; the access token is renewed first where it is about to expire. Secrets go into headers, or
   * where none can be sent nowhere: addresses end up in logs. A name is no secret.
   */
  async presented(sendsHeaders = true): Promise<Presented> {
    const said = await this.credential()
    if (said === null) return { headers: {}, query: this.#user === undefined ? {} : { user_id: this.#user } }
    if (!sendsHeaders) return { headers: {}, query: {} }
    const headers: Presented['headers'] =
      'api_key' in said ? { 'x-api-key': said.api_key } : { authorization: `Bearer ${said.access_token}` }
    return { headers, query: {} }
  }

  /** For an `authenticate` message; null where there is none. Renews as above. */
  async credential(): Promise<SaidCredential | null> {
    if (this.#apiKey !== undefined) return { api_key: this.#apiKey }
    if (this.#tokens === null) return null
    if (this.#deps.time.monotonicMs() >= this.#expiresAtMs - REFRESH_EARLY_MS) await this.renew()
    const token = this.#tokens?.access_token
    return token === undefined ? null : { access_token: token }
  }

  set(tokens: Tokens | null, because: ClientError | null = null): void {
    const { time, onTokens } = this.#deps
    this.#tokens = tokens
    const seconds = tokens?.expires_in ?? Number.POSITIVE_INFINITY
    this.#expiresAtMs = time.monotonicMs() + seconds * 1_000
    onTokens(tokens, because)
  }

  /** True if new tokens were obtained; false if there is nothing to renew, or it was done a moment ago. */
  async renew(): Promise<boolean> {
    const refreshToken = this.#tokens?.refresh_token
    if (refreshToken === undefined) return false
    const { time } = this.#deps
    if (!this.#refreshing) {
      if (time.monotonicMs() - this.#refreshedAtMs < MIN_REFRESH_INTERVAL_MS) return false
      this.#refreshing = this.#refresh(refreshToken).finally(() => {
        this.#refreshing = null
      })
    }
    await this.#refreshing
    return this.#tokens !== null
  }

  async #refresh(refreshToken: string): Promise<void> {
    try {
      const tokens = await this.#deps.refresh(refreshToken)
      this.#refreshedAtMs = this.#deps.time.monotonicMs()
      // A login or logout of meanwhile counts.
      if (this.#tokens?.refresh_token === refreshToken) this.set(tokens)
    } catch (error) {
      if (!(error instanceof RequestRefused) || error.status >= 500 || error.status === 429) throw error
      if (this.#tokens?.refresh_token === refreshToken) this.set(null, error)
    }
  }
}
