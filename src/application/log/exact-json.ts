import { isWellFormed } from '../../domain/limits.js'

/**
 * JSON that every reader reads alike. The grammar leaves open what a key means that stands twice, what half a surrogate
 * pair is, and how exact a number is: a log that two readers read differently could be sound for one of them and say
 * something else to the other.
 */

/** Text that readers may read differently; `rule` says why. */
export class InexactJsonError extends Error {
  readonly code = 'INEXACT_JSON'
  constructor(
    readonly rule: string,
    options?: ErrorOptions,
  ) {
    super(rule, options)
    this.name = 'InexactJsonError'
  }
}

/** What the text says. Throws `InexactJsonError` where readers may read it differently. */
export function parseExactly(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new InexactJsonError('is not JSON', { cause })
  }
  const rule = inexactness(text, value)
  if (rule !== null) throw new InexactJsonError(rule)
  return value
}

/**
 * Why readers may read a text differently that says `value` here; null where it is JSON of whole Unicode characters,
 * without white space between its parts, with whole numbers in their plain spelling, and with each key of an object
 * once.
 */
export function inexactness(text: string, value: unknown): string | null {
  if (!isWellFormed(text) || hasEscapedSurrogate(text)) return 'holds half a surrogate pair, or an escaped one'
  const keys = keysWritten(text)
  if (keys === null) return 'has white space between its parts, or a number that is not written in digits alone'
  return keys === keysIn(value) ? null : 'has a key twice'
}

/** JSON escapes no surrogates but halves of pairs, which are no characters. */
function hasEscapedSurrogate(text: string): boolean {
  return text.includes('\\') && /(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]/.test(text)
}

/** Whatever stands between two texts: no white space, and of numbers only digits. */
const BETWEEN_TEXTS = /(?:[[\]{},:0-9]+|true|false|null)*/y
const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/** How many keys stand in a text that is JSON; null where there is more between its texts than there should be. */
function keysWritten(text: string): number | null {
  let keys = 0
  for (let at = 0; ; ) {
    BETWEEN_TEXTS.lastIndex = at
    BETWEEN_TEXTS.test(text)
    at = BETWEEN_TEXTS.lastIndex
    if (at === text.length) return keys
    if (text.charCodeAt(at) !== QUOTE) return null
    at = afterText(text, at)
    if (text.charCodeAt(at) === COLON) keys += 1
  }
}

/** The place after the text that begins here. */
function afterText(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); ; quote = json.indexOf('"', quote + 1)) {
    let escapes = quote
    while (json.charCodeAt(escapes - 1) === BACKSLASH) escapes -= 1
    if ((quote - escapes) % 2 === 0) return quote + 1
  }
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) {
    let keys = 0
    for (const item of value) if (typeof item === 'object') keys += keysIn(item)
    return keys
  }
  let keys = 0
  for (const item of Object.values(value)) keys += 1 + (typeof item === 'object' ? keysIn(item) : 0)
  return keys
}
