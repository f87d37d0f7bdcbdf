/**
 * How long, how many, how late: the limits of all that stands in a log. They are the same for what comes in, for what a
 * home writes, and for what replicas and `verify` read, so that a home cannot write what nobody accepts.
 *
 * The rules of texts name code points and ask no Unicode table: tables differ from one version of Node to the next, and
 * two nodes must not disagree on whether a commit is sound. (`\p{Cc}` is fixed for good.)
 */

export const MAX_ID_LENGTH = 96
export const MAX_PARTY_NAME_LENGTH = 64
export const MAX_TITLE_LENGTH = 200
export const MAX_DESCRIPTION_LENGTH = 10_000
export const MAX_REASON_LENGTH = 500
/** Of one lot. */
export const MAX_PICTURES = 12
export const MAX_PICTURE_BYTES = 4 * 1024 * 1024
/** What a picture is unpacked to is bounded by its pixels: a small file may say that it is huge. */
export const MAX_PICTURE_SIDE = 8_192
export const MAX_PICTURE_PIXELS = 25_000_000
export const MAX_PICTURE_ALT_LENGTH = 300
/** The last millisecond that RFC 3339 can write. */
export const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
/** Events of one auction. */
export const MAX_SEQ = 1_000_000_000
export const MAX_DURATION_MS = 10 * 366 * 86_400_000
export const MAX_SOFT_CLOSE_MS = 86_400_000
/** How far the clocks of two nodes may be apart: what is dated later than this is refused until then. */
export const MAX_CLOCK_DIFFERENCE_MS = 10 * 60_000
/**
 * How far a bid, or what a seller does, may lie from when its node signed for it, on the home's clock: clocks differ,
 * and requests take their time. Later than that a mandate is worth nothing, whoever has kept it.
 */
export const MAX_MANDATE_AGE_MS = MAX_CLOCK_DIFFERENCE_MS
/** A home carries nothing out that comes close to it: its replicas would refuse what takes a moment longer. */
export const MAX_MANDATE_AGE_AT_HOME_MS = MAX_MANDATE_AGE_MS - 60_000
/**
 * How far ahead the number of a node's start may be. It is a time in name only, which grows past a clock that was set
 * back: whoever bids from a machine whose clock is wrong by hours does no harm.
 */
export const MAX_INCARNATION_AHEAD_MS = 86_400_000

export const ID = new RegExp(`^[A-Za-z0-9_.:-]{1,${MAX_ID_LENGTH}}$`)
/** The name of a node or a mesh; it is also the name of a folder, so dots alone are refused. */
export const NODE_NAME = /^(?=.*[a-z0-9])[a-z0-9._-]{1,32}$/
export const NODE_NAME_RULE = 'must be 1 to 32 characters of a-z, 0-9, "-", "_" and ".", not dots alone'
/** Most names are, and are looked at for each bid. */
const PLAIN = /^[\x21-\x7e][\x20-\x7e]*$/
const ANY_CONTROL = /\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
const ANY_CONTROLS = new RegExp(ANY_CONTROL, 'gu')
const BAD_IN_PROSE = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u

/** Blanks, and what takes no place at all: first and last code point of each range, ascending. */
const INVISIBLE: readonly (readonly [number, number])[] = [
  [0x00, 0x20],
  [0x7f, 0xa0],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x1680, 0x1680],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x206f],
  [0x2800, 0x2800],
  [0x3000, 0x3000],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
]

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value)
}

/** UTC milliseconds of a moment from 1970 to 9999. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_TIME
}

/** The number of an event in its auction's log. */
export function isSeq(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= MAX_SEQ
}

/** Why a text may not stand on a line that people read; null: it may. */
export function lineProblem(text: string, maxLength: number): string | null {
  if (text.length > maxLength) return lengthRule(maxLength)
  if (ANY_CONTROL.test(text)) return 'must not hold control or text-direction characters'
  return isWellFormed(text) ? null : 'must be whole Unicode text'
}

/** As above, for what something or somebody is called. */
export function nameProblem(text: string, maxLength: number): string | null {
  if (PLAIN.test(text) && text.length <= maxLength) return null
  if (text.trim() === '') return 'must not be empty'
  return lineProblem(text, maxLength) ?? (isVisible(text) ? null : 'must hold something that can be seen')
}

/** As above, for text of several lines. */
export function proseProblem(text: string, maxLength: number): string | null {
  if (text.length > maxLength) return lengthRule(maxLength)
  if (BAD_IN_PROSE.test(text)) return 'must not hold control characters other than line breaks and tabs'
  return isWellFormed(text) ? null : 'must be whole Unicode text'
}

function lengthRule(maxLength: number): string {
  return `must be at most ${maxLength} characters`
}

/** Text for a line, whatever it holds. */
export function printable(text: string): string {
  return text.replace(ANY_CONTROLS, '?')
}

/** False for half surrogate pairs, which UTF-8 cannot hold: text with one changes when it is stored. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** Whether the text has something visible. */
export function isVisible(text: string): boolean {
  for (const character of text) if (!isInvisible(character.codePointAt(0) as number)) return true
  return false
}

function isInvisible(codePoint: number): boolean {
  for (const [first, last] of INVISIBLE) if (codePoint <= last) return codePoint >= first
  return false
}
