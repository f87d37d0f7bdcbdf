import { effect, signal } from '@preact/signals'
import { readLastKnown, writeLastKnown } from '../../model/last-known.js'
import { lots, restoreLots, watched } from './catalogue.js'
import { readClock } from './clock.js'
import { kept } from './kept.js'
import { asOf } from './reach.js'
import { failed, gatewayInfo, link } from './session.js'

const KEEP_EVERY_MS = 60_000

/** Null: nothing is shown but what the gateway has said to this page. Otherwise when what is shown was known. */
export const shownAsOfMs = signal<number | null>(null)

/** Keeps what is known of auctions, and shows it where the gateway cannot be reached at the start. */
export function startLastKnown(): void {
  const keep = () => {
    if (link.peek().state !== 'online' || lots.size === 0) return
    const all = [...lots.values()].map((lot) => lot.peek())
    kept.set('last-known', writeLastKnown(all, readClock(), watched.peek()))
  }
  setInterval(keep, KEEP_EVERY_MS)
  addEventListener('pagehide', keep)
  addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && keep())
  effect(() => {
    if (!failed.value || gatewayInfo.value !== null) {
      shownAsOfMs.value = null
      return
    }
    const last = readLastKnown(kept.get('last-known'))
    if (last === null) return
    restoreLots(last.lots)
    asOf.value = last.atMs
    shownAsOfMs.value = last.atMs
  })
}
