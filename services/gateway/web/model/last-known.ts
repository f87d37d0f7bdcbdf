import type { Lot } from './lot.js'

/** What the page knew of auctions when it was last connected, to be shown, dated, where it cannot connect. */
export interface LastKnown {
  /** By the gateway's clock. */
  readonly atMs: number
  readonly lots: readonly Lot[]
}

/** About 200 kB as text, a small part of what browsers grant. */
export const MAX_KEPT_LOTS = 200
const VERSION = 2
const MAX_DESCRIPTION = 500

/**
 * As text. Standings are left out: they would be somebody's at that time, and the next to open the page may be another.
 * What the visitor has a part in or watches comes first, then what ends first.
 */
export function writeLastKnown(lots: Iterable<Lot>, atMs: number, watched: ReadonlySet<string>): string {
  const rank = ({ id, you, ending }: Lot) => (you !== null || watched.has(id) ? 0 : ending === null ? 1 : 2)
  const kept = [...lots]
    .sort((a, b) => rank(a) - rank(b) || (a.closesAtMs ?? Infinity) - (b.closesAtMs ?? Infinity))
    .slice(0, MAX_KEPT_LOTS)
    .map((lot) => ({
      ...lot,
      description: lot.description.slice(0, MAX_DESCRIPTION),
      you: null,
      ownIds: [],
      extension: null,
    }))
  return JSON.stringify({ version: VERSION, atMs, lots: kept })
}

/** Null where it is none, or of another version. */
export function readLastKnown(text: string | null): LastKnown | null {
  if (text === null) return null
  try {
    const { version, atMs, lots } = JSON.parse(text) as { version: unknown; atMs: unknown; lots: unknown }
    if (version !== VERSION || typeof atMs !== 'number' || !Array.isArray(lots)) return null
    const whole = lots.filter((lot) => typeof lot?.id === 'string' && typeof lot.startPrice === 'string')
    return { atMs, lots: whole.map((lot) => ({ ...lot, you: null, ownIds: new Set<string>() }) as Lot) }
  } catch {
    return null
  }
}
