import { effect, signal, untracked } from '@preact/signals'
import { GRACE_MS, type Reach } from '../../model/panel.js'
import { announceAtOnce } from './announce.js'
import { now, readClock } from './clock.js'
import { t } from './language.js'
import { link } from './session.js'

/** When prices were last known to be so, by the gateway's clock. */
export const asOf = signal(Date.now())
/** Prices are read by HTTP meanwhile. */
export const overHttp = signal(false)
let losses = 0

export function startReach(): void {
  let wasOnline = false
  effect(() => {
    const isOnline = link.value.state === 'online'
    untracked(() => {
      if (wasOnline && !isOnline) {
        asOf.value = readClock()
        losses += 1
        const loss = losses
        setTimeout(() => {
          if (link.peek().state !== 'online' && loss === losses) announceAtOnce('', loss, t('say.lost-connection'))
        }, GRACE_MS)
      }
      if (isOnline) overHttp.value = false
      wasOnline = isOnline
    })
  })
}

/** How the page hears of auctions at this moment. */
export function reachNow(): Reach {
  now.value
  if (link.value.state === 'online') return { kind: 'live' }
  const forMs = performance.now() - link.value.sinceMs
  return { kind: 'lost', forMs, asOfMs: asOf.value, http: overHttp.value }
}

/** Nothing is said of the second in which most connections come back. */
export function isLost(): boolean {
  const reach = reachNow()
  return reach.kind === 'lost' && reach.forMs > GRACE_MS
}

export function priceAsOfMs(): number {
  return asOf.value
}

/** Prices have been read by HTTP. */
export function readOverHttp(): void {
  asOf.value = readClock()
  overHttp.value = true
}
