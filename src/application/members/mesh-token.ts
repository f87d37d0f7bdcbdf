import { createHash } from 'node:crypto'
import { z } from 'zod'
import { NodeError } from '../../ports/node/node-error.js'
import { MESH_ID } from '../log/ids.js'
import { memberAddresses, memberName } from './member-log.js'

/** What an invited node needs in order to join. */
export interface MeshToken {
  readonly meshId: string
  readonly meshName: string
  /** SHA-256 of the authority's public key (SPKI, DER), base64url. */
  readonly caFingerprint: string
  /** "host:port" of members that can let it in. */
  readonly addresses: readonly string[]
  /** base64url; valid as many times as the invite says. */
  readonly secret: string
}

const PREFIX = 'vendue1.'
const MAX_TOKEN_CHARACTERS = 4_096
const base64url = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const schema = z.strictObject({
  m: z.string().regex(MESH_ID),
  n: memberName,
  c: base64url,
  a: memberAddresses.min(1),
  s: base64url,
})

/** One word that can be pasted anywhere. */
export function formatToken({ meshId, meshName, caFingerprint, addresses, secret }: MeshToken): string {
  const json = JSON.stringify({ m: meshId, n: meshName, c: caFingerprint, a: addresses, s: secret })
  return PREFIX + Buffer.from(json).toString('base64url')
}

/** Throws TOKEN_MALFORMED. */
export function parseToken(text: string): MeshToken {
  const trimmed = text.trim()
  if (!trimmed.startsWith(PREFIX) || trimmed.length > MAX_TOKEN_CHARACTERS) {
    throw malformed(`a token begins with ${PREFIX}`)
  }
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(trimmed.slice(PREFIX.length), 'base64url').toString())
  } catch (cause) {
    throw malformed('it is not complete', cause)
  }
  const parsed = schema.safeParse(json)
  if (!parsed.success) throw malformed('it is not complete', parsed.error)
  const { m, n, c, a, s } = parsed.data
  return { meshId: m, meshName: n, caFingerprint: c, addresses: a, secret: s }
}

/** Under which an invite is kept. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** What an invited node signs with its key, so that nobody enrols a key that is not theirs. */
export function joinText({ meshId, nodeId, secret }: { meshId: string; nodeId: string; secret: string }): string {
  return ['vendue-join-v1', meshId, nodeId, secretHash(secret)].join('\n')
}

function malformed(why: string, cause?: unknown): NodeError {
  return new NodeError('TOKEN_MALFORMED', `this is no token of a mesh: ${why}`, {
    field: 'token',
    next: 'copy the whole line that `vendue mesh invite` printed',
    cause,
  })
}
