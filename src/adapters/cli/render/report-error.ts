import { NodeError } from '../../../ports/node/node-error.js'
import { describeError, errorJson } from './outcome-json.js'
import type { Output } from './output.js'
import { oneLine } from './terminal-text.js'

/** Says why something could not be done, and what to do: for people, or as JSON. `running`: what failed. */
export function reportError(error: unknown, { out, running }: { out: Output; running: string }): void {
  out.document(errorJson(error))
  if (out.json) return
  const { message, next, field, askAgain } = describeError(error)
  const start = running === '' ? 'error:' : `${running}:`
  // Nodes name their fields; what was found wrong here has been named as the user wrote it.
  const named = error instanceof NodeError ? namedByOption(message, field) : message
  out.note(`${out.look.paint.bad(start)} ${oneLine(named)}`)
  if (askAgain !== undefined) out.note(`next: ask again, which does nothing twice:\n      ${askAgain}`)
  else if (next !== undefined) out.note(`next: ${oneLine(next)}`)
}

/** Positional arguments by the names that a node gives them. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  auction: 'AUCTION',
  amount: 'AMOUNT',
  title: 'TITLE',
}

/** Nodes name a field "closesIn"; people wrote "--closes-in". */
function namedByOption(message: string, field: string | undefined): string {
  if (field === undefined || !message.startsWith(`${field} `)) return message
  const option = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return (ARGUMENTS[field] ?? `--${option}`) + message.slice(field.length)
}
