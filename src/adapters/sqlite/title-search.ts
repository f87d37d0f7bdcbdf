import type { SqliteReader } from './sqlite-reader.js'

/** Up to so many auctions that are found are read and sorted; of more, the list itself finds a page before long. */
const MAX_FOUND = 1_000
const MATCHES = `SELECT rowid AS ref FROM auction_titles WHERE auction_titles MATCH ? LIMIT ${MAX_FOUND + 1}`
const PARTS = `
  SELECT DISTINCT doc AS ref FROM auction_title_parts WHERE term >= ? AND term < ? LIMIT ${MAX_FOUND + 1}`
/** Follows the title, so that each of its characters begins a part of three. In no title: it is a control character. */
const FILLER = '\u0001\u0001'
/** Sorts after every character that a title may hold. */
const LAST_CHARACTER = '\u{10FFFF}'

/** A folded title as it is indexed. */
export function indexedTitle(title: string): string {
  return title + FILLER
}

/**
 * Finds titles by any part of them, however short, without looking at every title: the index has all parts of three
 * characters, and of a shorter text those are looked up that begin with it. Null where too many titles hold it, so that
 * one need not search for it.
 */
export async function auctionsTitled(reader: SqliteReader, foldedText: string): Promise<number[] | null> {
  const isShort = [...foldedText].length < 3
  const rows = await (isShort
    ? reader.all<{ ref: number }>(PARTS, foldedText, foldedText + LAST_CHARACTER)
    : reader.all<{ ref: number }>(MATCHES, `"${foldedText.replaceAll('"', '""')}"`))
  return rows.length > MAX_FOUND ? null : rows.map(({ ref }) => ref)
}
