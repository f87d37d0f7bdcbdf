import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { clusterKeyAfter, rotationText } from '../../application/log/cluster-keys.js'
import { BYTES32, SIGNATURE } from '../../application/log/input-schemas.js'
import { type ClusterKeyRotation, MAX_CLUSTER_ROTATIONS } from '../../domain/cluster-key.js'
import type { Clock } from '../../ports/system/clock.js'
import type { ClusterSigner } from '../../ports/system/cluster-signer.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Signer } from '../../ports/system/signer.js'
import { Ed25519Verifier, signerOf } from './node-key.js'
import { createPrivateFile, keepPrivate, writePrivateFile } from './private-file.js'

export const CLUSTER_KEY_FILE = 'cluster.key'

/** What the file holds, and what a new node gets. Secret. */
export const clusterKeySchema = z.strictObject({
  first_key: z.string().regex(BYTES32),
  rotations: z
    .array(z.strictObject({ public_key: z.string().regex(BYTES32), signature: z.string().regex(SIGNATURE) }))
    .max(MAX_CLUSTER_ROTATIONS),
  /** PKCS#8 PEM of the newest. */
  private_key: z.string().max(1_000),
})
export type ClusterKey = z.infer<typeof clusterKeySchema>

export class ClusterKeyError extends Error {
  readonly code = 'CLUSTER_KEY_INVALID'
  constructor(path: string, why: string) {
    super(
      `${path} cannot be used as the cluster's key (${why}): restore it from a backup, or remove it and join the cluster again with a token`,
    )
    this.name = 'ClusterKeyError'
  }
}

/** Null if the node belongs to no cluster. Throws `ClusterKeyError`. */
export function readClusterKey(dataDir: string): ClusterKey | null {
  const path = join(dataDir, CLUSTER_KEY_FILE)
  if (!existsSync(path)) return null
  let key: ClusterKey
  try {
    keepPrivate(path)
    key = clusterKeySchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    // The parser's message would quote the secret.
    throw new ClusterKeyError(path, 'it is not of the form')
  }
  const why = unsound(key)
  if (why !== null) throw new ClusterKeyError(path, why)
  return key
}

/** Why nobody can use it; null if they can. */
export function unsound(key: ClusterKey): string | null {
  const signer = signerOfKey(key)
  if (signer === null) return 'its private key is no Ed25519 key'
  const newest = clusterKeyAfter(key.first_key, rotationsOf(key), new Ed25519Verifier())
  if (newest === null) return 'a key is not signed by the key before it'
  return newest === signer.publicKey ? null : 'its private key is not that of its newest public key'
}

/** Makes the key of a new cluster. Null if there is a key already: a node belongs to one cluster. */
export function createClusterKey(dataDir: string): ClusterKey | null {
  const made = newKey()
  const key = { first_key: signerOf(made).publicKey, rotations: [], private_key: pemOf(made) }
  return createPrivateFile(join(dataDir, CLUSTER_KEY_FILE), textOf(key)) ? key : null
}

/** Replaces the present key. */
export function saveClusterKey(dataDir: string, key: ClusterKey): void {
  writePrivateFile(join(dataDir, CLUSTER_KEY_FILE), textOf(key))
}

/** A new key, signed by the present one. Null once it has been exchanged as often as it can be. */
export function rotated(key: ClusterKey): ClusterKey | null {
  if (key.rotations.length >= MAX_CLUSTER_ROTATIONS) return null
  const signer = soundSigner(key)
  const made = newKey()
  const { publicKey } = signerOf(made)
  const rotation = { public_key: publicKey, signature: signer.sign(rotationText(signer.publicKey, publicKey)) }
  return { ...key, rotations: [...key.rotations, rotation], private_key: pemOf(made) }
}

/** The cluster's newest key, as far as this holds it. */
export function newestKey(key: ClusterKey): string {
  return key.rotations.at(-1)?.public_key ?? key.first_key
}

/** How long a running node may go on with a key that has been exchanged. */
export const RECHECK_MS = 1_000

export interface FileClusterSignerDeps {
  readonly clock: Clock
  readonly logger: Logger
}

/** The key of a data directory as it is now: `vendue cluster rotate-key` and `join` may exchange it at any time. */
export class FileClusterSigner implements ClusterSigner {
  readonly #deps: FileClusterSignerDeps
  readonly #dataDir: string
  readonly #path: string
  readonly firstKey: string
  #key: ClusterKey
  #signer: Signer
  /** Unknown at first: the file may have changed since it was read. */
  #version: string | null = null
  #checkedAtMs = Number.NEGATIVE_INFINITY

  private constructor(dataDir: string, key: ClusterKey, deps: FileClusterSignerDeps) {
    this.#deps = deps
    this.#dataDir = dataDir
    this.#path = join(dataDir, CLUSTER_KEY_FILE)
    this.firstKey = key.first_key
    this.#key = key
    this.#signer = soundSigner(key)
  }

  /** Null if the node belongs to no cluster. Throws `ClusterKeyError`. */
  static open(dataDir: string, deps: FileClusterSignerDeps): FileClusterSigner | null {
    const key = readClusterKey(dataDir)
    return key === null ? null : new FileClusterSigner(dataDir, key, deps)
  }

  get publicKey(): string {
    this.#refresh()
    return this.#signer.publicKey
  }

  sign(text: string): string {
    return this.#signer.sign(text)
  }

  rotationsSince(publicKey: string): readonly ClusterKeyRotation[] | null {
    this.#refresh()
    const keys = [this.firstKey, ...this.#key.rotations.map((rotation) => rotation.public_key)]
    const place = keys.indexOf(publicKey)
    return place < 0 ? null : rotationsOf(this.#key).slice(place)
  }

  /** Reads the file again if it has changed. Never throws: without a good one, the key of before is used on. */
  #refresh(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - this.#checkedAtMs < RECHECK_MS) return
    this.#checkedAtMs = nowMs
    const stat = statSync(this.#path, { throwIfNoEntry: false })
    const version = stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : null
    if (version === null || version === this.#version) return
    this.#version = version
    try {
      const key = readClusterKey(this.#dataDir)
      if (key === null || newestKey(key) === this.#signer.publicKey) return
      if (key.first_key !== this.firstKey) throw new ClusterKeyError(this.#path, 'it is that of another cluster')
      this.#key = key
      this.#signer = soundSigner(key)
      this.#deps.logger.info({ clusterKey: this.#signer.publicKey }, 'the cluster has another key from now on')
    } catch (error) {
      this.#deps.logger.error({ err: error }, "the cluster's key cannot be read again; that of before is used on")
    }
  }
}

function rotationsOf(key: ClusterKey): ClusterKeyRotation[] {
  return key.rotations.map(({ public_key, signature }) => ({ publicKey: public_key, signature }))
}

function soundSigner(key: ClusterKey): Signer {
  const signer = signerOfKey(key)
  if (signer === null) throw new Error("the cluster's key has not been checked")
  return signer
}

function signerOfKey({ private_key }: ClusterKey): Signer | null {
  try {
    const key = createPrivateKey(private_key)
    return key.asymmetricKeyType === 'ed25519' ? signerOf(key) : null
  } catch {
    return null
  }
}

function newKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function textOf(key: ClusterKey): string {
  return `${JSON.stringify(key, null, 2)}\n`
}
