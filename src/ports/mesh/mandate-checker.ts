import type { OpenedAuction } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'

/**
 * What is wrong with a commit's mandates. `event`: the place in the commit of one that needs a mandate and has none, or
 * that stands in mandates twice.
 */
export type MandateFault =
  | { readonly kind: 'no-mandate'; readonly event: number }
  | { readonly kind: 'two-mandates'; readonly event: number }
  /** Mandated too long before, or after, it was carried out. */
  | { readonly kind: 'out-of-time'; readonly event: number; readonly signedAt: number }
  | { readonly kind: 'bad-signature' }

export interface MandateCheck
  extends Pick<Commit, 'auctionId' | 'body' | 'signer'>,
    Pick<OpenedAuction, 'seller' | 'openedBy' | 'keptByCluster'> {}

/** A whole commit of which nothing has been checked. */
export interface CommitCheck extends Omit<Commit, 'position'> {
  /** Of the auction before this commit; null if the commit opens it. */
  readonly sellerFacts: Pick<OpenedAuction, 'seller' | 'openedBy' | 'keptByCluster'> | null
}

/** `rule`: what is wrong with its signature, its hash or its text. */
export type CommitFault = { readonly kind: 'unsound'; readonly rule: string } | MandateFault

/** Checks that bids, and what sellers do, stand in many commits in their own words. */
export interface MandateChecker {
  /**
   * Whether a commit is signed, its text is sound, and its mandates are. Null if nothing is wrong; whether it fits
   * the auction's log is for the caller to check. Rejects where it cannot be checked.
   */
  checkCommit(commit: CommitCheck): Promise<CommitFault | null>
  /**
   * Of a commit whose body is sound; null if nothing is wrong. Checks may be made elsewhere, and several at once.
   * Rejects where one cannot be made.
   */
  check(commit: MandateCheck): Promise<MandateFault | null>
  /** What is wrong with a commit's text or its hash, its signature and mandates left aside. Rejects likewise. */
  checkText(commit: Commit): Promise<string | null>
}
