import { crc32 } from 'node:zlib'
import { StoreError } from './store-error.js'

type Cell = string | number | null

/** Of what a row holds, in this order: a bit that flips in it leaves the file's structure whole, and changes this. */
export function rowSum(...cells: readonly Cell[]): number {
  return crc32(cells.map((cell) => (cell === null ? '\u0001' : String(cell))).join('\u0000'))
}

/** Throws `StoreError` where the row is not as it was written. `table` and `key` say which. */
export function checkRow(table: string, key: string, sum: number, ...cells: readonly Cell[]): void {
  if (rowSum(...cells) !== sum)
    throw new StoreError(
      'STORE_CORRUPT',
      `what is stored of ${key} (${table}) is not what was written; stop the node and run \`vendue repair\``,
    )
}
