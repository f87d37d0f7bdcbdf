import type { Live } from './auction.js'
import { endAfterOutage } from './outage.js'

/** How close to the end a takeover moves it where there is no soft close, and by how much. */
export const TAKEOVER_WINDOW_MS = 60_000

/**
 * The new end of an auction that another node has taken over at `now`, whose home was last heard of at `since`. Within
 * the soft close's window of the end, and after the end, it lies that window ahead: nobody loses the end to a home that
 * died. Where more is to be given back of the time in which nobody could bid, that counts. Capped by the hard stop.
 * Null if the end stays.
 */
export function endAfterTakeover(auction: Live, since: number, now: number): number | null {
  const { closesAt, terms } = auction
  if (closesAt === null || now < (terms.opensAt ?? 0)) return null
  const windowMs = terms.softClose?.windowMs ?? TAKEOVER_WINDOW_MS
  const end = Math.max(now + windowMs, endAfterOutage(auction, since, now) ?? 0)
  const capped = Math.min(end, terms.softClose?.hardStopAt ?? Number.POSITIVE_INFINITY)
  return capped > Math.max(closesAt, now) ? capped : null
}
