export const STEP_SIZES = ['minute', 'hour', 'day'] as const
export type StepSize = (typeof STEP_SIZES)[number]

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/**
 * The edges of steps that make up a time frame: whole minutes, hours or days of a time zone, of which the frame may cut
 * the first and the last. Days have 23 or 25 hours where clocks are changed, and an hour that comes twice counts twice.
 * Null: there are more than `max` steps.
 */
export function stepEdges(
  { from, to }: { readonly from: number; readonly to: number },
  { by, timeZone, max }: { readonly by: StepSize; readonly timeZone: string; readonly max: number },
): number[] | null {
  const zone = new Zone(timeZone)
  const next = by === 'day' ? (at: number) => zone.nextDay(at) : (at: number) => zone.next(at, SIZES[by])
  const edges = [from]
  for (let at = next(from); at < to; at = next(at)) {
    if (edges.length >= max) return null
    if (at > from) edges.push(at)
  }
  return [...edges, to]
}

const SIZES = { minute: MINUTE_MS, hour: HOUR_MS }

/** The usual size of steps for a time frame: at most some hundred of them. */
export function usualStep({ from, to }: { readonly from: number; readonly to: number }): StepSize {
  if (to - from <= 3 * HOUR_MS) return 'minute'
  return to - from <= 7 * DAY_MS ? 'hour' : 'day'
}

/** True for names of the IANA database, such as Europe/Berlin, and UTC. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return /^[A-Za-z]/.test(name)
  } catch {
    return false
  }
}

/** The wall clock of a time zone. */
class Zone {
  readonly #format: Intl.DateTimeFormat

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
  }

  /** When the wall clock shows the next whole minute or hour: clocks are changed at those. */
  next(at: number, size: number): number {
    return at + size - ((at + this.#offset(at)) % size)
  }

  /** The begin of the day after the one that this moment is in. */
  nextDay(at: number): number {
    const local = at + this.#offset(at)
    return this.#firstOf(local - (local % DAY_MS) + DAY_MS)
  }

  /** When the wall clock first shows this midnight; if it skips midnight, when it skips it. */
  #firstOf(midnight: number): number {
    const before = this.#offset(midnight - DAY_MS)
    const after = this.#offset(midnight + DAY_MS)
    const shown = [midnight - before, midnight - after].filter((at) => at + this.#offset(at) === midnight)
    return shown.length > 0 ? Math.min(...shown) : midnight - before
  }

  /** What the wall clock is ahead of UTC by. */
  #offset(at: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
    for (const { type, value } of this.#format.formatToParts(at)) parts[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) - (at - (at % 1_000))
  }
}
