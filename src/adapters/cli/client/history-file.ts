import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivateFile } from '../../system/private-file.js'

const MAX_LINES = 500
const MAX_LINE_LENGTH = 1_000

/** What was typed at the prompt, kept across restarts; readable only by its owner, since it may hold maxima. */
export class HistoryFile {
  readonly #path: string

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'client_history')
  }

  /** Newest first. */
  load(): string[] {
    try {
      const lines = readFileSync(this.#path, 'utf8').split('\n')
      return lines
        .filter((line) => line !== '')
        .slice(-MAX_LINES)
        .reverse()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  /** `lines`: newest first. */
  save(lines: readonly string[]): void {
    const kept = lines.filter((line) => line.length <= MAX_LINE_LENGTH).slice(0, MAX_LINES)
    writePrivateFile(this.#path, `${[...kept].reverse().join('\n')}\n`)
  }
}
