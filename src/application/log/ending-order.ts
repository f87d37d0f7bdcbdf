import type { OpenedAuction } from '../../domain/auction.js'

/**
 * The order by end: auctions whose end is ahead, soonest first; behind them those that have ended and wait for their homes. A
 * cursor carries its place in that order, so that a page goes on where the last one ended, whatever became of that auction.
 */
export interface EndingPlace {
  readonly group: 'ahead' | 'ended'
  /** UTC milliseconds. */
  readonly closesAt: number
  readonly auctionId: string
}

const CURSOR = /^(ahead|ended)\.(\d{1,16})\.(auc_[0-9a-z]{1,64})$/

/** Null for an auction without a place: it is not open, or has no end. */
export function endingPlace(
  { auctionId, state }: { readonly auctionId: string; readonly state: OpenedAuction },
  now: number,
): EndingPlace | null {
  if (state.status !== 'open' || state.closesAt === null) return null
  return { group: state.closesAt > now ? 'ahead' : 'ended', closesAt: state.closesAt, auctionId }
}

export function compareEnding(a: EndingPlace, b: EndingPlace): number {
  if (a.group !== b.group) return a.group === 'ahead' ? -1 : 1
  return a.closesAt - b.closesAt || (a.auctionId === b.auctionId ? 0 : a.auctionId < b.auctionId ? -1 : 1)
}

export function endingCursor({ group, closesAt, auctionId }: EndingPlace): string {
  return `${group}.${closesAt}.${auctionId}`
}

/** Null for a text that is no such cursor. */
export function readEndingCursor(text: string): EndingPlace | null {
  const [, group, closesAt, auctionId] = CURSOR.exec(text) ?? []
  if (auctionId === undefined) return null
  return { group: group as EndingPlace['group'], closesAt: Number(closesAt), auctionId }
}
