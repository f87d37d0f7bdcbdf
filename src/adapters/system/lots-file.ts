import { parse } from 'csv-parse/sync'

/** One row of a list of lots: its number, as a spreadsheet shows it, and its cells by column. */
export interface LotRow {
  readonly row: number
  readonly cells: Readonly<Record<string, string>>
}

/** What is wrong with a list of lots. */
export class LotsFileError extends Error {
  constructor(
    message: string,
    readonly next: string,
  ) {
    super(message)
    this.name = 'LotsFileError'
  }
}

const MAX_BYTES = 16 * 1024 * 1024
export const MAX_LOT_ROWS = 10_000
const AMOUNTS = ['start', 'reserve', 'buy-now']

/**
 * Reads CSV as spreadsheets write it: UTF-8, columns in any order under their names, separated by commas, semicolons or
 * tabs. Where semicolons separate, amounts may have decimal commas. Empty rows are left out. Throws `LotsFileError`.
 */
export function readLots(bytes: Uint8Array, columns: readonly string[]): LotRow[] {
  if (bytes.length > MAX_BYTES)
    throw new LotsFileError(`it has ${bytes.length.toLocaleString('en')} bytes, 16 MiB are allowed`, 'split it')
  const text = textOf(bytes)
  const delimiter = delimiterOf(text)
  const [header, ...rows] = recordsOf(text, delimiter)
  const names = (header ?? []).map((name) => name.trim().toLowerCase().replace(/[ _]+/g, '-'))
  for (const [i, name] of names.entries()) {
    const shown = `column ${i + 1}, ${JSON.stringify(name.slice(0, 40))},`
    if (!columns.includes(name)) throw new LotsFileError(`${shown} is not known`, `use ${columns.join(', ')}`)
    if (names.indexOf(name) !== i) throw new LotsFileError(`${shown} is there twice`, 'keep one of the two')
  }
  const lots: LotRow[] = []
  for (const [i, cells] of rows.entries()) {
    if (cells.every((cell) => cell.trim() === '')) continue
    lots.push({ row: i + 2, cells: namedCells(cells, { names, row: i + 2, decimalCommas: delimiter === ';' }) })
  }
  if (lots.length === 0) throw new LotsFileError('it holds no lots', 'give one a row, below the names of the columns')
  if (lots.length > MAX_LOT_ROWS)
    throw new LotsFileError(`it holds ${lots.length} lots, ${MAX_LOT_ROWS} are allowed`, 'split it')
  return lots
}

function namedCells(
  cells: readonly string[],
  { names, row, decimalCommas }: { names: readonly string[]; row: number; decimalCommas: boolean },
): Record<string, string> {
  if (cells.length > names.length) {
    const said = `row ${row} has ${cells.length} cells, and there are ${names.length} columns`
    throw new LotsFileError(said, 'put cells that hold the separator into double quotes')
  }
  const named: Record<string, string> = {}
  for (const [i, name] of names.entries()) {
    const cell = (cells[i] ?? '').trim()
    if (cell !== '') named[name] = decimalCommas && AMOUNTS.includes(name) ? pointed(cell, { row, name }) : cell
  }
  return named
}

/** "1234,50" as "1234.50". What might be a separator of thousands is refused: nobody should have to guess. */
function pointed(cell: string, { row, name }: { row: number; name: string }): string {
  if (/^\d+,\d+$/.test(cell)) return cell.replace(',', '.')
  if (!/[.,]\d{3}$|[.,].*[.,]/.test(cell)) return cell
  const said = `row ${row}, ${name}: ${JSON.stringify(cell.slice(0, 40))} may hold a separator of thousands`
  throw new LotsFileError(said, 'write 1234,50')
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new LotsFileError('it is not in UTF-8', 'save it as "CSV UTF-8"')
  }
}

function delimiterOf(text: string): string {
  const header = text.slice(0, text.search(/[\r\n]|$/))
  const counted = [';', '\t', ','].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }))
  return counted.reduce((best, one) => (one.count > best.count ? one : best)).delimiter
}

function recordsOf(text: string, delimiter: string): string[][] {
  try {
    return parse(text, { delimiter, relax_column_count: true })
  } catch (error) {
    const { message } = error as Error
    throw new LotsFileError(`it is no CSV: ${message}`, 'save it as CSV in a spreadsheet')
  }
}
