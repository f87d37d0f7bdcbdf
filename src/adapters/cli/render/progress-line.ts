import type { OutputStream } from '../session/cli-io.js'
import { showSpan } from './look.js'

const INTERVAL_MS = 100
const BAR_COLUMNS = 24

/** A bar on a terminal's last line: how far, how much, how long yet. Silent without a terminal. */
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
    const part = Math.min(1, done / Math.max(1, this.#total))
    const passed = performance.now() - this.#startedAt
    this.draw(progressText(part, text, part > 0 ? (passed * (1 - part)) / part : null))
  }

  draw(line: string): void {
    const now = performance.now()
    if (!this.#shown || now - this.#lastAt < INTERVAL_MS) return
    this.#lastAt = now
    const columns = this.#stream.columns ?? line.length + 1
    this.#stream.write(`\r\u001b[K${line.slice(0, columns - 1)}`)
    this.#drawn = true
  }

  clear(): void {
    if (this.#drawn) this.#stream.write('\r\u001b[K')
    this.#drawn = false
  }
}

/** "██████░░  75 %  so much, 3 s left"; `part` is from 0 to 1. */
export function progressText(part: number, text: string, msLeft: number | null): string {
  const filled = Math.round(part * BAR_COLUMNS)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_COLUMNS - filled)
  const left = msLeft === null ? '' : `, ${showSpan(msLeft)} left`
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)} %  ${text}${left}`
}
