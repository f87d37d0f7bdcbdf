import type { OutputStream } from './cli-io.js'
import { showSpan } from './look.js'

const INTERVAL_MS = 100
const BAR_COLUMNS = 24

/** A bar on a terminal's last line: how far, how much, how long yet. Silent where there is no terminal. */
export class ProgressLine {
  readonly #stream: OutputStream
  readonly #total: number
  readonly #shown: boolean
  readonly #startedAt = performance.now()
  #lastAt = 0
  #drawn = false

  constructor(stream: OutputStream, { total, shown }: { total: number; shown: boolean }) {
    this.#stream = stream
    this.#total = total
    this.#shown = shown && stream.isTTY === true
  }

  /** `text`: what has been done so far, in words. */
  show(done: number, text: string): void {
    const now = performance.now()
    if (!this.#shown || now - this.#lastAt < INTERVAL_MS) return
    this.#lastAt = now
    const part = Math.min(1, done / Math.max(1, this.#total))
    const filled = Math.round(part * BAR_COLUMNS)
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_COLUMNS - filled)
    const left = part > 0 ? `, ${showSpan(((now - this.#startedAt) * (1 - part)) / part)} left` : ''
    this.#stream.write(`\r\u001b[K${bar} ${String(Math.floor(part * 100)).padStart(3)} %  ${text}${left}`)
    this.#drawn = true
  }

  clear(): void {
    if (this.#drawn) this.#stream.write('\r\u001b[K')
    this.#drawn = false
  }
}
