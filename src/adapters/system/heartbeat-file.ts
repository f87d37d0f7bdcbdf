import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Beat, Heartbeat } from '../../ports/system/heartbeat.js'

const FILE = 'heartbeat'
/** Every beat overwrites the one before. */
const WIDTH = 1_024

const time = z.int().positive()
const beatSchema = z.object({
  at: time,
  open: z.array(z.object({ since: z.int().nonnegative(), until: time })),
})

/** A file in the data directory that holds the last beat. Never synced: losing the newest beats does no harm. */
export class HeartbeatFile implements Heartbeat {
  readonly #path: string
  readonly #last: Beat | null
  #file: number | null = null

  constructor(dataDir: string) {
    this.#path = join(dataDir, FILE)
    this.#last = readBeat(this.#path)
  }

  /** Of the run before. */
  last(): Beat | null {
    return this.#last
  }

  beat(beat: Beat): void {
    this.#file ??= openSync(this.#path, existsSync(this.#path) ? 'r+' : 'w', 0o600)
    writeSync(this.#file, `${JSON.stringify(beat).padEnd(WIDTH - 1)}\n`, 0)
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}

function readBeat(path: string): Beat | null {
  if (!existsSync(path)) return null
  try {
    return beatSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    // Without it more is given back than was lost, and never less.
    return null
  }
}
