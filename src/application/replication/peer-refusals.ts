import type { Refusal } from '../../ports/mesh/home-messages.js'
import type { DoubtedAuction } from '../../ports/node/node-status.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { PeerTable } from '../mesh/peer-table.js'

export interface PeerRefusalsDeps {
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly logger: Logger
  readonly peerTable: Pick<PeerTable, 'whereabouts'>
}

interface Doubted {
  readonly seq: number
  reason: string
  /** When each peer has last said so. */
  readonly peers: Map<string, number>
}

const MAX_AUCTIONS = 1_000
const MAX_PEERS = 64
/** A peer that still refuses a commit says so again within ten minutes; after this, it has accepted it. */
const GOOD_FOR_MS = 15 * 60_000

/** Commits of this home that peers refuse: their auctions go on only here, and stand still everywhere else. */
export class PeerRefusals {
  readonly #deps: PeerRefusalsDeps
  readonly #nodeId: string
  readonly #doubted = new Map<string, Doubted>()

  constructor(deps: PeerRefusalsDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
  }

  /** Ignored unless this node has written the commit. */
  async heard({ from, auctionId, seq, reason }: Refusal): Promise<void> {
    const record = await this.#deps.auctions.find(auctionId)
    if (record?.state.home.nodeId !== this.#nodeId || seq > record.head.seq) return
    const known = this.#doubted.get(auctionId)
    // Where peers differ, the first event that one of them refuses counts.
    if (known !== undefined && known.seq < seq) return
    const doubted = known?.seq === seq ? known : { seq, reason, peers: new Map<string, number>() }
    doubted.reason = reason
    if (!doubted.peers.has(from)) {
      if (doubted.peers.size >= MAX_PEERS) return
      this.#deps.logger.error({ auctionId, seq, from, reason }, 'a peer refuses what this home has written')
    }
    doubted.peers.set(from, this.#deps.clock.monotonicMs())
    this.#doubted.delete(auctionId)
    this.#doubted.set(auctionId, doubted)
    const [oldest] = this.#doubted.keys()
    if (this.#doubted.size > MAX_AUCTIONS && oldest !== undefined) this.#doubted.delete(oldest)
  }

  /** As of the peers that can be reached. */
  list(): DoubtedAuction[] {
    const { clock, peerTable } = this.#deps
    const now = clock.monotonicMs()
    return [...this.#doubted].flatMap(([auctionId, { seq, reason, peers }]) => {
      const names = [...peers]
        .filter(([, saidAt]) => now - saidAt <= GOOD_FOR_MS)
        .flatMap(([nodeId]) => peerTable.whereabouts(nodeId)?.name ?? [])
      return names.length === 0 ? [] : [{ auctionId, seq, reason, peers: names }]
    })
  }
}
