import CircuitBreaker from 'opossum'
import { NodeError } from '../../ports/node/node-error.js'

export interface HomeBreakersOptions {
  /** How long a home that failed is left alone before one call tries it again. */
  readonly resetMs?: number
}

const RESET_MS = 5_000
const WINDOW_MS = 30_000
/** Failures in the window before calls are answered at once. */
const FAILURES = 3
const MAX_BREAKERS = 1_000
const FAILING: ReadonlySet<string> = new Set(['HOME_UNREACHABLE', 'OUTCOME_UNKNOWN'])

type Call = () => Promise<unknown>

/**
 * One circuit breaker per home, made when a call to that home first fails: homes that work cost nothing. While a
 * breaker is open, callers get HOME_UNREACHABLE at once, instead of waiting for a time-out.
 */
export class HomeBreakers {
  readonly #breakers = new Map<string, CircuitBreaker<[Call], unknown>>()
  readonly #resetMs: number

  constructor({ resetMs = RESET_MS }: HomeBreakersOptions = {}) {
    this.#resetMs = resetMs
  }

  /** Homes whose breaker is open. */
  get open(): number {
    return [...this.#breakers.values()].filter(({ opened }) => opened).length
  }

  /** Makes the call before it returns, or not at all: calls keep their order. */
  async call<T>(home: string, call: () => Promise<T>): Promise<T> {
    const breaker = this.#breakers.get(home)
    if (breaker) return this.#through(breaker, call)
    try {
      return await call()
    } catch (error) {
      await this.failed(() => Promise.resolve(home), error)
      throw error
    }
  }

  /** No home has failed: calls need not go through here, only what becomes of them if they fail. */
  get idle(): boolean {
    return this.#breakers.size === 0
  }

  /**
   * For a call that failed and did not go through `call`. `homeOf` is asked only if it is the home that failed; null:
   * it has none.
   */
  async failed(homeOf: () => Promise<string | null>, error: unknown): Promise<void> {
    if (!isFailure(error)) return
    const home = await homeOf()
    if (home !== null) await this.#note(home, error)
  }

  stop(): void {
    for (const breaker of this.#breakers.values()) breaker.shutdown()
    this.#breakers.clear()
  }

  async #through<T>(breaker: CircuitBreaker<[Call], unknown>, call: () => Promise<T>): Promise<T> {
    try {
      return (await breaker.fire(call)) as T
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EOPENBREAKER') throw error
      throw new NodeError('HOME_UNREACHABLE', "the auction's home keeps failing; nothing was done", {
        next: 'try again in some seconds: the auction waits for its home with nothing lost',
        cause: error,
      })
    }
  }

  async #note(home: string, error: unknown): Promise<void> {
    if (this.#breakers.has(home) || this.#breakers.size >= MAX_BREAKERS) return
    const breaker = new CircuitBreaker<[Call], unknown>((call) => call(), {
      name: home,
      // The node has time-outs of its own, and says what is unknown after them.
      timeout: false,
      errorThresholdPercentage: 50,
      volumeThreshold: FAILURES,
      rollingCountTimeout: WINDOW_MS,
      resetTimeout: this.#resetMs,
      errorFilter: (reason) => !isFailure(reason),
    })
    // A home that has come back needs none.
    breaker.on('close', () => {
      breaker.shutdown()
      this.#breakers.delete(home)
    })
    this.#breakers.set(home, breaker)
    await breaker.fire(() => Promise.reject(error)).catch(() => undefined)
  }
}

function isFailure(error: unknown): boolean {
  return error instanceof NodeError && FAILING.has(error.code)
}
