import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Random } from '../../ports/system/random.js'
import { base32 } from '../log/base32.js'

const SECRET_BYTES = 32
const ID_BYTES = 10

export function newId(prefix: 'usr' | 'key', random: Random): string {
  return `${prefix}_${base32(random.bytes(ID_BYTES), 16)}`
}

/** For secrets of 256 random bits, which need no slow hash: there is nothing to guess. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Takes the same time wherever the two differ. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

const API_KEY = /^vk_([0-9a-hjkmnp-tv-z]{16})_([A-Za-z0-9_-]{43})$/

/** "vk_ID_SECRET": starts in a way that scanners for leaked keys can look for. */
export function newApiKey(id: string, random: Random): string {
  return `vk_${id.slice('key_'.length)}_${randomText(random)}`
}

/** The id in a key; null if it is no key. */
export function apiKeyIdOf(key: string): string | null {
  const match = API_KEY.exec(key)
  return match ? `key_${match[1]}` : null
}

const REFRESH_TOKEN = /^vr_([A-Za-z0-9_-]{43})_([A-Za-z0-9_-]{43})$/

export interface RefreshToken {
  readonly text: string
  /** Random, the same in all tokens of a session, and known only to those who have had one of them. */
  readonly family: string
  readonly sessionId: string
}

/** "vr_FAMILY_SECRET". */
export function newRefreshToken(random: Random): RefreshToken {
  return refreshTokenOf(randomText(random), randomText(random))
}

/**
 * The token that takes this one's place. It is derived from it and from a secret of the gateway: whoever asks twice
 * with the same token, because the answer was lost or from two tabs at once, gets the same one, and only hashes
 * have to be stored. Without the gateway's secret it cannot be derived.
 */
export function nextRefreshToken(token: RefreshToken, secret: string): RefreshToken {
  const next = createHmac('sha256', secret).update(`refresh\n${token.text}`).digest('base64url')
  return refreshTokenOf(token.family, next)
}

export function parseRefreshToken(text: string): RefreshToken | null {
  const match = REFRESH_TOKEN.exec(text)
  return match ? refreshTokenOf(match[1] as string, match[2] as string) : null
}

function refreshTokenOf(family: string, secret: string): RefreshToken {
  const digest = createHash('sha256').update(`session\n${family}`).digest()
  return { text: `vr_${family}_${secret}`, family, sessionId: `ses_${base32(digest, 26)}` }
}

function randomText(random: Random): string {
  return Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')
}
