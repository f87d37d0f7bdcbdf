import { createECDH } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import webPush from 'web-push'
import { z } from 'zod'
import { createPrivateFile, keepPrivate } from '../system/private-file.js'

/** By which push services know this house (RFC 8292), base64url. Browsers bind subscriptions to the public one. */
export interface VapidKeys {
  readonly publicKey: string
  readonly privateKey: string
}

export class VapidKeysError extends Error {
  readonly code = 'VAPID_KEYS_INVALID'
  constructor(path: string, cause: unknown) {
    super(
      `${path} cannot be used as the keys of web push: restore it from a backup, or remove it; then new keys are made, and every browser has to subscribe again`,
      { cause },
    )
    this.name = 'VapidKeysError'
  }
}

const FILE = 'web-push.keys'
const fileSchema = z.strictObject({ public_key: z.base64url(), private_key: z.base64url() })

/** Reads the keys of a data directory, or makes them at first (mode 0600). Of two processes, one makes them. */
export function loadVapidKeys(dataDir: string): VapidKeys {
  const path = join(dataDir, FILE)
  const text = read(path) ?? create(path)
  keepPrivate(path)
  try {
    const { public_key: publicKey, private_key: privateKey } = fileSchema.parse(JSON.parse(text))
    const pair = createECDH('prime256v1')
    pair.setPrivateKey(privateKey, 'base64url')
    if (pair.getPublicKey('base64url') !== publicKey) throw new Error('the keys do not belong together')
    return { publicKey, privateKey }
  } catch (cause) {
    throw new VapidKeysError(path, cause)
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** What is there then: another process may have been first. */
function create(path: string): string {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys()
  createPrivateFile(path, `${JSON.stringify({ public_key: publicKey, private_key: privateKey })}\n`)
  return readFileSync(path, 'utf8')
}
