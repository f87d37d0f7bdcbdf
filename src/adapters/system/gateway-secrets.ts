import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Random } from '../../ports/system/random.js'
import { createPrivateFile, keepPrivate, writePrivateFile } from './private-file.js'

export const GATEWAY_SECRETS_FILE = 'gateway.keys'
const MAX_KEYS = 8
const SECRET_BYTES = 32

export interface GatewaySecrets {
  /** For access tokens: the first one signs, all verify. */
  readonly tokenKeys: readonly [GatewayKey, ...GatewayKey[]]
  /** Refresh tokens are derived from one another with it. */
  readonly refreshSecret: string
  /** Pseudonyms are derived from it: another one would make a bidder another party in the middle of an auction. */
  readonly pseudonymSecret: string
}

export interface GatewayKey {
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** UTC milliseconds: it has signed nothing since. Null: it signs. */
  readonly retiredAt: number | null
}

export interface TokenKeyRotation {
  readonly keyId: string
  /** Valid for what they signed, until then (UTC milliseconds). The newest first. */
  readonly retired: readonly { readonly keyId: string; readonly goodUntil: number }[]
  /** Nothing that these signed is valid any more. */
  readonly dropped: readonly string[]
}

export class GatewaySecretsError extends Error {
  readonly code = 'GATEWAY_KEYS_INVALID'
  constructor(path: string, cause: unknown) {
    super(
      `${path} cannot be used as the gateway's keys: restore it from a backup; without it logins end, and bidders get other pseudonyms`,
      { cause },
    )
    this.name = 'GatewaySecretsError'
  }
}

const fileSchema = z.strictObject({
  /** Newest first. */
  token_keys: z
    .array(z.union([z.string(), z.strictObject({ key: z.string(), retired_at: z.int() })]))
    .min(1)
    .max(MAX_KEYS),
  refresh_secret: z.string().min(43),
  pseudonym_secret: z.string().min(43),
})
type SecretsFile = z.infer<typeof fileSchema>

/** Reads a gateway's secrets from its data directory, or makes them at the first start (mode 0600). */
export function loadGatewaySecrets(dataDir: string, random: Random): GatewaySecrets {
  const path = join(dataDir, GATEWAY_SECRETS_FILE)
  return secretsOf(path, read(path) ?? makeOnce(path, random))
}

/**
 * Puts a new key first. Older keys stay valid for the tokens that they signed while these can be alive, or are
 * dropped `now`. Running gateways notice (`GatewayTokenKeys`). Of two rotations at the same moment one may be lost.
 */
export function rotateTokenKey(
  dataDir: string,
  { now, lifetimeMs, dropOld }: { now: number; lifetimeMs: number; dropOld: boolean },
  random: Random,
): TokenKeyRotation {
  const path = join(dataDir, GATEWAY_SECRETS_FILE)
  const file = read(path) ?? makeOnce(path, random)
  const isGood = (retiredAt: number) => !dropOld && retiredAt + lifetimeMs > now
  const old = file.token_keys.map((entry) => (typeof entry === 'string' ? { key: entry, retired_at: now } : entry))
  const kept = old.filter(({ retired_at }) => isGood(retired_at)).slice(0, MAX_KEYS - 1)
  const rotated: SecretsFile = { ...file, token_keys: [newKey(), ...kept] }
  const dropped = old.filter((entry) => !kept.includes(entry)).map((entry) => keyOf(path, entry).id)
  const { tokenKeys } = secretsOf(path, rotated)
  writePrivateFile(path, `${JSON.stringify(rotated, null, 2)}\n`)
  const [first, ...others] = tokenKeys
  const retired = others.map(({ id, retiredAt }) => ({
    keyId: id,
    goodUntil: (retiredAt ?? now) + lifetimeMs,
  }))
  return { keyId: first.id, retired, dropped }
}

/** Two processes may start at once: the file that came first stands, whole, and both go on with it. */
function makeOnce(path: string, random: Random): SecretsFile {
  const made: SecretsFile = {
    token_keys: [newKey()],
    refresh_secret: secretText(random),
    pseudonym_secret: secretText(random),
  }
  return createPrivateFile(path, `${JSON.stringify(made, null, 2)}\n`) ? made : (read(path) ?? made)
}

function read(path: string): SecretsFile | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new GatewaySecretsError(path, error)
  }
  try {
    keepPrivate(path)
    return fileSchema.parse(JSON.parse(text))
  } catch (cause) {
    // The parser's message would quote the secret.
    throw new GatewaySecretsError(path, cause instanceof z.ZodError ? new Error('not of the form') : undefined)
  }
}

function secretsOf(path: string, file: SecretsFile): GatewaySecrets {
  const [first, ...others] = file.token_keys.map((entry) => keyOf(path, entry))
  if (!first) throw new GatewaySecretsError(path, new Error('no key'))
  return {
    tokenKeys: [first, ...others],
    refreshSecret: file.refresh_secret,
    pseudonymSecret: file.pseudonym_secret,
  }
}

function keyOf(path: string, entry: SecretsFile['token_keys'][number]): GatewayKey {
  const [pem, retiredAt] = typeof entry === 'string' ? [entry, null] : [entry.key, entry.retired_at]
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(pem)
  } catch {
    throw new GatewaySecretsError(path, new Error('a key that cannot be read'))
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new GatewaySecretsError(path, new Error('not Ed25519'))
  const publicKey = createPublicKey(privateKey)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const id = createHash('sha256').update(spki).digest('base64url').slice(0, 16)
  return { id, privateKey, publicKey, retiredAt }
}

function newKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function secretText(random: Random): string {
  return Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')
}
