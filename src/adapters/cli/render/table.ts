import { columnsOf } from './terminal-text.js'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly align?: 'right'
}

const GAP = '  '

/** Aligned lines, the titles first. Empty columns are left out. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const filled = columns
    .map(({ title, cell, align }) => ({ align, cells: rows.map((row) => shown(() => cell(row))), title }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''))
    .map(({ align, cells, title }) => ({ align, cells: [title, ...cells] }))
  const widths = filled.map(({ cells }) => Math.max(...cells.map(columnsOf)))
  return Array.from({ length: rows.length + 1 }, (_, row) =>
    filled
      .map(({ align, cells }, i) => pad(cells[row] ?? '', widths[i] ?? 0, align))
      .join(GAP)
      .trimEnd(),
  )
}

/** Name and value of each fact, the values aligned. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => columnsOf(name)))
  return pairs.map(([name, value]) => `${pad(name, width)}${GAP}${value}`)
}

/** A cell that cannot be shown hides no other. */
function shown(cell: () => string): string {
  try {
    return cell()
  } catch {
    return '?'
  }
}

function pad(text: string, width: number, align?: 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - columnsOf(text)))
  return align === 'right' ? blanks + text : text + blanks
}
