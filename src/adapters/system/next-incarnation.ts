import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MAX_INCARNATION_AHEAD_MS } from '../../domain/limits.js'
import type { Clock } from '../../ports/system/clock.js'
import { writePrivateFile } from './private-file.js'

const FILE = 'incarnation'
/** The gap between two starts if the clock was set back: room for what a running node raises its number by. */
const MIN_STEP = 1_000_000
/** Half of what peers accept: clocks differ, and a running node raises its number. */
const MAX_AHEAD_MS = MAX_INCARNATION_AHEAD_MS / 2

/**
 * This start's number: the time in UTC milliseconds, and always higher than that of the start before, which the data
 * directory remembers. A clock that was set back would otherwise make a node that returns look like a late echo of
 * itself, and its peers would never list it again.
 */
export function nextIncarnation(dataDir: string, clock: Clock): number {
  const path = join(dataDir, FILE)
  const last = existsSync(path) ? readNumber(path) : 0
  const now = clock.now()
  const grown = last + MIN_STEP
  // Peers refuse a start that lies days ahead: after a clock that was so wrong, the number starts afresh.
  const next = now > last || grown - now > MAX_AHEAD_MS ? now : grown
  writePrivateFile(path, `${next}\n`)
  return next
}

/** A damaged file must not keep a node from starting: its clock is then all there is. */
function readNumber(path: string): number {
  const number = Number(readFileSync(path, 'utf8'))
  return Number.isSafeInteger(number) && number > 0 ? number : 0
}
