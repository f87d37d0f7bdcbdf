import { MAX_TIME } from '../../domain/limits.js'

/** How moments are written wherever people or programs of others read them: RFC 3339, in UTC, to the millisecond. */

const TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:\d{2})?$/

export type ParsedTime =
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly rule: string; readonly next: string }

const EXAMPLE = '2030-01-31T18:00:00Z'

/**
 * A moment in RFC 3339, seconds being optional. Without a zone it is refused: nobody should have to guess whose noon.
 */
export function parseTime(text: string): ParsedTime {
  const match = TIME.exec(text.trim())
  if (!match) {
    return { ok: false, rule: 'must be a time in RFC 3339', next: `write it like ${EXAMPLE}` }
  }
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone] = match
  if (zone === undefined) {
    return { ok: false, rule: 'has no time zone', next: 'add Z for UTC, or an offset such as +01:00' }
  }
  const millis = fraction.padEnd(3, '0').slice(0, 3)
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millis}${zone.toUpperCase()}`)
  if (Number.isNaN(ms) || Number(day) > daysIn(Number(year), Number(month))) {
    return { ok: false, rule: 'is no moment of the calendar', next: 'check day, hour and offset' }
  }
  if (ms < 0 || ms > MAX_TIME) {
    return { ok: false, rule: 'must be from 1970 to 9999', next: 'check the year' }
  }
  return { ok: true, ms }
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** Never throws: a time that no calendar has is shown as the nearest one that it has. */
export function timeText(ms: number): string {
  return new Date(shownTime(ms)).toISOString()
}

/** The nearest moment that can be shown. */
export function shownTime(ms: number): number {
  return Number.isFinite(ms) ? Math.min(Math.max(Math.trunc(ms), 0), MAX_TIME) : 0
}
