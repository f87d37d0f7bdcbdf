import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { NodeErrorCode } from '../../ports/node/node-error.js'

type Failure = Extract<SubmitResult, { ok: false }>

/** Failures of the log after which it is certain that nothing was stored. */
const NOTHING_STORED: Readonly<Record<string, string>> = {
  BUSY: 'the home is busy; nothing was done, try again in a moment',
  DISK_FULL: 'the home has no disk space left; nothing was done, try again when it has',
  SEQ_CONFLICT: 'the auction has moved on; nothing was done, try again',
  DUPLICATE_COMMAND: 'another command with this id arrived at the same time; ask again',
  BAD_BODY: 'the home noticed in time that nobody could read what it was to write; nothing was done',
}

/** Those that are no reason to try again at once. */
const CODES: Readonly<Record<string, NodeErrorCode>> = { DISK_FULL: 'DISK_FULL', BAD_BODY: 'INTERNAL' }

export function submitFailure(code: NodeErrorCode, message: string): Failure
export function submitFailure(error: unknown): Failure
/**
 * The answer to a command that has no outcome. Where the log may have stored it before it failed, that is
 * OUTCOME_UNKNOWN, never a rejection.
 */
export function submitFailure(cause: unknown, message?: string): Failure {
  if (typeof cause === 'string') return { ok: false, code: cause as NodeErrorCode, message: message ?? cause }
  const code = (cause as { code?: unknown } | null)?.code
  const known = typeof code === 'string' ? NOTHING_STORED[code] : undefined
  if (known !== undefined) {
    return { ok: false, code: CODES[code as string] ?? 'BUSY', message: known }
  }
  return {
    ok: false,
    code: 'OUTCOME_UNKNOWN',
    message: 'the home failed while it wrote; ask again with the same id to learn the outcome',
  }
}
