import { type Caller, CallerError } from '../../ports/accounts/caller.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { Presented } from './authenticate.js'
import type { Callers } from './callers.js'

export interface LiveCallersDeps {
  readonly callers: Callers
  readonly logger: Logger
  readonly timers: Timers
}

/** How long a connection goes on, at most, after its credentials have ended. */
export const RECHECK_MS = 5_000
/** How many connections are checked before other work gets its turn. */
const SLICE = 100

/** Checks the credentials of open connections again and again, as those of requests are checked each time. */
export class LiveCallers {
  readonly #deps: LiveCallersDeps
  readonly #watched = new Set<LiveCaller>()
  #timer: Timer | null = null
  #stopped = false

  constructor(deps: LiveCallersDeps) {
    this.#deps = deps
  }

  start(): void {
    if (this.#deps.callers.mode === 'open' || this.#stopped) return
    this.#timer = this.#deps.timers.after(RECHECK_MS, () => {
      this.#recheck()
        .catch((error: unknown) => this.#deps.logger.error({ err: error }, 'callers could not be checked'))
        .finally(() => this.start())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#watched.clear()
  }

  /** Calls `ended` once for credentials that are no longer valid; the connection is anonymous from then on. */
  watch(
    presented: Presented,
    { caller, ended }: { caller: Caller | null; ended: (error: CallerError) => void },
  ): LiveCaller {
    const watched = new LiveCaller(this.#deps.callers, { presented, caller, ended }, () =>
      this.#watched.delete(watched),
    )
    this.#watched.add(watched)
    return watched
  }

  async #recheck(): Promise<void> {
    let looked = 0
    for (const watched of [...this.#watched]) {
      if (this.#stopped) return
      try {
        await watched.now()
      } catch (error) {
        // An end has been reported; no other error takes a caller's rights away, and bids check again.
        if (!(error instanceof CallerError)) this.#deps.logger.warn({ err: error }, 'a caller could not be checked')
      }
      looked += 1
      if (looked % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** The caller of one connection. */
export class LiveCaller {
  readonly #callers: Callers
  readonly #ended: (error: CallerError) => void
  readonly #leave: () => void
  #presented: Presented | null
  #caller: Caller | null

  constructor(
    callers: Callers,
    { presented, caller, ended }: { presented: Presented; caller: Caller | null; ended: (error: CallerError) => void },
    leave: () => void,
  ) {
    this.#callers = callers
    this.#presented = caller === null ? null : presented
    this.#caller = caller
    this.#ended = ended
    this.#leave = leave
  }

  /** As of the last check. */
  get known(): Caller | null {
    return this.#caller
  }

  /** Whether the one last looked at stays as it is without being looked at again: nobody, or a name taken on trust. */
  get certain(): boolean {
    return this.#presented === null || this.#callers.mode === 'open'
  }

  /** Checks now. Rejects with `CallerError` if the credentials have ended since. */
  async now(): Promise<Caller | null> {
    const presented = this.#presented
    if (presented === null || this.certain) return this.#caller
    try {
      const caller = await this.#callers.identify(presented)
      if (this.#presented === presented) this.#caller = caller
      return caller
    } catch (error) {
      if (!(error instanceof CallerError) || this.#presented !== presented) throw error
      this.#presented = null
      this.#caller = null
      this.#ended(error)
      throw error
    }
  }

  /** From here on it is somebody else's, or the same one's with new credentials. */
  become(presented: Presented, caller: Caller): void {
    this.#presented = presented
    this.#caller = caller
  }

  leave(): void {
    this.#presented = null
    this.#leave()
  }
}
