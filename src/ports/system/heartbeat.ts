/**
 * When the node was last fit to take bids, remembered over restarts. Best effort: the newest beats may be lost with the power,
 * and one that is read was made.
 */
export interface Heartbeat {
  /** UTC milliseconds; null where none is remembered. */
  last(): number | null
  beat(at: number): void
}
