import { createHash } from 'node:crypto'
import type { Party } from '../../domain/party.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Random } from '../../ports/system/random.js'
import { base32 } from '../log/base32.js'
import { COMMAND_ID, newCommandId } from '../log/ids.js'
import { CLIENT_KEY, CLIENT_KEY_RULE } from '../log/input-schemas.js'
import { GatewayRefusal } from './gateway-refusal.js'

const DERIVED_LENGTH = 26

/**
 * The command id for a client's key (`Idempotency-Key`, `bid_id`): the key itself where it has the form of one;
 * otherwise one that follows from the key and the party, so that no two parties' keys meet. A new one without a key.
 */
export class CommandIds {
  readonly #deps: { readonly clock: Clock; readonly random: Random }

  constructor(deps: { clock: Clock; random: Random }) {
    this.#deps = deps
  }

  of(prefix: 'bid' | 'cmd', key: string | undefined, party: Party, field = 'Idempotency-Key'): string {
    if (key === undefined) return newCommandId(prefix, this.#deps)
    if (COMMAND_ID.test(key)) return key
    if (!CLIENT_KEY.test(key)) {
      throw new GatewayRefusal('INVALID_INPUT', `${field} ${CLIENT_KEY_RULE}`, {
        field,
        next: 'use a UUID, new for each command and the same for its repetitions',
      })
    }
    const digest = createHash('sha256').update(`${party.id}\n${key}`).digest()
    return `${prefix}_${base32(digest, DERIVED_LENGTH)}`
  }
}
