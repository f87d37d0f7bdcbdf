import type { Terms } from '../../domain/terms.js'
import type { NodeApi } from '../../ports/node/node-api.js'

/** What does not change about an auction, except that it may move to another home. */
export interface AuctionFacts {
  readonly auctionId: string
  readonly terms: Terms
  readonly sellerId: string
  readonly sellerName: string
  readonly homeNodeId: string
  /** Of a cluster, where another node may answer when the home does not. */
  readonly inCluster: boolean
}

const MAX_KEPT = 10_000

/** Looks up and caches what hardly changes about auctions. */
export class AuctionFactsCache {
  readonly #api: Pick<NodeApi, 'show'>
  readonly #kept = new Map<string, AuctionFacts>()

  constructor({ api }: { api: Pick<NodeApi, 'show'> }) {
    this.#api = api
  }

  /** From the cache only. */
  peek(auctionId: string): AuctionFacts | undefined {
    return this.#kept.get(auctionId)
  }

  /** By id, or the start of one. Rejects with `NodeError`. */
  async of(auctionId: string): Promise<AuctionFacts> {
    const kept = this.#kept.get(auctionId)
    if (kept) return kept
    const { auctionId: id, state } = await this.#api.show({ auction: auctionId })
    return this.keep(id, {
      auctionId: id,
      terms: state.terms,
      sellerId: state.seller.id,
      sellerName: state.seller.name,
      homeNodeId: state.home.nodeId,
      inCluster: state.cluster !== null,
    })
  }

  /** The auction has moved. */
  forget(auctionId: string): void {
    this.#kept.delete(auctionId)
  }

  keep(auctionId: string, facts: AuctionFacts): AuctionFacts {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    this.#kept.set(auctionId, facts)
    return facts
  }
}
