import type { OutcomeRepository, RecordedOutcome } from '../../../src/ports/store/outcome-repository.js'
import type { MemoryEventLog } from './memory-event-log.js'
import type { MemoryTables } from './memory-tables.js'

export class MemoryOutcomeRepository implements OutcomeRepository {
  readonly #tables: MemoryTables
  readonly #eventLog: MemoryEventLog

  constructor({ tables, eventLog }: { tables: MemoryTables; eventLog: MemoryEventLog }) {
    this.#tables = tables
    this.#eventLog = eventLog
  }

  record(recorded: readonly RecordedOutcome[]): Promise<void> {
    return this.#eventLog.write(() => {
      const { outcomes } = this.#tables
      for (const one of recorded) {
        if (!outcomes.has(one.outcome.commandId)) outcomes.set(one.outcome.commandId, one)
      }
    })
  }

  async find(commandIds: readonly string[]): Promise<Map<string, RecordedOutcome>> {
    const found = new Map<string, RecordedOutcome>()
    for (const id of commandIds) {
      const recorded = this.#tables.outcomes.get(id)
      if (recorded !== undefined) found.set(id, recorded)
    }
    return found
  }
}
