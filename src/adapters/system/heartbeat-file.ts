import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Heartbeat } from '../../ports/system/heartbeat.js'

const FILE = 'heartbeat'
/** Every beat is written over the one before, whole: thirteen digits until the year 2286. */
const DIGITS = 16

/** A file in the data directory that holds the time of the last beat. Never synced: losing the newest beats does no harm. */
export class HeartbeatFile implements Heartbeat {
  readonly #path: string
  readonly #last: number | null
  #file: number | null = null

  constructor(dataDir: string) {
    this.#path = join(dataDir, FILE)
    this.#last = readBeat(this.#path)
  }

  /** Of the run before. */
  last(): number | null {
    return this.#last
  }

  beat(at: number): void {
    this.#file ??= openSync(this.#path, existsSync(this.#path) ? 'r+' : 'w', 0o600)
    writeSync(this.#file, `${String(at).padStart(DIGITS, '0')}\n`, 0)
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}

function readBeat(path: string): number | null {
  if (!existsSync(path)) return null
  const beat = Number(readFileSync(path, 'utf8'))
  return Number.isSafeInteger(beat) && beat > 0 ? beat : null
}
