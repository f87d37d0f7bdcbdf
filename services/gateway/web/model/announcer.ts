/** What is to be said aloud. Of one event, by its seq, nothing is said twice. */
export interface Announcement {
  readonly seq: number
  readonly text: string
}

export const POLITE_INTERVAL_MS = 5_000

/** Decides what a screen reader hears: prices at most once in five seconds, and then the latest only. */
export class Announcer {
  readonly #say: (region: 'polite' | 'assertive', text: string) => void
  #lastPoliteMs = Number.NEGATIVE_INFINITY
  #waiting: string | null = null
  readonly #said = new Set<string>()

  constructor(say: (region: 'polite' | 'assertive', text: string) => void) {
    this.#say = say
  }

  /** Replaces what waits. Gives how long it has to wait for `due`; 0: it was said. */
  polite(text: string, nowMs: number): number {
    this.#waiting = text
    return this.due(nowMs)
  }

  /** Says what waits, if it is time. Gives how long it still has to wait. */
  due(nowMs: number): number {
    if (this.#waiting === null) return 0
    const leftMs = this.#lastPoliteMs + POLITE_INTERVAL_MS - nowMs
    if (leftMs > 0) return leftMs
    this.#lastPoliteMs = nowMs
    this.#say('polite', this.#waiting)
    this.#waiting = null
    return 0
  }

  /** At once; never twice for one event of one auction. */
  assertive(auctionId: string, { seq, text }: Announcement): void {
    const key = `${auctionId} ${seq}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    if (this.#said.size > 1_000) this.#said.delete(this.#said.values().next().value as string)
    this.#say('assertive', text)
  }
}
