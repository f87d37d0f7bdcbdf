import { hash } from 'node:crypto'
import type { Party } from '../../domain/party.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Random } from '../../ports/system/random.js'
import { base32, base32Number } from '../log/base32.js'
import { COMMAND_ID } from '../log/ids.js'
import { CLIENT_KEY, CLIENT_KEY_RULE } from '../log/input-schemas.js'
import { GatewayRefusal } from './gateway-refusal.js'

/** Of an id after its prefix: what follows from the key, or is new, and then the party's mark. */
const BODY_LENGTH = 18
const MARK_LENGTH = 8
const TIME_LENGTH = 10
const RANDOM_BYTES = 5
const MAX_REMEMBERED = 10_000

/**
 * The command id for a client's key (`Idempotency-Key`, `bid_id`): it ends with a mark of its party, so that no party
 * can take another's id, which the home would give to whoever comes first. A key that has the form of an id stands
 * before the mark, so that its client knows its bid again in the log; any other is hashed. A key that ends with the
 * mark already is taken as it is: an answer names the id under which to ask again. A new one without a key.
 */
export class CommandIds {
  readonly #deps: { readonly clock: Clock; readonly random: Random }
  /** By party. */
  readonly #marks = new Map<string, string>()

  constructor(deps: { clock: Clock; random: Random }) {
    this.#deps = deps
  }

  of(prefix: 'bid' | 'cmd', key: string | undefined, party: Party, field = 'Idempotency-Key'): string {
    const mark = this.#markOf(party.id)
    if (key === undefined) return `${prefix}_${this.#newBody()}${mark}`
    if (COMMAND_ID.test(key)) {
      const marked = key.endsWith(mark) ? key : key + mark
      if (COMMAND_ID.test(marked)) return marked
    }
    if (!CLIENT_KEY.test(key)) {
      throw new GatewayRefusal('INVALID_INPUT', `${field} ${CLIENT_KEY_RULE}`, {
        field,
        next: 'use a UUID, new for each command and the same for its repetitions',
      })
    }
    return `${prefix}_${base32(sha256(`${party.id}\n${key}`), BODY_LENGTH)}${mark}`
  }

  #newBody(): string {
    const { clock, random } = this.#deps
    const rest = base32(random.bytes(RANDOM_BYTES), BODY_LENGTH - TIME_LENGTH)
    return base32Number(clock.now(), TIME_LENGTH) + rest
  }

  #markOf(partyId: string): string {
    const known = this.#marks.get(partyId)
    if (known !== undefined) return known
    const mark = base32(sha256(`vendue-command-mark\n${partyId}`), MARK_LENGTH)
    if (this.#marks.size >= MAX_REMEMBERED) this.#marks.clear()
    this.#marks.set(partyId, mark)
    return mark
  }
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
