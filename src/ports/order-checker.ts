import type { Commit } from '../domain/commit.js'

/** What is wrong with the orders of a commit's bids. `bid`: the place in the commit of one that nobody has ordered. */
export type OrderFault =
  | { readonly kind: 'no-order'; readonly bid: number }
  | { readonly kind: 'bad-signature' }

/** Checks that the bids of many commits stand there in their bidders' own words. */
export interface OrderChecker {
  /** Of a commit whose body is sound; null where nothing is wrong. Checks may be made elsewhere, and several at once. */
  check(commit: Pick<Commit, 'auctionId' | 'body'>): Promise<OrderFault | null>
}
