import { buyNowAvailable, minimumBid, type OpenedAuction, phaseAt } from '../../domain/auction.js'
import type { Party } from '../../domain/party.js'
import type { AuctionView, HomeState } from '../../ports/node/node-answers.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { AuctionRecord, AuctionRepository } from '../../ports/store/auction-repository.js'
import type { BreachRepository } from '../../ports/store/breach-repository.js'
import type { EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { ParticipationRepository } from '../../ports/store/participation-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { AutoBidder } from '../commands/auto-bidder.js'
import { AUCTION_ID } from '../log/ids.js'
import type { PeerTable } from '../mesh/peer-table.js'

export interface AuctionViewsDeps {
  readonly auctions: Pick<AuctionRepository, 'find' | 'idsByPrefix' | 'bidOnBy'>
  readonly autoBidder: Pick<AutoBidder, 'find'>
  readonly clock: Clock
  readonly breaches: Pick<BreachRepository, 'among' | 'find'>
  readonly equivocations: Pick<EquivocationRepository, 'among'>
  readonly logger: Logger
  readonly participations: ParticipationRepository
  readonly peerTable: PeerTable
}

/** Shortest prefix (after "auc_") that is looked up; anything shorter would hardly be unambiguous. */
const MIN_PREFIX_LENGTH = 2
const PREFIX_MATCHES_SHOWN = 5

/** Auctions as this node's user sees them. */
export class AuctionViews {
  readonly #deps: AuctionViewsDeps
  readonly #self: Party
  readonly #nodeId: string

  constructor(deps: AuctionViewsDeps, self: Party) {
    this.#deps = deps
    this.#self = self
    this.#nodeId = self.id
  }

  /** The auction that an id, or an unambiguous prefix of one, stands for. Rejects with `NodeError`. */
  async resolve(reference: string): Promise<AuctionRecord> {
    const trimmed = reference.trim().toLowerCase()
    const id = trimmed.startsWith('auc_') ? trimmed : `auc_${trimmed}`
    const record = AUCTION_ID.test(id) ? await this.#deps.auctions.find(id) : null
    if (record) return record
    const isPrefix = /^auc_[0-9a-z]+$/.test(id) && id.length >= 'auc_'.length + MIN_PREFIX_LENGTH
    const ids = isPrefix ? await this.#deps.auctions.idsByPrefix(id, PREFIX_MATCHES_SHOWN + 1) : []
    if (ids.length === 0) {
      throw new NodeError('AUCTION_NOT_FOUND', `no auction "${reference.slice(0, 60)}" is known here`, {
        field: 'auction',
        next: 'see `vendue list` for the auctions that this node knows',
      })
    }
    if (ids.length > 1) {
      const some = ids.slice(0, PREFIX_MATCHES_SHOWN).join(', ')
      const more = ids.length > PREFIX_MATCHES_SHOWN ? ', ...' : ''
      throw new NodeError('AUCTION_AMBIGUOUS', `"${reference}" could be ${some}${more}`, {
        field: 'auction',
        next: 'give more characters of the id',
      })
    }
    const found = await this.#deps.auctions.find(ids[0] as string)
    if (!found) throw new NodeError('INTERNAL', `auction ${ids[0]} is listed and cannot be read`)
    return found
  }

  async view(record: AuctionRecord, as?: Party): Promise<AuctionView> {
    const [view] = await this.viewAll([record], as)
    if (view) return view
    throw new NodeError('INTERNAL', `auction ${record.auctionId} cannot be shown; the node's log says why`)
  }

  /** As the party sees them, where one is given. One that cannot be shown is left out, and hides no other. */
  async viewAll(records: readonly AuctionRecord[], as?: Party): Promise<AuctionView[]> {
    const ids = records.map(({ auctionId }) => auctionId)
    const joined = as ? await this.#deps.auctions.bidOnBy(as.id, ids) : await this.#deps.participations.among(ids)
    const selfId = as?.id ?? this.#nodeId
    const forked = await this.#deps.equivocations.among(ids)
    const breached = await this.#deps.breaches.among(ids)
    const now = this.#deps.clock.now()
    const views = await Promise.all(
      records.map(async ({ auctionId, head, state }): Promise<AuctionView | null> => {
        const shown = this.#attempt(auctionId, () => ({
          minimum: minimumBid(state),
          buyNowAvailable: buyNowAvailable(state),
          homeName: this.#homeName(state),
          mine: standing(state, selfId, joined.has(auctionId)),
        }))
        if (shown === null) return null
        const phase = phaseAt(state, now)
        const biddable = phase === 'open' || phase === 'scheduled'
        return {
          auctionId,
          head,
          state,
          phase,
          minimum: biddable ? shown.minimum : null,
          buyNowAvailable: biddable && shown.buyNowAvailable,
          homeState: this.#homeState(state.home.nodeId),
          homeName: shown.homeName,
          disputed: forked.has(auctionId) || breached.has(auctionId),
          breach: breached.has(auctionId) ? await this.#deps.breaches.find(auctionId) : null,
          mine: shown.mine,
          autoBid: as ? null : await this.#deps.autoBidder.find(auctionId),
        }
      }),
    )
    return views.filter((view) => view !== null)
  }

  #attempt<T>(auctionId: string, make: () => T): T | null {
    try {
      return make()
    } catch (error) {
      this.#deps.logger.error({ err: error, auctionId }, 'an auction cannot be shown, and is left out')
      return null
    }
  }

  #homeState(nodeId: string): HomeState {
    return nodeId === this.#nodeId ? 'self' : (this.#deps.peerTable.get(nodeId)?.state ?? 'unknown')
  }

  #homeName({ home, seller }: OpenedAuction): string | null {
    if (home.nodeId === this.#nodeId) return this.#self.name
    const name = this.#deps.peerTable.get(home.nodeId)?.info.name
    return name ?? (seller.id === home.nodeId ? seller.name : null)
  }
}

function standing(state: OpenedAuction, partyId: string, joined: boolean): AuctionView['mine'] {
  if (state.seller.id === partyId) return 'seller'
  if (state.status === 'closed') {
    if (state.result.sold && state.result.winner.id === partyId) return 'won'
    return joined ? 'lost' : null
  }
  if (state.status === 'cancelled') return joined && state.leader !== null ? 'lost' : null
  if (state.leader?.id === partyId) return 'leading'
  // Where nobody leads nobody has been outbid.
  return joined && state.leader !== null ? 'outbid' : null
}
