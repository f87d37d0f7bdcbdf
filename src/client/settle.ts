import type { Backoff } from './backoff.js'
import { type ClientError, GatewaysUnreachable, UnknownOutcome } from './client-error.js'
import type { TimeSource } from './time-source.js'

/** The result of asking once. */
export type Answer<T> =
  | { readonly kind: 'outcome'; readonly value: T }
  /** Refused, and would be refused again; this attempt did nothing. */
  | { readonly kind: 'refused'; readonly error: ClientError }
  /** No answer, or none yet. `mayHaveActed`: what was asked may have been done all the same. */
  | {
      readonly kind: 'again'
      readonly error: ClientError
      readonly mayHaveActed: boolean
      readonly afterMs?: number | undefined
    }

export interface SettleOptions {
  /** Null: a question, which does nothing. */
  readonly commandId: string | null
  /** How long the caller waits in total. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

export interface SettleDeps {
  readonly time: TimeSource
  readonly backoff: Backoff
}

/**
 * Sends the same request, with the same id, until there is an outcome or the deadline passes. Once an attempt may have
 * acted, only an outcome ends it: a refusal says nothing about the attempt before it.
 *
 * Rejects with the refusal; after the deadline with `UnknownOutcome` if something may have been done, or with the last
 * error otherwise.
 */
export async function settle<T>(
  ask: (leftMs: number) => Promise<Answer<T>>,
  { time, backoff }: SettleDeps,
  { commandId, deadlineMs, signal }: SettleOptions,
): Promise<T> {
  const endMs = time.monotonicMs() + deadlineMs
  const over = deadline(time, deadlineMs, signal)
  let paused: { cancel(): void } | null = null
  const pause = (ms: number) =>
    new Promise((resolve) => {
      paused = time.after(ms, () => resolve(true))
    })
  let mayHaveActed = false
  let asking = false
  let last: ClientError = new GatewaysUnreachable(`no gateway answered within ${deadlineMs} ms`)
  try {
    while (!over.passed) {
      asking = true
      const answer = await Promise.race([ask(Math.max(1, endMs - time.monotonicMs())), over.promise])
      if (answer === null) break
      asking = false
      if (answer.kind === 'outcome') return answer.value
      last = answer.error
      if (answer.kind === 'refused' && !mayHaveActed) throw answer.error
      if (answer.kind === 'again' && answer.mayHaveActed) mayHaveActed = true
      const given = answer.kind === 'again' ? (answer.afterMs ?? 0) : 0
      await Promise.race([pause(Math.max(given, backoff.nextMs())), over.promise])
    }
  } finally {
    over.cancel()
    ;(paused as { cancel(): void } | null)?.cancel()
  }
  if (commandId !== null && (mayHaveActed || asking)) throw new UnknownOutcome(commandId, last)
  throw signal?.aborted ? signal.reason : last
}

interface Deadline {
  readonly promise: Promise<null>
  readonly passed: boolean
  cancel(): void
}

function deadline(time: TimeSource, ms: number, signal: AbortSignal | undefined): Deadline {
  let passed = signal?.aborted ?? false
  let end: () => void = () => {}
  const promise = new Promise<null>((resolve) => {
    end = () => {
      passed = true
      resolve(null)
    }
  })
  const timer = time.after(ms, end)
  signal?.addEventListener('abort', end, { once: true })
  return {
    promise,
    get passed() {
      return passed
    },
    cancel() {
      timer.cancel()
      signal?.removeEventListener('abort', end)
    },
  }
}
