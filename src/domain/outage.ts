import type { Live } from './auction.js'

/**
 * An auction gets back at least this much, or all of its time where that is less: bidders have to find their way back.
 */
export const LEAST_GIVEN_BACK_MS = 60_000

/**
 * The new end of an auction whose end fell within a time in which nobody could bid, from `since` to `now`: what was
 * left of it at `since` is left again, capped by the hard stop. Null where nothing is to be given back: the terms say
 * so, the end lies outside that time, or the hard stop has passed.
 */
export function endAfterOutage(auction: Live, since: number, now: number): number | null {
  const { closesAt, openedAt, terms } = auction
  if (!terms.givesTimeBack || closesAt === null || since >= closesAt || closesAt > now) return null
  const biddableFrom = terms.opensAt ?? openedAt
  const lost = closesAt - Math.max(since, biddableFrom)
  const least = Math.min(LEAST_GIVEN_BACK_MS, closesAt - biddableFrom)
  const end = Math.min(now + Math.max(lost, least), terms.softClose?.hardStopAt ?? Number.POSITIVE_INFINITY)
  return end > now ? end : null
}
