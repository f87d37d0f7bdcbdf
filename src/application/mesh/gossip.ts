import type { Rumor } from '../../ports/mesh/liveness-messages.js'

/** The most rumors that a ping or its answer carries. */
export const RUMORS_PER_PING = 8
const MAX_RUMORS = 64
/** Times the logarithm of the mesh's size, which is what it takes to reach everybody. */
const SENDS_PER_DOUBLING = 3

/** News to pass on with the next pings, each a limited number of times, the freshest first. */
export class Gossip {
  readonly #news = new Map<string, { rumor: Rumor; sent: number }>()

  /** Takes the place of older news of the same node. */
  add(rumor: Rumor): void {
    this.#news.delete(rumor.nodeId)
    this.#news.set(rumor.nodeId, { rumor, sent: 0 })
    if (this.#news.size <= MAX_RUMORS) return
    const stalest = [...this.#news].reduce((a, b) => (b[1].sent > a[1].sent ? b : a))
    this.#news.delete(stalest[0])
  }

  /** For one ping in a mesh of `nodes`. */
  take(nodes: number): Rumor[] {
    const limit = SENDS_PER_DOUBLING * Math.ceil(Math.log2(nodes + 2))
    const chosen = [...this.#news.values()].sort((a, b) => a.sent - b.sent).slice(0, RUMORS_PER_PING)
    for (const news of chosen) {
      news.sent += 1
      if (news.sent >= limit) this.#news.delete(news.rumor.nodeId)
    }
    return chosen.map(({ rumor }) => rumor)
  }
}
