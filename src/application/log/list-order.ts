import type { OpenedAuction } from '../../domain/auction.js'

/**
 * Lists of auctions are read page by page. A cursor carries its order, and the place in it where a page ended: what its
 * last auction was sorted by, and its id. So the next page begins there, whatever has become of that auction meanwhile.
 */

/** Newest opened first. */
export interface NewestPlace {
  /** UTC milliseconds. */
  readonly openedAt: number
  readonly auctionId: string
}

/**
 * The order by end: auctions whose end is ahead, soonest first; behind them those that have ended and wait for their
 * homes.
 */
export interface EndingPlace {
  readonly group: 'ahead' | 'ended'
  /** UTC milliseconds. */
  readonly closesAt: number
  readonly auctionId: string
}

const NEWEST = /^newest\.(\d{1,15})\.(auc_[0-9a-z]{1,64})$/
const ENDING = /^(ahead|ended)\.(\d{1,15})\.(auc_[0-9a-z]{1,64})$/

export function newestCursor({ openedAt, auctionId }: NewestPlace): string {
  return `newest.${openedAt}.${auctionId}`
}

/** Null for a text that is no such cursor. */
export function readNewestCursor(text: string): NewestPlace | null {
  const [, openedAt, auctionId] = NEWEST.exec(text) ?? []
  return auctionId === undefined ? null : { openedAt: Number(openedAt), auctionId }
}

/** Null for an auction without a place: it is not open, or has no end. */
export function endingPlace(
  { auctionId, state }: { readonly auctionId: string; readonly state: OpenedAuction },
  now: number,
): EndingPlace | null {
  if (state.status !== 'open' || state.closesAt === null) return null
  return { group: state.closesAt > now ? 'ahead' : 'ended', closesAt: state.closesAt, auctionId }
}

export function endingCursor({ group, closesAt, auctionId }: EndingPlace): string {
  return `${group}.${closesAt}.${auctionId}`
}

/** Null for a text that is no such cursor. */
export function readEndingCursor(text: string): EndingPlace | null {
  const [, group, closesAt, auctionId] = ENDING.exec(text) ?? []
  if (auctionId === undefined) return null
  return { group: group as EndingPlace['group'], closesAt: Number(closesAt), auctionId }
}
