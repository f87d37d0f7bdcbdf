import { effect, signal } from '@preact/signals'
import { isStale, mayReload } from '../../model/staleness.js'
import { pending } from './bidding.js'
import { keptHere } from './kept.js'
import { place } from './router.js'
import { gatewayInfo, link, lookAtGateway } from './session.js'

/** The gateway serves another version of this page. */
export const stale = signal(false)

const LOOK_MS = 10 * 60_000
const TRY_MS = 1_000
const own = document.querySelector<HTMLMetaElement>('meta[name="vendue-page"]')?.content ?? null
/** Fields that somebody has written in since the last thing was sent or left. */
const touched = new Set<HTMLInputElement | HTMLTextAreaElement>()

/**
 * Finds out that the gateway was upgraded, after each loss of the connection and now and then, and loads the page anew
 * once nothing is lost by it.
 */
export function startStaleness(): void {
  addEventListener('input', ({ target }) => {
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) touched.add(target)
  })
  addEventListener('submit', () => touched.clear())
  effect(() => {
    place.value
    touched.clear()
  })
  let wasOnline = false
  effect(() => {
    const isOnline = link.value.state === 'online'
    if (isOnline && !wasOnline) void lookAtGateway()
    wasOnline = isOnline
  })
  setInterval(() => void lookAtGateway(), LOOK_MS)
  addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void lookAtGateway())
  effect(() => {
    stale.value = isStale(own, gatewayInfo.value?.page)
  })
  effect(() => {
    if (stale.value) leaveWhenFree()
  })
}

/** At the visitor's own word, whatever is open. */
export function reload(): void {
  keptHere.set('reloaded-for', gatewayInfo.value?.page ?? null)
  location.reload()
}

/** A part of this version could not be loaded: it is gone from the gateway. */
export function missingPart(): void {
  stale.value = true
}

function leaveWhenFree(): void {
  const unfinished = {
    isTyping: [...touched].some((field) => field.isConnected && field.value !== ''),
    isSheetOpen: document.querySelector('dialog[open]') !== null,
    pending: pending.peek().size,
    hasReloaded: keptHere.get('reloaded-for') === (gatewayInfo.peek()?.page ?? ''),
  }
  if (mayReload(unfinished)) reload()
  else if (!unfinished.hasReloaded) setTimeout(leaveWhenFree, TRY_MS)
}
