import type { Lot } from './lot.js'

export type NoticeKind = 'outbid' | 'ending' | 'won'

/** Something that the visitor would want to know of wherever they look. */
export interface Notice {
  /** Of one thing nobody hears twice. */
  readonly key: string
  readonly kind: NoticeKind
  readonly lotId: string
  readonly seq: number
  readonly title: string
  readonly price: string
  readonly currency: string
  readonly closesAtMs: number | null
}

/** Sounds, where the visitor has turned them on. */
export type Cue = 'outbid' | 'extended' | 'won'

/** Time enough to come back and bid. */
export const ENDING_SOON_MS = 5 * 60_000

/** What a change of an auction means to the visitor; null: nothing that they have to hear of. */
export function noticeOf(before: Lot, after: Lot): Notice | null {
  if (before.you === 'leading' && after.you === 'outbid') return noticeWith(after, 'outbid', after.seq)
  if (before.ending === null && before.you !== null && after.you === 'won') return noticeWith(after, 'won', after.seq)
  return null
}

/**
 * Whether an auction ends soon in which the visitor could still do something. Once an auction, however often it is
 * extended.
 */
export function endingNotice(lot: Lot, nowMs: number, isWatched: boolean): Notice | null {
  if (lot.status !== 'open' || lot.ending !== null || lot.closesAtMs === null) return null
  const left = lot.closesAtMs - nowMs
  if (left <= 0 || left > ENDING_SOON_MS) return null
  const concerns = lot.you === 'outbid' || (lot.you === null && isWatched)
  return concerns ? noticeWith(lot, 'ending', 0) : null
}

/** What is to be heard of a change, if anything is. */
export function cueOf(before: Lot, after: Lot, isFollowed: boolean): Cue | null {
  const kind = noticeOf(before, after)?.kind
  if (kind === 'outbid' || kind === 'won') return kind
  const isExtended = after.extension !== null && after.extension.seq !== before.extension?.seq
  const concerns = after.you === 'leading' || after.you === 'outbid' || isFollowed
  return isExtended && concerns ? 'extended' : null
}

function noticeWith(lot: Lot, kind: NoticeKind, seq: number): Notice {
  return {
    key: `${lot.id} ${kind} ${seq}`,
    kind,
    lotId: lot.id,
    seq: lot.seq,
    title: lot.title,
    price: lot.price ?? lot.startPrice,
    currency: lot.currency,
    closesAtMs: lot.closesAtMs,
  }
}
