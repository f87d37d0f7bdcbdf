import { compareAmounts } from '../../../../src/client/display.js'
import type { Lot } from './lot.js'

export const FILTERS = ['open', 'ending', 'upcoming', 'closed', 'no-bids', 'mine', 'watched'] as const
export type Filter = (typeof FILTERS)[number]
export const SORTS = ['ending', 'newest', 'price-low', 'price-high', 'bids'] as const
export type Sort = (typeof SORTS)[number]

/** What the visitor looks at. It stands in the address, so that it can be kept and sent on. */
export interface CatalogueView {
  readonly filter: Filter
  readonly sort: Sort
  readonly search: string
}

export const DEFAULT_VIEW: CatalogueView = { filter: 'open', sort: 'ending', search: '' }
/** What ends within this is ending soon. */
export const SOON_MS = 3_600_000

export function viewOf(params: URLSearchParams): CatalogueView {
  const filter = FILTERS.find((name) => name === params.get('show')) ?? DEFAULT_VIEW.filter
  const sort = SORTS.find((name) => name === params.get('sort')) ?? DEFAULT_VIEW.sort
  return { filter, sort, search: params.get('q') ?? '' }
}

/** Only what is not as it would be anyway. */
export function paramsOf({ filter, sort, search }: CatalogueView): URLSearchParams {
  const params = new URLSearchParams()
  if (filter !== DEFAULT_VIEW.filter) params.set('show', filter)
  if (sort !== DEFAULT_VIEW.sort) params.set('sort', sort)
  if (search !== '') params.set('q', search)
  return params
}

export interface Looking {
  readonly nowMs: number
  readonly watched: ReadonlySet<string>
}

export function seen(lots: Iterable<Lot>, view: CatalogueView, looking: Looking): Lot[] {
  const words = fold(view.search).split(/\s+/).filter(Boolean)
  return [...lots]
    .filter((lot) => passes(lot, view.filter, looking))
    .filter((lot) => words.every((word) => fold(`${lot.title} ${lot.sellerName}`).includes(word)))
    .sort((a, b) => ORDERS[view.sort](a, b) || (a.id < b.id ? -1 : 1))
}

export function passes(lot: Lot, filter: Filter, { nowMs, watched }: Looking): boolean {
  const isOpen = lot.status === 'open'
  switch (filter) {
    case 'open':
      return isOpen
    case 'ending':
      return isOpen && lot.closesAtMs !== null && lot.closesAtMs - nowMs < SOON_MS
    case 'upcoming':
      return lot.status === 'scheduled'
    case 'closed':
      // What has ended takes no more bids either, even where its home has yet to close it.
      return !isOpen && lot.status !== 'scheduled'
    case 'no-bids':
      return isOpen && lot.bidCount === 0
    case 'mine':
      return lot.you !== null
    case 'watched':
      return watched.has(lot.id)
    default: {
      const unknown: never = filter
      throw new Error(`unknown filter ${String(unknown)}`)
    }
  }
}

const worthOf = (lot: Lot) => lot.price ?? lot.startPrice
const endOf = (lot: Lot) => lot.endedAtMs ?? lot.closesAtMs ?? Number.MAX_SAFE_INTEGER

const ORDERS: Readonly<Record<Sort, (a: Lot, b: Lot) => number>> = {
  // What is over comes last, the latest first.
  ending: (a, b) => {
    if ((a.ending === null) !== (b.ending === null)) return a.ending === null ? -1 : 1
    return a.ending === null ? endOf(a) - endOf(b) : endOf(b) - endOf(a)
  },
  newest: (a, b) => b.openedAtMs - a.openedAtMs,
  'price-low': (a, b) => compareAmounts(worthOf(a), worthOf(b)),
  'price-high': (a, b) => compareAmounts(worthOf(b), worthOf(a)),
  bids: (a, b) => b.bidCount - a.bidCount,
}

/** Letters alone: neither case nor accents keep a search from finding. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Which rows of a long list are drawn: what is in sight, and a screenful to either side. */
export function rowsInSight({
  scrollTop,
  height,
  rowHeight,
  count,
}: {
  scrollTop: number
  height: number
  rowHeight: number
  count: number
}): { readonly from: number; readonly to: number } {
  if (rowHeight <= 0 || count === 0) return { from: 0, to: 0 }
  const from = Math.max(0, Math.floor((scrollTop - height) / rowHeight))
  const to = Math.min(count, Math.ceil((scrollTop + 2 * height) / rowHeight))
  return { from: Math.min(from, count), to: Math.max(to, 0) }
}
