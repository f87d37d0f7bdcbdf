import type { KeyObject } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { AccessClaims, AccessTokens } from '../../ports/access-tokens.js'
import { CallerError } from '../../ports/caller.js'

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
}

/** JWTs (RFC 9068) signed with Ed25519. The first key signs; all of them verify, so that keys can be exchanged. */
export class JoseAccessTokens implements AccessTokens {
  readonly #signing: TokenKey
  readonly #keys: ReadonlyMap<string, TokenKey>
  /** Tokens whose signature was good, the longest known first: each is seen many times, and checked on every bid. */
  readonly #verified = new Map<string, { claims: AccessClaims; exp: number }>()

  constructor(keys: readonly [TokenKey, ...TokenKey[]]) {
    this.#signing = keys[0]
    this.#keys = new Map(keys.map((key) => [key.id, key]))
  }

  issue(
    { accountId, sessionId }: AccessClaims,
    { now, expiresAt }: { now: number; expiresAt: number },
  ): Promise<string> {
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: ALGORITHM, typ: TOKEN_TYPE, kid: this.#signing.id })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(accountId)
      .setIssuedAt(Math.floor(now / 1_000))
      .setExpirationTime(Math.floor(expiresAt / 1_000))
      .sign(this.#signing.privateKey)
  }

  async verify(token: string, now: number): Promise<AccessClaims> {
    const known = this.#verified.get(token)
    if (known && known.exp > Math.floor(now / 1_000)) return known.claims
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#key(kid), {
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
      return this.#keep(token, { accountId: sub, sessionId: sid }, exp)
    } catch (cause) {
      // jose checks the signature first: what has expired was good once.
      if (cause instanceof errors.JWTExpired) {
        throw new CallerError('TOKEN_EXPIRED', 'this access token has expired', {
          next: 'get another one with the refresh token, or log in again',
          cause,
        })
      }
      throw new CallerError('TOKEN_INVALID', 'this access token is not one of this gateway', {
        next: 'log in again',
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

  #key(id: string | undefined): KeyObject {
    const key = id === undefined ? undefined : this.#keys.get(id)
    if (!key) throw new Error('signed with a key that is not known here')
    return key.publicKey
  }
}
