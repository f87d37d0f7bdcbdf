/** How a consumer of auctions' events fares. */
export interface ConsumerStatus {
  readonly name: string
  /**
   * `waiting`: another instance of it is at work; `catching-up`: events are left from before it started; `failing`: it
   * could not go on, and tries again (`error` says why); `stopped`: it does not run.
   */
  readonly state: 'waiting' | 'catching-up' | 'following' | 'failing' | 'stopped'
  /** Of the rows that it makes; null: none yet. */
  readonly generation: number | null
  /** The instance that is at work where this one waits. */
  readonly heldBy: string | null
  /** Of the catching up that it does or did last: events, as far as is known. */
  readonly done: number
  readonly total: number
  /** Events that it knows of and has not taken in yet. */
  readonly behind: number
  /** How long the oldest of them has waited; 0: none does. */
  readonly lagMs: number
  readonly error: string | null
  /** Auctions whose logs contradict what was read of them before; the first 100. All others go on. */
  readonly stopped: readonly StoppedAuction[]
}

export interface StoppedAuction {
  readonly auctionId: string
  /** The event that the commit begins with that does not fit. */
  readonly seq: number
  readonly rule: string
  /** Whether its author has signed it: it is a proof against them then. */
  readonly isSigned: boolean
}
