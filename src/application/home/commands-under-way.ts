import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'

interface UnderWay {
  /** The auction that has it; '' while one is being opened with it. */
  readonly place: string
  count: number
  /** Decided, and on its way to the disk. */
  record: RecordedOutcome | null
}

/**
 * The ids of commands that are being decided or written at this home. An id has one outcome, whatever the auction: of two commands
 * with one id the second must not be decided before the first is on the disk, where it would be found. Without this the disk
 * refused the second with its whole batch, so that whoever sent one id to two auctions made bids of others fail.
 */
export class CommandsUnderWay {
  readonly #commands = new Map<string, UnderWay>()

  /** Takes the id; false if it is taken. Each id that was taken has to be released. */
  take(commandId: string, place: string): boolean {
    const known = this.#commands.get(commandId)
    if (known === undefined) {
      this.#commands.set(commandId, { place, count: 1, record: null })
      return true
    }
    if (known.place !== place) return false
    known.count += 1
    return true
  }

  /** Takes all of them or none. */
  takeAll(commandIds: readonly string[], place: string): boolean {
    for (const [i, commandId] of commandIds.entries()) {
      if (this.take(commandId, place)) continue
      for (const taken of commandIds.slice(0, i)) this.release(taken)
      return false
    }
    return true
  }

  release(commandId: string): void {
    const known = this.#commands.get(commandId)
    if (known === undefined) return
    known.count -= 1
    if (known.count === 0) this.#commands.delete(commandId)
  }

  /** Releases an id that was taken. */
  decided(record: RecordedOutcome): void {
    const known = this.#commands.get(record.outcome.commandId)
    if (known !== undefined) known.record = record
  }

  outcome(commandId: string): RecordedOutcome | null {
    return this.#commands.get(commandId)?.record ?? null
  }
}
