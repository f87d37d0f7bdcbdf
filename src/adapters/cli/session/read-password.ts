import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { MAX_PASSWORD_LENGTH } from '../../../application/accounts/account-input.js'
import { UsageError } from '../parse/usage-error.js'
import type { CliIo } from './cli-io.js'

/** Longer than any password. */
const MAX_INPUT_CHARACTERS = 4 * MAX_PASSWORD_LENGTH

/**
 * A new password: at a terminal typed twice without being shown, otherwise the first line of stdin. Never from the
 * command line, which other users of the machine can see, and shells remember.
 */
export async function readNewPassword(io: Pick<CliIo, 'stdin' | 'stderr' | 'ended'>): Promise<string> {
  if (!io.stdin.isTTY) return needed(await firstLine(io))
  const password = needed(await ask(io, 'Password: '))
  const again = await ask(io, 'Again: ')
  if (again === password) return password
  throw new UsageError('the two passwords differ', { next: 'try again' })
}

/** Readline echoes to its output, so it gets none. */
function ask({ stdin, stderr, ended }: Pick<CliIo, 'stdin' | 'stderr' | 'ended'>, prompt: string) {
  stderr.write(prompt)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  return lineOf(lines, ended).finally(() => stderr.write('\n'))
}

function firstLine({ stdin, ended }: Pick<CliIo, 'stdin' | 'ended'>): Promise<string | null> {
  return lineOf(createInterface({ input: stdin, terminal: false }), ended)
}

async function lineOf(lines: Interface, ended: AbortSignal): Promise<string | null> {
  const stop = () => lines.close()
  ended.addEventListener('abort', stop)
  try {
    return await new Promise((resolve) => {
      lines.once('line', resolve)
      lines.once('SIGINT', stop)
      lines.once('close', () => resolve(null))
      if (ended.aborted) stop()
    })
  } finally {
    ended.removeEventListener('abort', stop)
    lines.close()
  }
}

function needed(text: string | null): string {
  if (text !== null && text !== '' && text.length <= MAX_INPUT_CHARACTERS) return text
  throw new UsageError(text ? 'the password is too long' : 'no password was given', {
    next: 'type it when asked, or send it on stdin: printf %s "$PASSWORD" | vendue user add NAME',
  })
}
