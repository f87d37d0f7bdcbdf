/**
 * Room `webhook`: messages to programs of others, by the Standard Webhooks specification
 * (https://github.com/standard-webhooks/standard-webhooks).
 */
import { createHmac } from 'node:crypto'
import type { Random } from '../../ports/system/random.js'

const PREFIX = 'whsec_'
const MIN_KEY_BYTES = 24
const MAX_KEY_BYTES = 64
const NEW_KEY_BYTES = 32
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function newWebhookSecret(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(NEW_KEY_BYTES)).toString('base64')
}

/** "whsec_" and 24 to 64 bytes in base64. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(PREFIX) || !BASE64.test(text.slice(PREFIX.length))) return false
  const { length } = keyOf(text)
  return length >= MIN_KEY_BYTES && length <= MAX_KEY_BYTES
}

export interface SignedMessage {
  readonly id: string
  readonly atMs: number
  readonly body: string
}

/** The headers of one attempt. Each secret signs, so that a receiver can go from one to the next without a gap. */
export function webhookHeaders(message: SignedMessage, secrets: readonly string[]): Record<string, string> {
  const timestamp = String(Math.floor(message.atMs / 1_000))
  const signed = `${message.id}.${timestamp}.${message.body}`
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', keyOf(secret)).update(signed).digest('base64')}`,
  )
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), 'base64')
}
