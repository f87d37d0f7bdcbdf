interface Waiting<V> {
  readonly go: (found: V) => void
  readonly fail: (error: unknown) => void
}

/**
 * Looks things up for what is asked of them. What comes while something is being looked up waits for the same look, and
 * continues with the others in the order of arrival: none overtakes another.
 */
export class Lookups<V> {
  readonly #look: (key: string) => Promise<V>
  readonly #waiting = new Map<string, Waiting<V>[]>()

  constructor(look: (key: string) => Promise<V>) {
    this.#look = look
  }

  /** No caller waits for it. */
  idle(key: string): boolean {
    return !this.#waiting.has(key)
  }

  /** Calls `work` with what was found. Rejects where the look fails, or `work` does. */
  run<T>(key: string, work: (found: V) => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const go = (found: V) => {
        try {
          resolve(work(found))
        } catch (error) {
          reject(error)
        }
      }
      const waiting = this.#waiting.get(key)
      if (waiting !== undefined) {
        waiting.push({ go, fail: reject })
        return
      }
      this.#waiting.set(key, [{ go, fail: reject }])
      this.#look(key).then(
        (found) => {
          for (const one of this.#take(key)) one.go(found)
        },
        (error: unknown) => {
          for (const one of this.#take(key)) one.fail(error)
        },
      )
    })
  }

  #take(key: string): Waiting<V>[] {
    const waiting = this.#waiting.get(key) ?? []
    this.#waiting.delete(key)
    return waiting
  }
}
