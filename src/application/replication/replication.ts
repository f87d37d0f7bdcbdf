import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { StoredHead } from '../../ports/mesh/sync-messages.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { PeerTable } from '../mesh/peer-table.js'

export interface ReplicationDeps {
  readonly peerClient: Pick<PeerClient, 'pullCommits'>
  readonly peerTable: Pick<PeerTable, 'reachable'>
  readonly timers: Timers
  readonly logger: Logger
}

/** What a command may ask for. */
export const MAX_ACK_REPLICAS = 16
/** Shorter than a forwarder waits for its answer. */
const WAIT_MS = 3_000
/** How often a replica is asked: it may have got a commit by another way than a push. */
const ASK_INTERVAL_MS = 300
const ASK_TIMEOUT_MS = 1_000
/** The most auctions whose replicas' progress is remembered. */
const MAX_AUCTIONS = 10_000

interface Waiting {
  readonly isMet: () => boolean
  readonly settle: () => void
}

interface Copies {
  /** By node id: the last seq that the replica has stored durably. */
  readonly seqs: Map<string, number>
  readonly waiting: Set<Waiting>
}

/**
 * Knows how far replicas of this home's auctions have got, for callers that want an answer only when enough have stored
 * it.
 */
export class Replication {
  readonly #deps: ReplicationDeps
  readonly #copies = new Map<string, Copies>()

  constructor(deps: ReplicationDeps) {
    this.#deps = deps
  }

  /** Nodes that could store a replica now. */
  get reachable(): number {
    return this.#deps.peerTable.reachable().length
  }

  /** A peer says that it has stored these logs durably up to these events. */
  stored(nodeId: string, heads: readonly StoredHead[]): void {
    for (const { auctionId, seq } of heads) {
      const { seqs, waiting } = this.#of(auctionId)
      if (seq <= (seqs.get(nodeId) ?? 0)) continue
      seqs.set(nodeId, seq)
      for (const one of waiting) if (one.isMet()) one.settle()
    }
  }

  /**
   * Resolves with the number of replicas that hold the event: when there are as many as asked for, or after
   * some seconds with as many as there are.
   */
  async awaitReplicas(auctionId: string, seq: number, replicas: number): Promise<number> {
    await this.#until(auctionId, seq, () => this.#count(auctionId, seq) >= replicas)
    return this.#count(auctionId, seq)
  }

  /** Resolves with whether that node's replica holds the event: when it does, or after some seconds. */
  async reached(nodeId: string, auctionId: string, seq: number): Promise<boolean> {
    const isThere = () => (this.#copies.get(auctionId)?.seqs.get(nodeId) ?? 0) >= seq
    await this.#until(auctionId, seq, isThere)
    return isThere()
  }

  async #until(auctionId: string, seq: number, isMet: () => boolean): Promise<void> {
    if (isMet()) return
    const { waiting } = this.#of(auctionId)
    const timers: Timer[] = []
    let one: Waiting | null = null
    await new Promise<void>((settle) => {
      one = { isMet, settle }
      waiting.add(one)
      timers.push(this.#deps.timers.after(WAIT_MS, settle))
      const askAgain = () => {
        this.#ask(auctionId, seq)
        timers.push(this.#deps.timers.after(ASK_INTERVAL_MS, askAgain))
      }
      timers.push(this.#deps.timers.after(ASK_INTERVAL_MS, askAgain))
    })
    if (one !== null) waiting.delete(one)
    for (const timer of timers) timer.cancel()
  }

  #ask(auctionId: string, seq: number): void {
    const { seqs } = this.#of(auctionId)
    for (const { info } of this.#deps.peerTable.reachable()) {
      if ((seqs.get(info.nodeId) ?? 0) >= seq) continue
      this.#deps.peerClient
        .pullCommits(info.address, [{ auctionId, fromSeq: seq + 1 }], { timeoutMs: ASK_TIMEOUT_MS })
        .then(([page]) => page?.head && this.stored(info.nodeId, [{ auctionId, ...page.head }]))
        .catch((error: unknown) => {
          this.#deps.logger.debug({ err: error, peer: info.name, auctionId }, 'a replica did not say how far it goes')
        })
    }
  }

  #count(auctionId: string, seq: number): number {
    let count = 0
    for (const stored of this.#copies.get(auctionId)?.seqs.values() ?? []) if (stored >= seq) count += 1
    return count
  }

  #of(auctionId: string): Copies {
    let copies = this.#copies.get(auctionId)
    if (copies === undefined) {
      this.#makeRoom()
      copies = { seqs: new Map(), waiting: new Set() }
      this.#copies.set(auctionId, copies)
    }
    return copies
  }

  #makeRoom(): void {
    if (this.#copies.size < MAX_AUCTIONS) return
    for (const [auctionId, { waiting }] of this.#copies) {
      if (waiting.size > 0) continue
      this.#copies.delete(auctionId)
      return
    }
  }
}
