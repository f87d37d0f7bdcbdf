import type { OpenedAuction } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'

/** What is wrong with a commit's orders. `event`: the place in the commit of one that nobody has ordered, and has to, or that stands in orders twice. */
export type OrderFault =
  | { readonly kind: 'no-order'; readonly event: number }
  | { readonly kind: 'two-orders'; readonly event: number }
  /** Ordered too long before, or after, it was carried out. */
  | { readonly kind: 'out-of-time'; readonly event: number; readonly signedAt: number }
  | { readonly kind: 'bad-signature' }

export interface OrderCheck
  extends Pick<Commit, 'auctionId' | 'body' | 'signer'>,
    Pick<OpenedAuction, 'seller' | 'openedBy'> {}

/** A whole commit of which nothing has been checked. */
export interface CommitCheck extends Omit<Commit, 'position'> {
  /** Of the auction before this commit; null where the commit opens it. */
  readonly sellerFacts: Pick<OpenedAuction, 'seller' | 'openedBy'> | null
}

/** `rule`: what is wrong with its signature, its hash or its text. */
export type CommitFault = { readonly kind: 'unsound'; readonly rule: string } | OrderFault

/** Checks that bids, and what sellers do, stand in many commits in their own words. */
export interface OrderChecker {
  /**
   * Whether a commit is signed, its text is sound, and its orders are. Null where nothing is wrong; whether it fits the auction's log
   * is for the caller to check. Rejects where it cannot be checked.
   */
  checkCommit(commit: CommitCheck): Promise<CommitFault | null>
  /**
   * Of a commit whose body is sound; null where nothing is wrong. Checks may be made elsewhere, and several at once. Rejects where one
   * cannot be made.
   */
  check(commit: OrderCheck): Promise<OrderFault | null>
}
