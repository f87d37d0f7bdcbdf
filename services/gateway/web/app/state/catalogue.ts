import { effect, type Signal, signal, untracked } from '@preact/signals'
import type { Auction, EventMessage, VendueClient, Watch } from 'vendue/client'
import { afterEvent, type Lot, lotOf, lotOpened } from '../../model/lot.js'
import { ownBids } from './bidding.js'
import { kept } from './kept.js'
import { perFrame } from './per-frame.js'
import { client, generation, visitor } from './session.js'

const PAGE_SIZE = 200
const MAX_LOTS = 20_000
const RETRY_MS = 2_000
/** What arrives within this is drawn together. */
const CONFLATE_MS = 100

/** All auctions that the page knows, each a signal of its own: a bid redraws its tile, and no other. */
export const lots = new Map<string, Signal<Lot>>()
/** Counts changes that may move tiles about. */
export const arrangement = signal(0)
export const loading = signal<'loading' | 'ready' | 'failed'>('loading')
export const watched = signal<ReadonlySet<string>>(new Set(readWatched()))

let watch: Watch | null = null
/**
 * Known from an earlier visit alone. The gateway may know nothing of them: it may be another one at the same address.
 */
const restored = new Set<string>()

/** What was known when the page was last open. */
export function restoreLots(known: readonly Lot[]): void {
  for (const lot of known) {
    if (lots.has(lot.id)) continue
    lots.set(lot.id, signal(lot))
    restored.add(lot.id)
  }
  loading.value = 'ready'
  arrange()
}

/** Reads all auctions, and goes on hearing of them, as whoever the visitor is at the time. */
export function startCatalogue(): void {
  effect(() => {
    generation.value
    const current = client.value
    if (current) untracked(() => void read(current, generation.value))
  })
}

/** Whose standings are in `lots`. */
let readFor: string | null = null

/** Nobody sees, or hears of, how the one before them stood. */
function forgetStandings(): void {
  const me = visitor.peek()?.id ?? null
  if (me === readFor) return
  readFor = me
  for (const source of lots.values()) {
    const lot = source.peek()
    source.value = { ...lot, you: null, ownIds: new Set(me === null ? [] : [me]) }
  }
}

async function read(from: VendueClient, started: number): Promise<void> {
  forgetStandings()
  const isStale = () => generation.peek() !== started
  watch?.close()
  // First heard, then read: what happens in between is in one of both.
  watch = from.watchAll()
  watch.on('event', perFrame(heard))
  loading.value = lots.size === 0 ? 'loading' : 'ready'
  let cursor: string | undefined
  while (!isStale()) {
    try {
      const page = await from.list({ limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) })
      if (isStale()) return
      for (const auction of page.auctions) take(auction)
      arrange()
      loading.value = 'ready'
      if (page.next === null || lots.size >= MAX_LOTS) {
        for (const id of restored) lots.delete(id)
        restored.clear()
        return arrange()
      }
      cursor = page.next
    } catch {
      if (isStale()) return
      if (lots.size === 0) loading.value = 'failed'
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

type LotListener = (before: Lot, after: Lot) => void
const listeners = new Set<LotListener>()

/** Hears of every change of an auction that was known before, whoever brought it. */
export function onLotChange(listener: LotListener): void {
  listeners.add(listener)
}

export function change(source: Signal<Lot>, after: Lot): void {
  const before = source.peek()
  source.value = after
  for (const listener of listeners) listener(before, after)
}

/** An auction as the gateway has it: newer than what is known, or with the visitor's standing. */
export function take(auction: Auction): Signal<Lot> {
  const lot = lotOf(auction, visitor.peek()?.id ?? null)
  const known = lots.get(lot.id)
  restored.delete(lot.id)
  if (!known) {
    const made = signal(lot)
    lots.set(lot.id, made)
    return made
  }
  if (lot.seq >= known.peek().seq) {
    const { extension, ownIds } = known.peek()
    change(known, { ...lot, extension, ownIds: new Set([...ownIds, ...lot.ownIds]) })
  }
  return known
}

export function heard(event: EventMessage): void {
  const known = lots.get(event.auction_id)
  if (known) {
    const before = known.peek()
    const next = afterEvent(before, event, ownBids.peek())
    change(known, next)
    if (before.status !== next.status || before.closesAtMs !== next.closesAtMs || before.you !== next.you) arrange()
    return
  }
  if (event.type !== 'auction_opened') return
  lots.set(event.auction_id, signal(lotOpened(event, visitor.peek()?.id ?? null)))
  arrange()
}

let arranging = false
export function arrange(): void {
  if (arranging) return
  arranging = true
  setTimeout(() => {
    arranging = false
    arrangement.value += 1
  }, CONFLATE_MS)
}

export function toggleWatched(id: string): void {
  const next = new Set(watched.value)
  if (!next.delete(id)) next.add(id)
  watched.value = next
  kept.set('watched', JSON.stringify([...next]))
  arrange()
}

function readWatched(): string[] {
  try {
    const ids: unknown = JSON.parse(kept.get('watched') ?? '[]')
    return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : []
  } catch {
    return []
  }
}
