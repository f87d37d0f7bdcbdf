import type { Random } from '../../ports/system/random.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Waits after each attempt: together a day. */
const WAITS_MS = [5 * SECOND, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 4 * HOUR, 7 * HOUR, 10 * HOUR]
/** Added at random, so that what failed together is not tried again together. */
const JITTER = 0.2

/** How long to wait after this attempt (from 1); null: that was the last one. */
export function retryWait(attempt: number, afterMs: number, random: Random): number | null {
  const wait = WAITS_MS[attempt - 1]
  if (wait === undefined) return null
  const [byte = 0] = random.bytes(1)
  // No receiver can put a notice off for ever.
  const asked = Math.min(afterMs, WAITS_MS.at(-1) ?? 0)
  return Math.round(Math.max(wait, asked) * (1 + (JITTER * byte) / 255))
}
