import { createHash } from 'node:crypto'

/** Steps shown when a run fails. */
const KEPT_LINES = 60
/** Characters that are hashed at once. */
const CHUNK = 16_384

/** What happened, line by line: the newest lines as they are, and a hash over all. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #echo: ((line: string) => void) | null
  #pending = ''
  #last: string[] = []
  #lines = 0
  #digest: string | null = null

  constructor(echo: ((line: string) => void) | null = null) {
    this.#echo = echo
  }

  get lines(): number {
    return this.#lines
  }

  add(atMs: number, text: string): void {
    const line = `${(atMs / 1_000).toFixed(6)} ${text}`
    this.#lines += 1
    this.#pending += `${line}\n`
    if (this.#pending.length > CHUNK) this.#flush()
    this.#last.push(line)
    if (this.#last.length > 2 * KEPT_LINES) this.#last = this.#last.slice(-KEPT_LINES)
    this.#echo?.(line)
  }

  last(): string[] {
    return this.#last.slice(-KEPT_LINES)
  }

  /** SHA-256 over all lines; ends the trace. */
  digest(): string {
    if (this.#digest === null) {
      this.#flush()
      this.#digest = this.#hash.digest('hex')
    }
    return this.#digest
  }

  #flush(): void {
    this.#hash.update(this.#pending)
    this.#pending = ''
  }
}
