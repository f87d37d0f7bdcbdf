/** Room `jose`: access tokens, signed with JOSE. */

import type { KeyObject } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { AccessClaims, AccessTokens } from '../../ports/accounts/access-tokens.js'
import { CallerError } from '../../ports/accounts/caller.js'

/** The one algorithm, whatever a token's header says. */
const ALGORITHM = 'EdDSA'
const TOKEN_TYPE = 'at+jwt'
export const ISSUER = 'vendue-gateway'
export const AUDIENCE = 'vendue-api'

const MAX_VERIFIED = 10_000

export interface TokenKey {
  /** Stands in the header of the tokens it signed. */
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** UTC milliseconds: it has signed nothing since. */
  readonly retiredAt: number | null
}

export interface TokenKeys {
  /** The first one signs. The same array as long as they are the same: another one is another set. */
  current(): readonly [TokenKey, ...TokenKey[]]
  /** The keys at this moment; retired ones sign nothing. */
  latest(): readonly [TokenKey, ...TokenKey[]]
}

/**
 * JWTs (RFC 9068) signed with Ed25519. The first key signs. Replaced keys verify as long as tokens that they
 * signed can be valid, and no longer, whatever a token says: a thief of such a key would make tokens that last.
 */
export class JoseAccessTokens implements AccessTokens {
  readonly #source: TokenKeys
  readonly #lifetimeMs: number
  #known: readonly TokenKey[] = []
  #keys: ReadonlyMap<string, TokenKey> = new Map()
  /** Tokens whose signature was good, the longest known first: each is seen many times, and checked on every bid. */
  readonly #verified = new Map<string, { claims: AccessClaims; exp: number }>()

  /** `lifetimeMs`: the longest that tokens are issued for. */
  constructor(keys: TokenKeys, { lifetimeMs }: { readonly lifetimeMs: number }) {
    this.#source = keys
    this.#lifetimeMs = lifetimeMs
  }

  issue(
    { accountId, sessionId }: AccessClaims,
    { now, expiresAt }: { now: number; expiresAt: number },
  ): Promise<string> {
    const signing = this.#source.latest()[0]
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: ALGORITHM, typ: TOKEN_TYPE, kid: signing.id })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(accountId)
      .setIssuedAt(Math.floor(now / 1_000))
      .setExpirationTime(Math.floor(expiresAt / 1_000))
      .sign(signing.privateKey)
  }

  async verify(token: string, now: number): Promise<AccessClaims> {
    this.#adopt(this.#source.current())
    const known = this.#verified.get(token)
    if (known && known.exp > Math.floor(now / 1_000)) return known.claims
    try {
      if (!hasOneSpelling(token)) throw new Error('not in the one spelling of base64url')
      const { payload, protectedHeader } = await jwtVerify(token, ({ kid }) => this.#key(kid, now).publicKey, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TOKEN_TYPE,
        requiredClaims: ['sub', 'sid', 'exp', 'iat'],
        currentDate: new Date(now),
      })
      const { sub, sid, exp } = payload
      if (typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number')
        throw new Error('claims of the wrong type')
      const until = this.#goodUntil(this.#key(protectedHeader.kid, now))
      return this.#keep(token, { accountId: sub, sessionId: sid }, Math.min(exp, Math.floor(until / 1_000)))
    } catch (cause) {
      // jose checks the signature first: what has expired was good once.
      if (cause instanceof errors.JWTExpired) {
        throw new CallerError('TOKEN_EXPIRED', 'this access token has expired', {
          next: 'get another one with the refresh token, or log in again',
          cause,
        })
      }
      throw new CallerError('TOKEN_INVALID', 'this access token is not one of this gateway', {
        next: 'get another one with the refresh token, or log in again',
        cause,
      })
    }
  }

  #keep(token: string, claims: AccessClaims, exp: number): AccessClaims {
    if (this.#verified.size >= MAX_VERIFIED) {
      const [oldest] = this.#verified.keys()
      this.#verified.delete(oldest as string)
    }
    this.#verified.set(token, { claims, exp })
    return claims
  }

  #key(id: string | undefined, now: number): TokenKey {
    // Another gateway may know of a new key first.
    if (id !== undefined && !this.#keys.has(id)) this.#adopt(this.#source.latest())
    const key = id === undefined ? undefined : this.#keys.get(id)
    if (!key || this.#goodUntil(key) <= now) throw new Error('signed with a key that is not good here')
    return key
  }

  #goodUntil({ retiredAt }: TokenKey): number {
    return retiredAt === null ? Number.POSITIVE_INFINITY : retiredAt + this.#lifetimeMs
  }

  /** Tokens that other keys verified are checked again. */
  #adopt(keys: readonly TokenKey[]): void {
    if (keys === this.#known) return
    this.#known = keys
    this.#keys = new Map(keys.map((key) => [key.id, key]))
    this.#verified.clear()
  }
}

/** The bits that base64url leaves over are zero, and nothing is padded: the same token has no second text. */
function hasOneSpelling(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}
