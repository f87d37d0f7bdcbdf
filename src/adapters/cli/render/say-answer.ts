import type { Json } from '../../../application/gateway/json-shapes.js'
import type { Output } from './output.js'
import { oneLine } from './terminal-text.js'

/**
 * Says what was answered to a command. The answer stands where saying so fails, and so does the exit code: then the plain words
 * come instead.
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
