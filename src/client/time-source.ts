/** Time and delayed calls, as a client sees them; tests drive them by hand. */
export interface TimeSource {
  /** UTC milliseconds by the machine's own clock, right or wrong. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonicMs(): number
  after(delayMs: number, callback: () => void): { cancel(): void }
}

export const systemTime: TimeSource = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
