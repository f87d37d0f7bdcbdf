import type { Budget } from '../budgets/budgets.js'
import type { Difference } from './head-comparison.js'

/** An auction of which commits are missing, and who has them. */
export interface Missing {
  readonly auctionId: string
  /** The seq of the next event to pull. */
  fromSeq: number
  /** By node id: the last seq that each peer says it has. */
  readonly sources: Map<string, number>
}

/**
 * What is still to be pulled: each auction once, however many peers offer it, and with one of them at a time. A peer
 * that offers more than its budget allows has to wait with the rest, and only that peer does.
 */
export class PullQueue {
  readonly #awaited: Budget
  readonly #waiting = new Map<string, Missing>()
  /** The auctions that are being pulled. */
  readonly #taken = new Map<string, Missing>()
  /** By node id: the auctions that it offers. */
  readonly #offers = new Map<string, Set<Missing>>()
  /** Callers that wait for an auction to leave the queue. */
  readonly #waiters = new Map<string, (() => void)[]>()

  constructor(awaited: Budget) {
    this.#awaited = awaited
  }

  get size(): number {
    return this.#waiting.size + this.#taken.size
  }

  /** How many events are still missing, as far as peers say. */
  get events(): number {
    let events = 0
    for (const missing of [...this.#taken.values(), ...this.#waiting.values()])
      events += Math.max(0, Math.max(...missing.sources.values(), 0) - missing.fromSeq + 1)
    return events
  }

  /** Resolves when nothing of the auction is in the queue any more, pulled or not. */
  gone(auctionId: string): Promise<void> {
    if (!this.#waiting.has(auctionId) && !this.#taken.has(auctionId)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiters.set(auctionId, [...(this.#waiters.get(auctionId) ?? []), resolve])
    })
  }

  /** Node ids of all peers that offer something. */
  sources(): string[] {
    return [...this.#offers.keys()]
  }

  /** Whether the peer has to wait before it offers more. */
  isFullOf(nodeId: string): boolean {
    return this.#awaited.isSpent(nodeId)
  }

  /** Adds what the peer offers; false if it offers too much already. */
  add(
    { auctionId, fromSeq, untilSeq }: Pick<Difference, 'auctionId' | 'fromSeq' | 'untilSeq'>,
    nodeId: string,
  ): boolean {
    const known = this.#taken.get(auctionId) ?? this.#waiting.get(auctionId)
    const offered = known?.sources.get(nodeId)
    if (known !== undefined && offered !== undefined) {
      known.sources.set(nodeId, Math.max(offered, untilSeq))
      return true
    }
    if (!this.#awaited.take(nodeId)) return false
    const missing = known ?? { auctionId, fromSeq, sources: new Map<string, number>() }
    missing.sources.set(nodeId, untilSeq)
    if (known === undefined) this.#waiting.set(auctionId, missing)
    const offers = this.#offers.get(nodeId)
    if (offers === undefined) this.#offers.set(nodeId, new Set([missing]))
    else offers.add(missing)
    return true
  }

  /** Whether something that the peer has waits. */
  hasFor(nodeId: string): boolean {
    for (const { auctionId } of this.#offers.get(nodeId) ?? []) if (this.#waiting.has(auctionId)) return true
    return false
  }

  /** Takes up to `max` auctions that the peer has and that no other peer is asked for. The caller gives them back. */
  take(nodeId: string, max: number): Missing[] {
    const taken: Missing[] = []
    for (const missing of this.#offers.get(nodeId) ?? []) {
      if (taken.length >= max) break
      if (this.#waiting.has(missing.auctionId)) taken.push(missing)
    }
    for (const missing of taken) {
      this.#waiting.delete(missing.auctionId)
      this.#taken.set(missing.auctionId, missing)
    }
    return taken
  }

  /** The peer has nothing more of it, or is not to be asked for it any more. */
  drop(missing: Missing, nodeId: string): void {
    if (!missing.sources.delete(nodeId)) return
    const offers = this.#offers.get(nodeId)
    offers?.delete(missing)
    if (offers?.size === 0) this.#offers.delete(nodeId)
    this.#awaited.give(nodeId)
  }

  /** Gives it back for other peers; false if no other has it: then the next comparison of heads finds it again. */
  giveBack(missing: Missing): boolean {
    this.#taken.delete(missing.auctionId)
    for (const [nodeId, untilSeq] of missing.sources) if (untilSeq < missing.fromSeq) this.drop(missing, nodeId)
    if (missing.sources.size === 0) {
      this.#notify(missing.auctionId)
      return false
    }
    this.#waiting.set(missing.auctionId, missing)
    return true
  }

  /** The peer is not to be asked any more. True if no other peer has some of what it had. */
  forget(nodeId: string): boolean {
    let lost = false
    for (const missing of [...(this.#offers.get(nodeId) ?? [])]) {
      this.drop(missing, nodeId)
      if (missing.sources.size > 0 || !this.#waiting.delete(missing.auctionId)) continue
      this.#notify(missing.auctionId)
      lost = true
    }
    return lost
  }

  clear(): void {
    for (const nodeId of this.sources()) this.forget(nodeId)
    this.#waiting.clear()
    this.#taken.clear()
    for (const auctionId of [...this.#waiters.keys()]) this.#notify(auctionId)
  }

  #notify(auctionId: string): void {
    for (const resolve of this.#waiters.get(auctionId) ?? []) resolve()
    this.#waiters.delete(auctionId)
  }
}
