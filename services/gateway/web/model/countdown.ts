/** What a countdown shows. The page has the words. */
export type Countdown =
  | { readonly kind: 'none' }
  | { readonly kind: 'days'; readonly days: number; readonly hours: number }
  | { readonly kind: 'hours'; readonly hours: number; readonly minutes: number }
  | { readonly kind: 'minutes'; readonly minutes: number; readonly seconds: number }
  | { readonly kind: 'seconds'; readonly seconds: number }
  /** At zero the auction is not over: only its home says that. */
  | { readonly kind: 'closing' }

const HOUR = 3_600
const DAY = 86_400

/** Coarse above an hour, to the second below it, rounded up so that it is zero only at the end. */
export function countdown(endsAtMs: number | null, nowMs: number): Countdown {
  if (endsAtMs === null) return { kind: 'none' }
  const left = endsAtMs - nowMs
  if (left <= 0) return { kind: 'closing' }
  const seconds = Math.ceil(left / 1_000)
  if (seconds < 60) return { kind: 'seconds', seconds }
  if (seconds < HOUR) return { kind: 'minutes', minutes: Math.floor(seconds / 60), seconds: seconds % 60 }
  const minutes = Math.ceil(seconds / 60)
  if (minutes < DAY / 60) return { kind: 'hours', hours: Math.floor(minutes / 60), minutes: minutes % 60 }
  return { kind: 'days', days: Math.floor(minutes / 1_440), hours: Math.floor((minutes % 1_440) / 60) }
}

/** "1:05" and the like, for the tab's title. */
export function shortCountdown(endsAtMs: number | null, nowMs: number): string | null {
  const left = countdown(endsAtMs, nowMs)
  const two = (value: number) => String(value).padStart(2, '0')
  switch (left.kind) {
    case 'none':
    case 'closing':
      return null
    case 'seconds':
      return `0:${two(left.seconds)}`
    case 'minutes':
      return `${left.minutes}:${two(left.seconds)}`
    case 'hours':
      return `${left.hours}h`
    case 'days':
      return `${left.days}d`
    default: {
      const unknown: never = left
      throw new Error(`unknown countdown ${JSON.stringify(unknown)}`)
    }
  }
}

/** When a screen reader says how long is left, to those with bids of their own. */
export const SPOKEN_SECONDS = [60, 30, 10] as const

/** The mark that was passed between two looks at the clock; null: none. */
export function spokenMark(
  endsAtMs: number | null,
  { beforeMs, nowMs }: { beforeMs: number; nowMs: number },
): (typeof SPOKEN_SECONDS)[number] | null {
  if (endsAtMs === null) return null
  const passed = SPOKEN_SECONDS.filter((seconds) => {
    const at = endsAtMs - seconds * 1_000
    return beforeMs < at && at <= nowMs
  })
  return passed.at(-1) ?? null
}

/** How much of the soft-close window is left, 0 to 1; null outside of it. */
export function softCloseShare(endsAtMs: number | null, windowMs: number | null, nowMs: number): number | null {
  if (endsAtMs === null || windowMs === null) return null
  const left = endsAtMs - nowMs
  return left > 0 && left <= windowMs ? left / windowMs : null
}
