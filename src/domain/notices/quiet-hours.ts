/** Hours in which somebody wants to hear nothing, by the clocks where they are. */
export interface QuietHours {
  /** Minutes after midnight. The same as `to`: never. Later than `to`: over midnight. */
  readonly from: number
  readonly to: number
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 1_440
/** Wherever clocks are changed, they are changed at one of these. */
const QUARTER_MS = 15 * MINUTE_MS
const LONGEST_QUIET_MS = 26 * 60 * MINUTE_MS

/**
 * When the quiet hours end that `at` lies in; null: it lies in none. Follows the wall clock a quarter of an hour at a
 * time, so hours that are left out or come twice when clocks are changed need no rule.
 */
export function quietUntil(at: number, { from, to }: QuietHours, timeZone: string): number | null {
  const isQuiet = (minute: number) => (from <= to ? minute >= from && minute < to : minute >= from || minute < to)
  const clock = wallClock(timeZone)
  if (!isQuiet(clock(at))) return null
  let next = at - (at % MINUTE_MS)
  while (next - at < LONGEST_QUIET_MS) {
    const left = ((to - clock(next) + DAY_MINUTES) % DAY_MINUTES) * MINUTE_MS
    next = Math.min(next + left, next - (next % QUARTER_MS) + QUARTER_MS)
    if (!isQuiet(clock(next))) return next
  }
  return next
}

/** "22:30" as minutes after midnight; null: it is no time of a day. */
export function minuteOfDay(text: string): number | null {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  return hours === undefined ? null : Number(hours) * 60 + Number(minutes)
}

export function timeOfDay(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':')
}

const MAX_CLOCKS = 600
const clocks = new Map<string, (at: number) => number>()

/** Minutes after midnight in a time zone. Making a format takes a thousand times longer than using it. */
function wallClock(timeZone: string): (at: number) => number {
  const known = clocks.get(timeZone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    numberingSystem: 'latn',
  })
  const clock = (at: number) => minuteOfDay(format.format(at)) ?? 0
  if (clocks.size >= MAX_CLOCKS) clocks.clear()
  clocks.set(timeZone, clock)
  return clock
}
