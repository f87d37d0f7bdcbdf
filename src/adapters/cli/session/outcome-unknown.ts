import { NodeError } from '../../../ports/node/node-error.js'
import type { Args } from '../parse/args.js'
import type { Session } from '../parse/command.js'
import { noteMoving } from './moving-note.js'

/**
 * The answer to a command did not come, or not with as many replicas as asked for. Asking again with its id gives the
 * outcome, and does nothing twice.
 */
export class OutcomeUnknownError extends Error {
  constructor(
    readonly code: 'OUTCOME_UNKNOWN' | 'NOT_REPLICATED',
    message: string,
    /** The very command to ask again with. */
    readonly askAgain: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'OutcomeUnknownError'
  }
}

/** Sends a command under its id; where the outcome stays unknown, the error holds how to ask again. */
export async function send<T>(
  session: Session,
  args: Pick<Args, 'text' | 'words'>,
  commandId: string,
  call: () => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const auction = args.text('auction')
  const what = commandId.startsWith('bid_') ? 'your bid is not placed' : 'this is not done'
  if (auction !== undefined) void noteMoving(session, { auction, what }, over.signal)
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    const { code } = error
    if (code !== 'OUTCOME_UNKNOWN' && code !== 'NOT_REPLICATED') throw error
    throw new OutcomeUnknownError(code, error.message, session.prefix + wordsWithId(args.words, commandId), {
      cause: error,
    })
  } finally {
    over.abort()
  }
}

function wordsWithId(words: readonly string[], commandId: string): string {
  const end = words.indexOf('--')
  const own = end < 0 ? words : words.slice(0, end)
  const rest = end < 0 ? [] : words.slice(end)
  const kept = own.filter((word, i) => !/^--id(=|$)/.test(word) && own[i - 1] !== '--id')
  return [...kept, '--id', commandId, ...rest].map(shellWord).join(' ')
}

/** A word as a POSIX shell takes it. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
