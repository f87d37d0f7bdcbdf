import type { Live } from './auction.js'

/**
 * The new end after an accepted bid at `now` that changed leader or price, or null where the end stays:
 * end = max(end, now + extension) within the window, capped by the hard stop.
 */
export function softCloseEnd(auction: Live, now: number): number | null {
  const rule = auction.terms.softClose
  if (rule === null || auction.closesAt === null) return null
  if (auction.closesAt - now > rule.windowMs) return null
  const end = Math.min(now + rule.extensionMs, rule.hardStopAt ?? Number.POSITIVE_INFINITY)
  return end > auction.closesAt ? end : null
}
