export interface Timer {
  /** Idempotent. After it the callback does not run any more. */
  cancel(): void
}

/** Delayed calls. A timer alone does not keep the process alive. */
export interface Timers {
  /** Runs `callback` once, no earlier than `delayMs` from now; delays of any length are allowed. */
  after(delayMs: number, callback: () => void): Timer
}
