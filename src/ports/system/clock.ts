/** Room `system`: the machine that a node runs on: clock, timers, random, keys, log, measures. */

/** Time as the node sees it. Simulations drive it by hand. */
export interface Clock {
  /** UTC milliseconds; may jump with the machine's clock. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. For durations and deadlines. */
  monotonicMs(): number
}
