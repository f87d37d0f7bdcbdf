import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BYTES32, SIGNATURE } from '../../application/log/input-schemas.js'
import type { BulkVerifier, Signer } from '../../ports/system/signer.js'
import { writePrivateFile } from './private-file.js'
import { isWeakKey } from './small-order.js'

export const KEY_FILE = 'node.key'
/** Of the audit record of a directory without a node. */
export const AUDIT_KEY_FILE = 'audit.key'

/** The key file exists but holds no Ed25519 key: the node must not replace it by a new identity. */
export class NodeKeyError extends Error {
  readonly code = 'NODE_KEY_INVALID'
  constructor(path: string, options?: ErrorOptions) {
    super(
      `${path} does not hold an Ed25519 private key: restore it from a backup, or move the data directory away`,
      options,
    )
    this.name = 'NodeKeyError'
  }
}

/** Reads the node's Ed25519 key from its data directory (PKCS#8 PEM, mode 0600), or makes one at the first start. */
export function loadNodeKey(dataDir: string): Signer {
  return loadKey(join(dataDir, KEY_FILE))
}

export function loadKey(path: string): Signer {
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519')
    writePrivateFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  }
  return readKey(path)
}

/** Reads the key of a node that has one. Throws `NodeKeyError`. */
export function readNodeKey(dataDir: string): Signer {
  return readKey(join(dataDir, KEY_FILE))
}

/** Throws `NodeKeyError`. */
export function readKey(path: string): Signer {
  let key: KeyObject
  try {
    key = createPrivateKey(readFileSync(path))
  } catch (cause) {
    throw new NodeKeyError(path, { cause })
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new NodeKeyError(path)
  return signerOf(key)
}

/** The same key as text, for TLS. */
export function readNodeKeyPem(dataDir: string): string {
  return readFileSync(join(dataDir, KEY_FILE), 'utf8')
}

export function signerOf(privateKey: KeyObject): Signer {
  const publicKey = createPublicKey(privateKey).export({ format: 'jwk' }).x as string
  return {
    publicKey,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
  }
}

/** Keys seen before are kept in parsed form, up to this many. */
const MAX_CACHED_KEYS = 1_000

export class Ed25519Verifier implements BulkVerifier {
  readonly #keys = new Map<string, KeyObject | null>()

  verify(text: string, signature: string, publicKey: string): boolean {
    if (!SIGNATURE.test(signature)) return false
    try {
      const key = this.#key(publicKey)
      return key !== null && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
    } catch {
      // A malformed key or signature proves nothing: false.
      return false
    }
  }

  /** On libuv's threads. */
  verifyBeside(text: string, signature: string, publicKey: string): Promise<boolean> {
    if (!SIGNATURE.test(signature)) return Promise.resolve(false)
    return new Promise<boolean>((resolve) => {
      const key = this.#key(publicKey)
      if (key === null) resolve(false)
      else
        verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'), (error, isGood) =>
          resolve(error === null && isGood),
        )
    }).catch(() => false)
  }

  /** Null if signatures by this key prove nothing. */
  #key(publicKey: string): KeyObject | null {
    const known = this.#keys.get(publicKey)
    if (known !== undefined) return known
    const isSound = BYTES32.test(publicKey) && !isWeakKey(Buffer.from(publicKey, 'base64url'))
    const key = isSound ? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' }) : null
    if (this.#keys.size >= MAX_CACHED_KEYS) this.#keys.clear()
    this.#keys.set(publicKey, key)
    return key
  }
}
