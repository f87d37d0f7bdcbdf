import { type Look, makePaint } from './look.js'

export interface OutputOptions {
  readonly json: boolean
  readonly color: boolean
  readonly timeZone: string
  readonly now: () => number
}

/** What is written to; a terminal knows its width. */
export interface TextSink {
  readonly columns?: number
  write(text: string): unknown
}

const DEFAULT_COLUMNS = 100

/** Where a command writes: results to one stream, remarks and errors to the other; or one JSON document. */
export class Output {
  readonly json: boolean
  readonly look: Look
  readonly #stdout: TextSink
  readonly #stderr: TextSink

  constructor(
    { stdout, stderr }: { stdout: TextSink; stderr: TextSink },
    { json, color, timeZone, now }: OutputOptions,
  ) {
    this.json = json
    this.#stdout = stdout
    this.#stderr = stderr
    this.look = { paint: makePaint(color), timeZone, now, columns: stdout.columns ?? DEFAULT_COLUMNS }
  }

  /** Lines for people. Nothing where JSON was asked for. */
  lines(...lines: readonly string[]): void {
    if (!this.json && lines.length > 0) this.#stdout.write(`${lines.join('\n')}\n`)
  }

  /** A remark beside the result. */
  note(text: string): void {
    this.#stderr.write(`${text}\n`)
  }

  /** One JSON document, on one line. Nothing where it is for people. */
  document(value: unknown): void {
    if (this.json) this.#stdout.write(`${JSON.stringify(value)}\n`)
  }
}
