/** The words of a title or of a search: in any case, in either normal form, without accents. */
export function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return [...new Set(plain.match(/[\p{L}\p{N}]+/gu) ?? [])]
}

/** The word that a search is looked up by: the longest, which fewest titles have. Null: it has no word. */
export function keyWordOf(search: string): string | null {
  return wordsOf(search).reduce<string | null>((best, word) => (word.length > (best?.length ?? 0) ? word : best), null)
}

export function matchesTitle(search: string, title: string): boolean {
  const words = new Set(wordsOf(title))
  const wanted = wordsOf(search)
  return wanted.length > 0 && wanted.every((word) => words.has(word))
}
