/** A time in which nobody could bid; UTC milliseconds. */
export interface Outage {
  readonly since: number
  readonly until: number
}

export interface Beat {
  readonly at: number
  /** Outages of before, within which ends have come that are not dealt with yet. */
  readonly open: readonly Outage[]
}

/**
 * When the node was last fit to take bids, remembered over restarts. Best effort: the newest beats may be lost with the
 * power, and one that is read was made.
 */
export interface Heartbeat {
  /** Null where none is remembered. */
  last(): Beat | null
  beat(beat: Beat): void
}
