import type { Difference } from './head-comparison.js'

/** An auction of which commits are missing, and who has them. */
export interface Missing {
  readonly auctionId: string
  /** The next event to be had. */
  fromSeq: number
  /** As far as anybody has said to have it. */
  untilSeq: number
  /** Node ids. */
  readonly sources: Set<string>
}

/** What is still to be pulled: each auction once, however many peers offer it, and with one of them at a time. */
export class PullQueue {
  readonly #waiting = new Map<string, Missing>()
  /** Being pulled at the moment. */
  readonly #taken = new Map<string, Missing>()

  /** Who waits for an auction to leave the queue. */
  readonly #waiters = new Map<string, (() => void)[]>()

  get size(): number {
    return this.#waiting.size + this.#taken.size
  }

  /** Events that are still missing. */
  get events(): number {
    let events = 0
    for (const { fromSeq, untilSeq } of this.#taken.values()) events += Math.max(0, untilSeq - fromSeq + 1)
    for (const { fromSeq, untilSeq } of this.#waiting.values()) events += Math.max(0, untilSeq - fromSeq + 1)
    return events
  }

  /** Resolves once nothing of the auction is in the queue any more, had or not. */
  gone(auctionId: string): Promise<void> {
    if (!this.#waiting.has(auctionId) && !this.#taken.has(auctionId)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiters.set(auctionId, [...(this.#waiters.get(auctionId) ?? []), resolve])
    })
  }

  #tell(auctionId: string): void {
    for (const resolve of this.#waiters.get(auctionId) ?? []) resolve()
    this.#waiters.delete(auctionId)
  }

  /** Node ids of all who have something of it. */
  sources(): Set<string> {
    const sources = new Set<string>()
    for (const missing of this.#taken.values()) for (const source of missing.sources) sources.add(source)
    for (const missing of this.#waiting.values()) for (const source of missing.sources) sources.add(source)
    return sources
  }

  add(
    { auctionId, fromSeq, untilSeq }: Pick<Difference, 'auctionId' | 'fromSeq' | 'untilSeq'>,
    nodeId: string,
  ) {
    const known = this.#taken.get(auctionId) ?? this.#waiting.get(auctionId)
    if (known) {
      known.sources.add(nodeId)
      known.untilSeq = Math.max(known.untilSeq, untilSeq)
    } else this.#waiting.set(auctionId, { auctionId, fromSeq, untilSeq, sources: new Set([nodeId]) })
  }

  /** Whether something waits that the peer has. */
  hasFor(nodeId: string): boolean {
    for (const { sources } of this.#waiting.values()) if (sources.has(nodeId)) return true
    return false
  }

  /** Up to `max` that the peer has and nobody else is being asked for; they are to be given back, or done. */
  take(nodeId: string, max: number): Missing[] {
    const taken: Missing[] = []
    for (const missing of this.#waiting.values()) {
      if (taken.length >= max) break
      if (missing.sources.has(nodeId)) taken.push(missing)
    }
    for (const missing of taken) {
      this.#waiting.delete(missing.auctionId)
      this.#taken.set(missing.auctionId, missing)
    }
    return taken
  }

  done({ auctionId }: Missing): void {
    this.#taken.delete(auctionId)
    this.#tell(auctionId)
  }

  /** For others that have it; false where there is nobody: then it is left to the next comparison of heads. */
  giveBack(missing: Missing): boolean {
    this.#taken.delete(missing.auctionId)
    if (missing.sources.size === 0) {
      this.#tell(missing.auctionId)
      return false
    }
    this.#waiting.set(missing.auctionId, missing)
    return true
  }

  /** The peer is not to be asked any more. True where nobody else has some of what it had. */
  forget(nodeId: string): boolean {
    let lost = false
    for (const missing of this.#taken.values()) missing.sources.delete(nodeId)
    for (const missing of [...this.#waiting.values()]) {
      if (!missing.sources.delete(nodeId) || missing.sources.size > 0) continue
      this.#waiting.delete(missing.auctionId)
      this.#tell(missing.auctionId)
      lost = true
    }
    return lost
  }

  clear(): void {
    this.#waiting.clear()
    this.#taken.clear()
    for (const auctionId of [...this.#waiters.keys()]) this.#tell(auctionId)
  }
}
