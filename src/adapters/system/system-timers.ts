import type { Timer, Timers } from '../../ports/system/timers.js'

/** setTimeout fires at once for anything longer than this (2^31 - 1 ms). */
const MAX_TIMEOUT_MS = 2_147_483_647

export const systemTimers: Timers = {
  after(delayMs: number, callback: () => void): Timer {
    let handle: NodeJS.Timeout
    const dueAt = performance.now() + delayMs
    const arm = () => {
      const leftMs = dueAt - performance.now()
      handle = setTimeout(leftMs > MAX_TIMEOUT_MS ? arm : callback, Math.min(Math.max(leftMs, 0), MAX_TIMEOUT_MS))
      handle.unref()
    }
    arm()
    return { cancel: () => clearTimeout(handle) }
  },
}
