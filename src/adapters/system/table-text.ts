import { stringify } from 'csv-stringify/sync'

type Row = Readonly<Record<string, string | number | boolean | null>>

/**
 * Rows as CSV (RFC 4180: commas, CRLF) for spreadsheets: UTF-8 with the mark by which they know it, and an apostrophe
 * before text that they would run as a formula.
 */
export async function* csvText(
  pages: AsyncIterable<readonly Row[]>,
  columns: readonly string[],
): AsyncGenerator<string> {
  yield stringify([columns], { bom: true, record_delimiter: 'windows' })
  for await (const rows of pages) {
    if (rows.length === 0) continue
    yield stringify([...rows], {
      columns: [...columns],
      record_delimiter: 'windows',
      escape_formulas: true,
      cast: { boolean: (value) => (value ? 'yes' : 'no') },
    })
  }
}

/** Rows as lines of JSON. */
export async function* ndjsonText(pages: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  for await (const rows of pages) if (rows.length > 0) yield rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
