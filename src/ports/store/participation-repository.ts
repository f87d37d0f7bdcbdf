/**
 * The auctions that this node's own user has bid on, so that "outbid" and "lost" can be distinguished from "never took
 * part".
 */
export interface ParticipationRepository {
  /** Durable when it resolves; adding twice is harmless. */
  add(auctionId: string): Promise<void>
  /** Those of the given auctions that were added. */
  among(auctionIds: readonly string[]): Promise<Set<string>>
}
