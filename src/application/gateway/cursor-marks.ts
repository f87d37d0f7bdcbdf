/** Between two marks. */
const INTERVAL_MS = 10_000
/** A day of them; the oldest are forgotten. */
const MAX_MARKS = 8_640

/** How far the list of all events was heard at what time: what had not happened by then stands behind it. */
export class CursorMarks {
  #marks: { readonly at: number; readonly cursor: string }[] = []

  /** Times in UTC milliseconds. Most are left out: the clock's steps back are not. */
  note(at: number, cursor: string): void {
    const last = this.#marks.at(-1)
    if (last && at < last.at) this.#marks = this.#marks.filter((mark) => mark.at <= at)
    else if (last && at - last.at < INTERVAL_MS) return
    this.#marks.push({ at, cursor })
    if (this.#marks.length > MAX_MARKS) this.#marks.shift()
  }

  /** The newest not after `at`; null where nothing was heard by then. */
  before(at: number): string | null {
    return this.#marks.findLast((mark) => mark.at <= at)?.cursor ?? null
  }

  /** The list of events is a new one now. */
  clear(): void {
    this.#marks = []
  }
}
