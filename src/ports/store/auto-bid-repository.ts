import type { Minor } from '../../domain/money.js'
import type { RejectionCode } from '../../domain/rejection.js'

/** An auto-bid of this node's user: bid for me, step by step, up to a limit that nobody else sees. */
export interface AutoBid {
  readonly auctionId: string
  readonly limit: Minor
  /**
   * `stopped`: by its user, or with a cancelled auction; `paused`: by its node, whose database is an old backup, until
   * its user sets it again; `refused`: its home would refuse every further bid.
   */
  readonly state: 'active' | 'outbid' | 'won' | 'lost' | 'stopped' | 'paused' | 'refused'
  /** Why it is refused; null otherwise. */
  readonly refusal: RejectionCode | null
  /** The bid on its way, written down before it is sent, so that a restart asks again with the same id. */
  readonly pending: { readonly bidId: string; readonly amount: Minor } | null
  readonly updatedAt: number
}

/** At most one auto-bid an auction. Every method is durable when it resolves. */
export interface AutoBidRepository {
  save(autoBid: AutoBid): Promise<void>
  find(auctionId: string): Promise<AutoBid | null>
  list(): Promise<AutoBid[]>
}
