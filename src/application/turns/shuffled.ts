import type { Random } from '../../ports/system/random.js'

/** In random order; the list itself stays as it is. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Buffer.from(random.bytes(4)).readUInt32BE() % (last + 1)
    const item = result[last] as T
    result[last] = result[other] as T
    result[other] = item
  }
  return result
}
