import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'

/** A command's id while it is being decided or written. */
export interface UnderWay {
  readonly commandId: string
  /** The auction that has it; '' while one is being opened with it. */
  readonly place: string
  /** How many commands have this id. */
  count: number
  /** Decided, and on its way to the disk. */
  record: RecordedOutcome | null
}

/**
 * The ids of commands that are being decided or written at this home. An id has one outcome, whatever the auction: of
 * two commands with one id the second must not be decided before the first is on the disk, where it would be found.
 * Without this the disk refused the second with the whole batch that it was in, and so whoever sent one id to two
 * auctions made others' bids fail.
 */
export class CommandsUnderWay {
  readonly #commands = new Map<string, UnderWay>()

  /** Null where another place has it. What was taken has to be released. */
  take(commandId: string, place: string): UnderWay | null {
    const known = this.#commands.get(commandId)
    if (known === undefined) {
      const taken = { commandId, place, count: 1, record: null }
      this.#commands.set(commandId, taken)
      return taken
    }
    if (known.place !== place) return null
    known.count += 1
    return known
  }

  /** All of them or none; null for none. */
  takeAll(commandIds: readonly string[], place: string): readonly UnderWay[] | null {
    const taken: UnderWay[] = []
    for (const commandId of commandIds) {
      const one = this.take(commandId, place)
      if (one !== null) {
        taken.push(one)
        continue
      }
      for (const before of taken) this.release(before)
      return null
    }
    return taken
  }

  release(taken: UnderWay): void {
    taken.count -= 1
    if (taken.count === 0) this.#commands.delete(taken.commandId)
  }
}
