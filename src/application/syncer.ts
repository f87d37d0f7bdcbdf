import type { Head } from '../domain/commit.js'
import type { AuctionHead, EventLog } from '../ports/event-log.js'
import type { Logger } from '../ports/logger.js'
import type { PeerClient } from '../ports/peer-client.js'
import type { Random } from '../ports/random.js'
import type { Timer, Timers } from '../ports/timers.js'
import type { PeerTable } from './peer-table.js'
import type { Replicator } from './replicator.js'

export interface SyncerDeps {
  readonly peerClient: Pick<PeerClient, 'heads' | 'pullCommits'>
  readonly peerTable: PeerTable
  readonly eventLog: Pick<EventLog, 'heads'>
  readonly replicator: Replicator
  readonly random: Random
  readonly timers: Timers
  readonly logger: Logger
}

export interface SyncerOptions {
  readonly nodeId: string
  /** How often heads are compared with some peer, in case a push got lost. */
  readonly compareIntervalMs?: number
}

const COMPARE_INTERVAL_MS = 10_000
const PULLS_AT_ONCE = 4
const HEADS_PAGE = 1_000
/** Pulls of one auction from one peer that may bring nothing new before the peer is left alone. */
const MAX_EMPTY_PULLS = 1

/** Brings this node's replicas up to what its peers hold: when a peer appears, when a gap shows, and now and then. */
export class Syncer {
  readonly #deps: SyncerDeps
  readonly #options: Required<SyncerOptions>
  readonly #syncing = new Map<string, Promise<void>>()
  readonly #pulling = new Map<string, Promise<void>>()
  #unlisten: (() => void) | null = null
  #timer: Timer | null = null

  constructor(deps: SyncerDeps, options: SyncerOptions) {
    this.#deps = deps
    this.#options = { compareIntervalMs: COMPARE_INTERVAL_MS, ...options }
  }

  start(): void {
    if (this.#unlisten) return
    this.#unlisten = this.#deps.peerTable.onChange(({ peer, before }) => {
      if (peer.state === 'alive' && before !== 'suspect') void this.syncWith(peer.info.nodeId)
    })
    this.#schedule()
  }

  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
    this.#timer?.cancel()
  }

  /** Resolves once this node has what the peer had, or has failed to get it (logged; the next comparison retries). */
  syncWith(nodeId: string): Promise<void> {
    const running = this.#syncing.get(nodeId)
    if (running) return running
    const sync = this.#sync(nodeId)
      .catch((error: unknown) => {
        this.#deps.logger.warn(
          { nodeId, err: error },
          'a sync with a peer did not get through; it is tried again',
        )
      })
      .finally(() => this.#syncing.delete(nodeId))
    this.#syncing.set(nodeId, sync)
    return sync
  }

  /** Pulls an auction's commits from the peer, from `fromSeq` on, until there are no more. */
  pull(nodeId: string, auctionId: string, fromSeq: number): Promise<void> {
    const running = this.#pulling.get(auctionId)
    if (running) return running
    const pull = this.#pull(nodeId, auctionId, fromSeq)
      .catch((error: unknown) => {
        this.#deps.logger.warn(
          { nodeId, auctionId, err: error },
          'a pull did not get through; it is tried again',
        )
      })
      .finally(() => this.#pulling.delete(auctionId))
    this.#pulling.set(auctionId, pull)
    return pull
  }

  #schedule(): void {
    this.#timer = this.#deps.timers.after(this.#options.compareIntervalMs, () => {
      const peers = this.#deps.peerTable.reachable()
      const pick = Buffer.from(this.#deps.random.bytes(4)).readUInt32BE() % Math.max(1, peers.length)
      const peer = peers[pick]
      void (peer ? this.syncWith(peer.info.nodeId) : Promise.resolve()).finally(() => {
        if (this.#unlisten) this.#schedule()
      })
    })
  }

  #address(nodeId: string): string | null {
    return this.#deps.peerTable.whereabouts(nodeId)?.address ?? null
  }

  async #sync(nodeId: string): Promise<void> {
    const ours = await this.#ourHeads()
    const missing: { auctionId: string; fromSeq: number }[] = []
    let after: string | null = null
    do {
      const address = this.#address(nodeId)
      if (address === null || !this.#unlisten) return
      const page: { heads: AuctionHead[]; next: string | null } = await this.#deps.peerClient.heads(
        address,
        after,
      )
      for (const { auctionId, seq, hash } of page.heads) {
        const own = ours.get(auctionId)
        if (seq > (own?.seq ?? 0)) missing.push({ auctionId, fromSeq: (own?.seq ?? 0) + 1 })
        // As far as ours, and not ours: one of the two is a lie, and the commit itself may prove whose.
        else if (seq === own?.seq && hash !== own.hash) missing.push({ auctionId, fromSeq: seq })
      }
      if (page.next !== null && after !== null && page.next <= after)
        throw new Error('the peer’s pages go in circles')
      after = page.next
    } while (after !== null)
    if (missing.length > 0)
      this.#deps.logger.debug({ nodeId, auctions: missing.length }, 'pulling what is missing')
    await Promise.all(Array.from({ length: PULLS_AT_ONCE }, () => this.#work(nodeId, missing)))
  }

  async #work(nodeId: string, missing: { auctionId: string; fromSeq: number }[]): Promise<void> {
    for (let next = missing.pop(); next && this.#unlisten; next = missing.pop()) {
      await this.pull(nodeId, next.auctionId, next.fromSeq)
    }
  }

  async #ourHeads(): Promise<Map<string, Head>> {
    const ours = new Map<string, Head>()
    let page: AuctionHead[]
    let after: string | null = null
    do {
      page = await this.#deps.eventLog.heads(after, HEADS_PAGE)
      for (const head of page) ours.set(head.auctionId, head)
      after = page.at(-1)?.auctionId ?? null
    } while (page.length === HEADS_PAGE)
    return ours
  }

  async #pull(nodeId: string, auctionId: string, fromSeq: number): Promise<void> {
    let seq = fromSeq
    let empty = 0
    while (this.#unlisten) {
      const address = this.#address(nodeId)
      if (address === null) return
      const { commits, head } = await this.#deps.peerClient.pullCommits(address, auctionId, seq)
      const { refused } = await this.#deps.replicator.ingest(commits)
      if (refused.length > 0) return
      const last = commits.at(-1)?.lastSeq ?? 0
      if (last < seq && ++empty >= MAX_EMPTY_PULLS) return
      seq = Math.max(seq, last + 1)
      if (head === null || seq > head.seq) return
    }
  }
}
