import { styleText } from 'node:util'
import { shownTime } from '../../../application/log/time-text.js'

/** How output looks for this user: colours, time zone, width. */
export interface Look {
  readonly paint: Paint
  readonly timeZone: string
  readonly columns: number
  /** UTC milliseconds. */
  now(): number
}

export interface Paint {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
  warn(text: string): string
}

export function makePaint(enabled: boolean): Paint {
  // Whether there are colours is decided by our own options and streams, not by those of this process.
  const ink = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    enabled ? styleText(style, text, { validateStream: false }) : text
  return { bold: ink('bold'), dim: ink('dim'), good: ink('green'), bad: ink('red'), warn: ink('yellow') }
}

/** The zone if it is one that this system knows: `TZ` may hold anything, also nothing. UTC otherwise. */
export function knownZone(zone: string | undefined): string {
  try {
    if (zone) return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone || 'UTC'
  } catch {
    // Not known.
  }
  return 'UTC'
}

/** "14:05:30 CET" today, "2030-01-31 14:05:30 CET" on other days. */
export function showTime(ms: number, { timeZone, now }: Pick<Look, 'timeZone' | 'now'>): string {
  const moment = parts(ms, timeZone)
  const clock = `${moment.clock} ${moment.zone}`
  return moment.date === parts(now(), timeZone).date ? clock : `${moment.date} ${clock}`
}

/** "14:05:30 CET (in 9 min)". */
export function showWhen(ms: number, look: Pick<Look, 'timeZone' | 'now'>): string {
  return `${showTime(ms, look)} (${relative(ms - look.now())})`
}

/** "in 9 min", "3 s ago". */
export function relative(ms: number): string {
  const span = showSpan(Math.abs(ms))
  if (span === '0 s') return 'now'
  return ms >= 0 ? `in ${span}` : `${span} ago`
}

const MINUTE_S = 60
const HOUR_S = 3_600
const DAY_S = 86_400

/** The two largest units that matter: "45 s", "9 min", "2 h 5 min", "3 d 4 h". */
export function showSpan(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < MINUTE_S) return `${seconds} s`
  if (seconds < 10 * MINUTE_S) return pair(seconds, MINUTE_S, 'min', 1, 's')
  if (seconds < HOUR_S) return `${Math.round(seconds / MINUTE_S)} min`
  if (seconds < DAY_S) return pair(seconds, HOUR_S, 'h', MINUTE_S, 'min')
  return pair(seconds, DAY_S, 'd', HOUR_S, 'h')
}

function pair(seconds: number, unit: number, name: string, smaller: number, smallerName: string): string {
  const rest = Math.floor((seconds % unit) / smaller)
  const whole = `${Math.floor(seconds / unit)} ${name}`
  return rest === 0 ? whole : `${whole} ${rest} ${smallerName}`
}

const formats = new Map<string, Intl.DateTimeFormat>()

function parts(ms: number, timeZone: string): { date: string; clock: string; zone: string } {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'short',
    })
    formats.set(timeZone, format)
  }
  const found = Object.fromEntries(format.formatToParts(shownTime(ms)).map(({ type, value }) => [type, value]))
  return {
    date: `${found.year}-${found.month}-${found.day}`,
    clock: `${found.hour}:${found.minute}:${found.second}`,
    zone: found.timeZoneName ?? timeZone,
  }
}
