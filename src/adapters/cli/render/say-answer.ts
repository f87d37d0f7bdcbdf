import type { Json } from '../../../application/gateway/json-shapes.js'
import type { Output } from './output.js'
import { oneLine } from './terminal-text.js'

/**
 * Prints the answer to a command. If printing fails, the answer and the exit code still stand: then the plain words
 * are printed instead.
 */
export async function sayAnswer(
  out: Output,
  plain: { readonly [name: string]: Json },
  say: () => Promise<void> | void,
): Promise<void> {
  try {
    await say()
  } catch (error) {
    out.document(plain)
    out.lines(
      ...Object.entries(plain).flatMap(([name, value]) =>
        value === null ? [] : [`${name.replaceAll('_', ' ')}: ${String(value)}`],
      ),
    )
    const reason = oneLine(error instanceof Error ? error.message : String(error))
    out.note(`warning: this is the answer, and the rest of it cannot be shown here: ${reason}`)
  }
}
