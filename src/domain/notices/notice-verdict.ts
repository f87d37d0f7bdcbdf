import { type OpenedAuction, phaseAt } from '../auction.js'
import type { NoticeKind } from './notice-kind.js'
import { type QuietHours, quietUntil } from './quiet-hours.js'

/** A notice that may be due: whether it still holds is decided when it is to be sent. */
export interface DueNotice {
  readonly kind: NoticeKind
  /** The party that it is for, as the auction's log names it. */
  readonly partyId: string
  /** When it happened, UTC milliseconds. */
  readonly at: number
}

/** How the person wants to hear of things, and what they know already. */
export interface Listener {
  readonly off: ReadonlySet<NoticeKind>
  readonly quiet: QuietHours | null
  readonly timeZone: string
  /** Until when they had the lot open and in view; null: they never had. */
  readonly inViewUntil: number | null
  /** When the same target last heard that they were outbid, or that the end has moved; null: never. */
  readonly lastMovedAt: number | null
}

export type DropReason = 'off' | 'in-view' | 'over' | 'leads' | 'too-old' | 'already-said' | 'unknown-auction'

export type Verdict =
  | { readonly do: 'send' }
  | { readonly do: 'wait'; readonly until: number }
  | { readonly do: 'drop'; readonly why: DropReason }

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const ENDING_SOON_MS = 10 * MINUTE
export const OUTBID_INTERVAL_MS = 10 * MINUTE
/** A notice that comes so late came through an outage: it wakes nobody. */
export const LATE_MS = HOUR
const NIGHT: QuietHours = { from: 22 * 60, to: 7 * 60 }

/** After this nobody needs to hear of it any more, even where it still holds. */
export const SHELF_LIFE_MS: Readonly<Record<NoticeKind, number>> = {
  outbid: DAY,
  'ending-soon': ENDING_SOON_MS,
  extended: DAY,
  won: 3 * DAY,
  lost: 3 * DAY,
  sold: 3 * DAY,
  'not-sold': 3 * DAY,
  'new-auction': DAY,
}

/** Of kinds that are wrong once the auction is over. */
const WHILE_OPEN: ReadonlySet<NoticeKind> = new Set(['outbid', 'ending-soon', 'extended', 'new-auction'])
/** Of kinds that are wrong for whoever leads. */
const FOR_FOLLOWERS: ReadonlySet<NoticeKind> = new Set(['outbid', 'ending-soon', 'extended'])
/** Of kinds that say the same thing again where a later one was sent. */
const MOVED: ReadonlySet<NoticeKind> = new Set(['outbid', 'extended'])

/**
 * Whether a notice is sent at `now`, with the auction as it is then. Nothing is decided when a notice is made: after an
 * outage most of what waits does not hold any more.
 */
export function verdictOn(notice: DueNotice, auction: OpenedAuction, listener: Listener, now: number): Verdict {
  const { kind, at } = notice
  // The end has been moved since the notice was made: who leads then counts, not who leads now.
  const soon = kind === 'ending-soon' ? (auction.closesAt ?? 0) - ENDING_SOON_MS : 0
  if (now < soon && phaseAt(auction, now) === 'open') return { do: 'wait', until: soon }
  const dropped = dropReason(notice, auction, listener, now)
  if (dropped !== null) return { do: 'drop', why: dropped }
  const { lastMovedAt, timeZone } = listener
  if (kind === 'outbid' && lastMovedAt !== null && now < lastMovedAt + OUTBID_INTERVAL_MS)
    return { do: 'wait', until: lastMovedAt + OUTBID_INTERVAL_MS }
  const quiet = listener.quiet ?? (now - at > LATE_MS && kind !== 'ending-soon' ? NIGHT : null)
  const until = quiet === null ? null : quietUntil(now, quiet, timeZone)
  return until === null ? { do: 'send' } : { do: 'wait', until }
}

function dropReason(
  { kind, partyId, at }: DueNotice,
  auction: OpenedAuction,
  { off, inViewUntil, lastMovedAt }: Listener,
  now: number,
): DropReason | null {
  if (off.has(kind)) return 'off'
  const phase = phaseAt(auction, now)
  if (WHILE_OPEN.has(kind) && phase !== 'open' && !(kind === 'new-auction' && phase === 'scheduled')) return 'over'
  if (FOR_FOLLOWERS.has(kind) && auction.leader?.id === partyId) return 'leads'
  if (kind === 'ending-soon') return (inViewUntil ?? 0) >= now ? 'in-view' : null
  if (inViewUntil !== null && inViewUntil >= at) return 'in-view'
  if (now - at > SHELF_LIFE_MS[kind]) return 'too-old'
  return MOVED.has(kind) && lastMovedAt !== null && lastMovedAt >= at ? 'already-said' : null
}
