/** Room `cli/render`: from what a node answers to text, tables and JSON. */

import { knownZone, type Look, makePaint } from './look.js'
import { columnsOf } from './terminal-text.js'

export interface OutputOptions {
  readonly json: boolean
  readonly color: boolean
  readonly timeZone: string
  readonly now: () => number
}

/** What is written to; a terminal knows its size. */
export interface TextSink {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

const DEFAULT_COLUMNS = 100
const DEFAULT_ROWS = 24

/** Where a command writes: results to one stream, remarks and errors to the other; or one JSON document. */
export class Output {
  readonly json: boolean
  readonly look: Look
  readonly #stdout: TextSink
  readonly #stderr: TextSink
  /** Rows of the screen that the next `live` overwrites. */
  #liveRows = 0

  constructor(
    { stdout, stderr }: { stdout: TextSink; stderr: TextSink },
    { json, color, timeZone, now }: OutputOptions,
  ) {
    this.json = json
    this.#stdout = stdout
    this.#stderr = stderr
    this.look = {
      paint: makePaint(color),
      timeZone: knownZone(timeZone),
      now,
      columns: stdout.columns ?? DEFAULT_COLUMNS,
    }
  }

  /** Lines for people. Prints nothing with `--json`. */
  lines(...lines: readonly string[]): void {
    if (!this.json && lines.length > 0) this.#stdout.write(`${lines.join('\n')}\n`)
  }

  get isTerminal(): boolean {
    return this.#stdout.isTTY ?? false
  }

  /**
   * Lines for people that take the place of those of the call before, on a terminal; elsewhere they follow them. What
   * does not fit the screen is left out.
   */
  live(lines: readonly string[]): void {
    if (this.json) return
    const { isTTY = false, columns = DEFAULT_COLUMNS, rows = DEFAULT_ROWS } = this.#stdout
    if (!isTTY) {
      this.lines(...lines)
      return
    }
    const shown = fitting(lines, columns, rows - 1)
    const back = this.#liveRows > 0 ? `\u001b[${this.#liveRows}A\r\u001b[J` : ''
    this.#liveRows = rowsOf(shown, columns)
    this.#stdout.write(`${back}${shown.map((line) => `${line}\n`).join('')}`)
  }

  /** A remark beside the result. */
  note(text: string): void {
    this.#liveRows = 0
    this.#stderr.write(`${text}\n`)
  }

  /** One JSON document, on one line. Prints nothing without `--json`. */
  document(value: unknown): void {
    if (this.json) this.#stdout.write(`${JSON.stringify(value)}\n`)
  }
}

function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(columnsOf(line) / columns)), 0)
}

/** As many of the lines as there is room for, with a word on the rest. */
function fitting(lines: readonly string[], columns: number, rows: number): readonly string[] {
  if (rowsOf(lines, columns) <= rows) return lines
  let count = 0
  while (count < lines.length && rowsOf(lines.slice(0, count + 1), columns) < rows) count += 1
  return [...lines.slice(0, count), `... and ${lines.length - count} more`]
}
