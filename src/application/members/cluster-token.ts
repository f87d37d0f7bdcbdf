import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { z } from 'zod'
import { NodeError } from '../../ports/node/node-error.js'
import type { Random } from '../../ports/system/random.js'
import { BYTES32 } from '../log/input-schemas.js'

/** What a new node needs, beside the address of the log, in order to get the cluster's key. */
export interface ClusterToken {
  /** The cluster's first public key. */
  readonly cluster: string
  /** 32 random bytes, base64url. Whoever has it, and reaches the log, can get the key while the token is good. */
  readonly secret: string
}

const PREFIX = 'vendue-cluster1.'
const MAX_CHARACTERS = 1_024
const SECRET_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'
const base64url = z.string().regex(BYTES32)
const schema = z.strictObject({ c: base64url, s: base64url })

export function newClusterToken(cluster: string, random: Random): ClusterToken {
  return { cluster, secret: Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url') }
}

export function formatClusterToken({ cluster, secret }: ClusterToken): string {
  return PREFIX + Buffer.from(JSON.stringify({ c: cluster, s: secret })).toString('base64url')
}

/** Throws TOKEN_MALFORMED. */
export function parseClusterToken(text: string): ClusterToken {
  const trimmed = text.trim()
  if (trimmed.startsWith('vendue1.')) throw malformed('it is one of a mesh, for `vendue mesh join`')
  if (!trimmed.startsWith(PREFIX) || trimmed.length > MAX_CHARACTERS) throw malformed(`one begins with ${PREFIX}`)
  const parsed = schema.safeParse(jsonIn(trimmed.slice(PREFIX.length)))
  if (!parsed.success) throw malformed('it is not complete')
  return { cluster: parsed.data.c, secret: parsed.data.s }
}

function jsonIn(encoded: string): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64url').toString())
  } catch {
    return null
  }
}

function malformed(why: string): NodeError {
  return new NodeError('TOKEN_MALFORMED', `this is no token of a cluster: ${why}`, {
    field: 'token',
    next: 'copy the whole line that `vendue cluster invite` printed',
  })
}

/** Closes a text for everybody without the token's secret. */
export function sealedFor({ cluster, secret }: ClusterToken, text: string, random: Random): string {
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, keyOf(secret), nonce).setAAD(Buffer.from(cluster))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
}

/** Null if the text was not sealed for this token. */
export function unsealed({ cluster, secret }: ClusterToken, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url')
  const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)]
  try {
    const decipher = createDecipheriv(CIPHER, keyOf(secret), nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(cluster)).setAuthTag(tag)
    const text = bytes.subarray(NONCE_BYTES + TAG_BYTES)
    return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

/** Another one than what the log finds the invite by. */
function keyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), '', 'vendue-cluster-invite-v1', 32))
}
