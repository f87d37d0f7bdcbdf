export type Tokens = { readonly ok: true; readonly words: string[] } | { readonly ok: false; readonly message: string }

export const MAX_LINE_LENGTH = 100_000

/** Splits a line into words as a shell does: quotes keep blanks, a backslash takes the next character literally. */
export function tokenize(line: string): Tokens {
  if (line.length > MAX_LINE_LENGTH) {
    return { ok: false, message: `the line has more than ${MAX_LINE_LENGTH.toLocaleString('en')} characters` }
  }
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let i = 0; i < line.length; i++) {
    const character = line[i] as string
    if (quote !== null) {
      if (character === quote) quote = null
      else if (character === '\\' && quote === '"' && i + 1 < line.length) word = (word ?? '') + line[++i]
      else word = (word ?? '') + character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (character === '\\' && i + 1 < line.length) {
      word = (word ?? '') + line[++i]
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + character
  }
  if (quote !== null) return { ok: false, message: `a ${quote} is not closed` }
  if (word !== null) words.push(word)
  return { ok: true, words }
}
