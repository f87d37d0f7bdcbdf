import type { SealedMaximum } from '../../domain/commands.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { Minor } from '../../domain/money.js'
import type { Secrets } from '../../domain/pricing.js'
import { commitmentOf, RESERVE_SCOPE } from './commitment.js'

/** A maximum that stands in the log as a commitment alone. */
export interface Committed {
  readonly bidId: string
  readonly bidderId: string
  readonly seq: number
  readonly commitment: string
}

/**
 * What a home has to keep beside an auction's log, going by the log: the reserve, every maximum that has not been
 * opened or lost, and the maximum that leads. Events are taken one after the other.
 */
export class KeptBeside {
  readonly #auctionId: string
  readonly #committed = new Map<string, Committed>()
  #reserve: { readonly openingId: string; readonly commitment: string | null } = {
    openingId: '',
    commitment: null,
  }
  /** An amount, or the bid that committed to one. */
  #leading: { readonly amount: Minor } | { readonly bidId: string } | null = null
  #seq = 0
  #price: Minor = 0

  constructor(auctionId: string) {
    this.#auctionId = auctionId
  }

  take(event: AuctionEvent): void {
    this.#seq += 1
    switch (event.type) {
      case 'AuctionOpened':
        this.#reserve = { openingId: event.commandId, commitment: event.terms.reserveCommitment }
        return
      case 'BidPlaced':
      case 'MaxBidChanged': {
        const { bidId, bidder, commitment, price } = event
        this.#price = price
        if (commitment !== null) this.#committed.set(bidId, { bidId, bidderId: bidder.id, seq: this.#seq, commitment })
        if (event.type === 'BidPlaced' && !event.leads) return
        const amount = event.type === 'BidPlaced' ? event.amount : null
        this.#leading = amount === null ? { bidId } : { amount }
        return
      }
      case 'LotBoughtNow':
        this.#leading = { amount: event.price }
        return
      case 'MaximaRevealed':
        for (const { bidId } of event.maxima) this.#committed.delete(bidId)
        return
      case 'MaximaLost':
        this.#lose(event.since)
        return
      default:
        return
    }
  }

  #lose(since: number): void {
    for (const { bidId, seq } of this.#committed.values()) {
      if (seq < since) continue
      this.#committed.delete(bidId)
      if (this.#leads(bidId)) this.#leading = { amount: this.#price }
    }
  }

  #leads(bidId: string): boolean {
    return this.#leading !== null && 'bidId' in this.#leading && this.#leading.bidId === bidId
  }

  /** Not opened, and not lost. */
  get committed(): ReadonlyMap<string, Committed> {
    return this.#committed
  }

  /** Those that are not there, or are not what was committed to, in the order of the log. */
  missing(sealed: ReadonlyMap<string, SealedMaximum>): Committed[] {
    return [...this.#committed.values()].filter((one) => !this.#opens(one, sealed.get(one.bidId)))
  }

  #opens({ bidId, bidderId, commitment }: Committed, maximum: SealedMaximum | undefined): boolean {
    if (maximum?.bidderId !== bidderId) return false
    const { amount, salt } = maximum
    return commitmentOf({ scope: this.#auctionId, id: bidId, amount, salt }) === commitment
  }

  isReserve(reserve: Secrets['reserve']): boolean {
    const { openingId: id, commitment } = this.#reserve
    return (reserve && commitmentOf({ scope: RESERVE_SCOPE, id, ...reserve })) === commitment
  }

  /** The maximum that leads; null where nobody does, undefined where it is none of these. */
  leaderMax(sealed: ReadonlyMap<string, SealedMaximum>): Minor | null | undefined {
    if (this.#leading === null) return null
    return 'amount' in this.#leading ? this.#leading.amount : sealed.get(this.#leading.bidId)?.amount
  }

  /** As if these were lost from event `since` on. */
  leaderMaxWithout(sealed: ReadonlyMap<string, SealedMaximum>): Minor | null {
    return this.leaderMax(sealed) ?? (this.#leading === null ? null : this.#price)
  }
}
