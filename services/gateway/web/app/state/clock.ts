import { computed, signal } from '@preact/signals'
import { client } from './session.js'

const TICK_MS = 200

/**
 * The gateway's time, as far as it has been heard; ticks while somebody looks. The browser's own clock may be wrong.
 */
export const now = signal(Date.now())
/** The same, once a second: for all that is shown in hundreds. */
export const second = computed(() => Math.floor(now.value / 1_000) * 1_000)

export function readClock(): number {
  return client.value?.clock.now() ?? Date.now()
}

export function startClock(): void {
  const tick = () => {
    if (document.visibilityState === 'visible') now.value = readClock()
  }
  tick()
  setInterval(tick, TICK_MS)
  document.addEventListener('visibilitychange', tick)
}
