/** Room `turns`: whose turn it is: what keeps the order in which things were asked. */

/**
 * Carries out the requests of one connection, or one auction, in the order of asking, however long the checks of each
 * take. Without it a check that waits (for a database, a counter, a key) lets what comes after it overtake.
 */
export class InOrder {
  #last: Promise<void> | null = null

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#last === null
  }

  /**
   * `work` begins when all that was given before has come to its end, well or not: at once where nothing is under way.
   * What has to happen in order belongs into it; what may be waited for together does not.
   */
  run<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.#last !== null) return this.#follow(this.#last.then(work))
    const result = work()
    return result instanceof Promise ? this.#follow(result) : result
  }

  #follow<T>(result: Promise<T>): Promise<T> {
    const end = () => {
      if (this.#last === last) this.#last = null
    }
    const last: Promise<void> = result.then(end, end)
    this.#last = last
    return result
  }
}

/** One `InOrder` for each key, which lasts as long as something is under way in it. */
export class InOrderOf<K> {
  readonly #orders = new Map<K, InOrder>()

  /** Nothing of this key is under way. */
  idle(key: K): boolean {
    return this.#orders.get(key)?.idle ?? true
  }

  async run<T>(key: K, work: () => Promise<T>): Promise<T> {
    const order = this.#orders.get(key) ?? new InOrder()
    this.#orders.set(key, order)
    try {
      return await order.run(work)
    } finally {
      if (order.idle && this.#orders.get(key) === order) this.#orders.delete(key)
    }
  }
}
