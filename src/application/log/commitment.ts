import { hash } from 'node:crypto'
import type { Minor } from '../../domain/money.js'
import type { Random } from '../../ports/system/random.js'

const SALT_BYTES = 16

/** A fresh salt: without it, amounts could be found from their commitments by trying them all. */
export function newSalt(random: Random): string {
  return Buffer.from(random.bytes(SALT_BYTES)).toString('hex')
}

/**
 * The public commitment to a secret amount: SHA-256, hex, of
 * "vendue-commitment-v1\n<scope>\n<id>\n<amount in minor units>\n<salt>\n".
 * For a maximum, scope is the auction's id and id the bid's; for a reserve, scope is "reserve" and id the
 * opening command's, since the auction has no id yet.
 */
export function commitmentOf(secret: { scope: string; id: string; amount: Minor; salt: string }): string {
  const text = `vendue-commitment-v1\n${secret.scope}\n${secret.id}\n${secret.amount}\n${secret.salt}\n`
  return hash('sha256', text, 'hex')
}

export const RESERVE_SCOPE = 'reserve'
