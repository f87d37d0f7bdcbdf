import {
  type EndingPlace,
  endingCursor,
  endingPlace,
  type NewestPlace,
  newestCursor,
  readEndingCursor,
  readNewestCursor,
} from '../../../src/application/log/list-order.js'
import { foldText } from '../../../src/application/log/read-model.js'
import { type AuctionStatus, dueAt, phaseAt } from '../../../src/domain/auction.js'
import type {
  AuctionQuery,
  AuctionRecord,
  AuctionRepository,
  BidRecord,
  DueAuction,
} from '../../../src/ports/store/auction-repository.js'
import { unrevealedOf } from './memory-secret-repository.js'
import type { MemoryAuction, MemoryTables } from './memory-tables.js'

export class MemoryAuctionRepository implements AuctionRepository {
  readonly #tables: MemoryTables

  constructor({ tables }: { tables: MemoryTables }) {
    this.#tables = tables
  }

  async find(auctionId: string): Promise<AuctionRecord | null> {
    const auction = this.#tables.auctions.get(auctionId)
    return auction === undefined ? null : recordOf(auction)
  }

  async idsByPrefix(prefix: string, limit: number): Promise<string[]> {
    return [...this.#tables.auctions.keys()]
      .filter((id) => id.startsWith(prefix))
      .sort()
      .slice(0, limit)
  }

  async list(query: AuctionQuery) {
    if (query.sort === 'ending') return this.#ending(query)
    const { cursor, limit, now, statuses, text, seller, bidder } = query
    const after = cursor === undefined ? null : readNewestCursor(cursor)
    if (cursor !== undefined && after === null) throw new RangeError('this is no cursor of a list by opening')
    const wanted = this.#all()
      .filter((auction) => after === null || compareNewest(after, newestPlace(auction)) < 0)
      .filter(({ state }) => statuses?.includes(phaseAt(state, now)) ?? true)
      .filter(({ state }) => foldText(state.terms.title).includes(foldText(text ?? '')))
      .filter(({ state }) => seller === undefined || state.seller.id === seller)
      .filter(({ bids }) => bidder === undefined || bids.some((bid) => bid.bidder.id === bidder))
      .sort((a, b) => compareNewest(newestPlace(a), newestPlace(b)))
    const page = wanted.slice(0, limit)
    const last = wanted.length > limit ? page.at(-1) : undefined
    return { auctions: page.map(recordOf), next: last ? newestCursor(newestPlace(last)) : null }
  }

  #ending({ cursor, limit, now, text }: AuctionQuery) {
    const after = cursor === undefined ? null : readEndingCursor(cursor)
    if (cursor !== undefined && after === null) throw new RangeError('this is no cursor of a list by end')
    const wanted = this.#all()
      .filter(({ state }) => foldText(state.terms.title).includes(foldText(text ?? '')))
      .flatMap((auction) => {
        const place = endingPlace(auction, now)
        return place === null ? [] : [{ auction, place }]
      })
      .filter(({ place }) => after === null || compareEnding(after, place) < 0)
      .sort((a, b) => compareEnding(a.place, b.place))
    const page = wanted.slice(0, limit)
    const last = page.at(-1)
    return {
      auctions: page.map(({ auction }) => recordOf(auction)),
      next: wanted.length > limit && last ? endingCursor(last.place) : null,
    }
  }

  async due(homeNodeId: string): Promise<DueAuction[]> {
    return this.#all()
      .filter(({ state }) => state.home.nodeId === homeNodeId)
      .flatMap(({ auctionId, state }) => {
        const due = dueAt(state)
        return due === null ? [] : { auctionId, dueAt: due }
      })
      .sort((a, b) => a.dueAt - b.dueAt || (a.auctionId < b.auctionId ? -1 : 1))
  }

  async unrevealed(homeNodeId: string): Promise<string[]> {
    return this.#all()
      .filter(({ state }) => state.home.nodeId === homeNodeId && state.status === 'closed')
      .filter((auction) => unrevealedOf(auction).length > 0)
      .map(({ auctionId }) => auctionId)
      .sort()
  }

  async bids(auctionId: string, beforeSeq: number | null, limit: number): Promise<BidRecord[]> {
    const bids = this.#tables.auctions.get(auctionId)?.bids ?? []
    return bids
      .filter(({ seq }) => seq < (beforeSeq ?? Number.POSITIVE_INFINITY))
      .reverse()
      .slice(0, limit)
  }

  async bidOnBy(bidderId: string, auctionIds: readonly string[]): Promise<Set<string>> {
    const bidOn = (id: string) => this.#tables.auctions.get(id)?.bids.some((bid) => bid.bidder.id === bidderId)
    return new Set(auctionIds.filter(bidOn))
  }

  async liveOf(homeNodeId: string): Promise<number> {
    const live = this.#all().filter(({ state }) => state.status === 'scheduled' || state.status === 'open')
    return live.filter(({ state }) => state.home.nodeId === homeNodeId).length
  }

  async withPicture(hash: string, homeNodeId: string | null): Promise<AuctionRecord | null> {
    const found = this.#all().find(
      ({ state: { terms, home } }) =>
        terms.pictures.some((picture) => picture.hash === hash) && (homeNodeId === null || home.nodeId === homeNodeId),
    )
    return found === undefined ? null : recordOf(found)
  }

  async counts(): Promise<{ auctions: Record<AuctionStatus, number>; bids: number }> {
    const auctions = { scheduled: 0, open: 0, closed: 0, cancelled: 0 }
    let bids = 0
    for (const { state } of this.#all()) {
      auctions[state.status]++
      bids += state.bidCount
    }
    return { auctions, bids }
  }

  #all(): MemoryAuction[] {
    return [...this.#tables.auctions.values()]
  }
}

function recordOf({ auctionId, head, state }: MemoryAuction): AuctionRecord {
  return { auctionId, head, state }
}

function newestPlace({ auctionId, state }: MemoryAuction): NewestPlace {
  return { openedAt: state.openedAt, auctionId }
}

function compareNewest(a: NewestPlace, b: NewestPlace): number {
  return b.openedAt - a.openedAt || (a.auctionId === b.auctionId ? 0 : a.auctionId < b.auctionId ? 1 : -1)
}

function compareEnding(a: EndingPlace, b: EndingPlace): number {
  if (a.group !== b.group) return a.group === 'ahead' ? -1 : 1
  return a.closesAt - b.closesAt || (a.auctionId === b.auctionId ? 0 : a.auctionId < b.auctionId ? -1 : 1)
}
