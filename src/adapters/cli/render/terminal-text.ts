import stringWidth from 'string-width'

/**
 * Titles, names and messages of other nodes may hold escape sequences that move the cursor, hide text or reverse
 * its direction. All text from elsewhere goes through here before it reaches a terminal.
 */
const UNSAFE_ON_LINE = /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu
const UNSAFE_IN_PROSE = /(?!\n)[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu
const LONE_SURROGATE = /\p{Cs}/gu

/** Text for one line: whatever could steer a terminal is written out, "\x1b" or "\u202e". */
export function oneLine(text: string): string {
  return text.replace(UNSAFE_ON_LINE, written).replace(LONE_SURROGATE, '\ufffd')
}

/** Text of several lines: line breaks stay, tabs become blanks. */
export function prose(text: string): string {
  return text.replaceAll('\t', '  ').replace(UNSAFE_IN_PROSE, written).replace(LONE_SURROGATE, '\ufffd')
}

function written(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** How many columns of a terminal a text takes, colours aside. */
export function columnsOf(text: string): number {
  return stringWidth(text)
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** An uncoloured text cut to so many columns, with an ellipsis where it was longer. */
export function truncate(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let kept = ''
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    const width = columnsOf(segment)
    if (used + width > columns - 1) break
    kept += segment
    used += width
  }
  return `${kept}\u2026`
}
