import type { OpenedAuction } from '../../domain/auction.js'
import type { NoticeKind } from '../../domain/notices/notice-kind.js'
import type { Listener } from '../../domain/notices/notice-verdict.js'
import type { NoticeTarget } from './notice-channel.js'
import type { NoticeSettings } from './notice-settings.js'

/** `sending`: leased by a sender; whoever leases it after that sends it with the same id. */
export const DELIVERY_STATES = ['waiting', 'sending', 'delivered', 'dropped', 'failed'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** One notice for one target of one person. */
export interface OutboxDelivery {
  /** Made of the event, the kind and the target, so that the same event never makes a second one. */
  readonly id: string
  readonly state: DeliveryState
  readonly accountId: string
  readonly targetId: string
  readonly channel: NoticeTarget['channel']
  readonly partyId: string
  readonly auctionId: string
  readonly seq: number
  readonly kind: NoticeKind
  /** UTC milliseconds, as are the others: when it happened. */
  readonly at: number
  readonly dueAt: number
  readonly attempts: number
  /** Null: it was never tried. */
  readonly firstTriedAt: number | null
  readonly settledAt: number | null
  /** The last thing that kept it from being delivered; null: nothing. */
  readonly why: string | null
  /** The words of the saved search; null unless the kind is `new-auction`. */
  readonly search: string | null
}

/** A delivery to send now, with what decides whether it still holds, as of this moment. */
export interface LeasedDelivery extends OutboxDelivery {
  /** Null: nobody knows the auction any more. */
  readonly auction: OpenedAuction | null
  /** Null: it was removed, or takes nothing any more. */
  readonly target: NoticeTarget | null
  readonly settings: NoticeSettings
  readonly listener: Listener
}

export interface LeaseRequest {
  readonly now: number
  readonly leaseMs: number
  /** At most so many, no two of them for one target. */
  readonly limit: number
  /** Targets that something is being sent to. */
  readonly busy: readonly string[]
}

export type OutboxCounts = Readonly<Record<DeliveryState, number>>

/**
 * What waits to be sent, and what became of it. Rows are added by the consumer's own step, in its transaction. Every
 * method rejects with `ConsumerStoreError` where the database cannot be used.
 */
export interface NoticeOutbox {
  /** Those that are due, and those whose lease has run out; the longest due first. Counts an attempt of each. */
  lease(request: LeaseRequest): Promise<LeasedDelivery[]>
  /** Ends the lease of this attempt; does nothing where another has begun. */
  settle(
    delivery: Pick<OutboxDelivery, 'id' | 'attempts'>,
    to: { readonly state: 'delivered' | 'dropped' | 'failed'; readonly why: string | null; readonly now: number },
  ): Promise<void>
  /** As above: it is due again later. `counts` false: that was no attempt. */
  postpone(
    delivery: Pick<OutboxDelivery, 'id' | 'attempts'>,
    to: { readonly dueAt: number; readonly why: string | null; readonly counts: boolean; readonly now: number },
  ): Promise<void>
  /** The target gets no more. */
  retire(targetId: string, why: string): Promise<void>
  counts(): Promise<OutboxCounts>
  /** When the longest due of those that wait was due; null: nothing waits. */
  oldestDue(): Promise<number | null>
  /** Newest settled first, those before `before` or all. */
  list(state: DeliveryState, page: { readonly limit: number; readonly accountId?: string }): Promise<OutboxDelivery[]>
  /** Has failed ones sent again: that one, or all. Resolves with how many. */
  retryFailed(id: string | null, now: number): Promise<number>
  /** Forgets up to `limit` settled before then; resolves with how many. */
  prune(before: number, limit: number): Promise<number>
}
