import type { Append, EventLog } from '../../ports/store/event-log.js'
import type { Budget, Budgets } from '../budgets/budgets.js'
import { nodeIdOf } from '../log/ids.js'

export interface HomeAllowanceDeps {
  readonly budgets: Budgets
  readonly eventLog: Pick<EventLog, 'usage'>
}

/** What may be stored, and whose allowance is used up. */
export interface Allowed {
  /** The commits that may be stored, from the first one on, without a gap. */
  readonly allowed: readonly Append[]
  /** The node id of the author of the first commit that may not be stored; null if all may. */
  readonly spentBy: string | null
}

/**
 * How much of each home's logs this node keeps. What a home writes is charged to that home, whoever brings it, so that
 * a home which writes without end is cut off here, and those who pass its logs on are not.
 */
export class HomeAllowance {
  readonly #deps: HomeAllowanceDeps
  readonly #bytes: Budget
  readonly #openings: Budget
  #counted: Promise<void> | null = null

  constructor(deps: HomeAllowanceDeps) {
    this.#deps = deps
    this.#bytes = deps.budgets.of('log-bytes')
    this.#openings = deps.budgets.of('openings')
  }

  /** Takes room for commits. The caller gives back what is not stored in the end. */
  async take(appends: readonly Append[]): Promise<Allowed> {
    await this.#count()
    for (const [i, append] of appends.entries()) {
      const author = nodeIdOf(append.commit.signer)
      const bytes = Buffer.byteLength(append.commit.body)
      const isOpening = append.prevHash === null
      if (isOpening && !this.#openings.take(author)) return { allowed: appends.slice(0, i), spentBy: author }
      if (this.#bytes.take(author, bytes)) continue
      if (isOpening) this.#openings.give(author)
      return { allowed: appends.slice(0, i), spentBy: author }
    }
    return { allowed: appends, spentBy: null }
  }

  giveBack(appends: readonly Append[]): void {
    for (const { commit, prevHash } of appends) {
      const author = nodeIdOf(commit.signer)
      this.#bytes.give(author, Buffer.byteLength(commit.body))
      if (prevHash === null) this.#openings.give(author)
    }
  }

  /** Counts what was stored before this start. */
  #count(): Promise<void> {
    this.#counted ??= this.#deps.eventLog.usage().then(
      (usage) => {
        for (const { signer, bytes, openings } of usage) {
          const author = nodeIdOf(signer)
          this.#bytes.charge(author, bytes)
          this.#openings.charge(author, openings)
        }
      },
      (error: unknown) => {
        this.#counted = null
        throw error
      },
    )
    return this.#counted
  }
}
