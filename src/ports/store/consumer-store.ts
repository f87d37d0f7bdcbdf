import type { Auction, OpenedAuction } from '../../domain/auction.js'
import type { Commit, Head } from '../../domain/commit.js'
import type { AuctionEvent } from '../../domain/events.js'

/** An event with the auction before and after it. */
export interface ConsumedEvent {
  readonly auctionId: string
  readonly seq: number
  readonly event: AuctionEvent
  readonly before: Auction
  readonly after: OpenedAuction
}

/** What a consumer makes of events: the same changes from the same events, whenever it is asked. */
export interface Projection<Change> {
  /** Of the consumer; in status, metrics and the store. */
  readonly name: string
  /** Raised whenever the same events come to other changes: what was made before is then made anew. */
  readonly version: number
  changesOf(consumed: ConsumedEvent): readonly Change[]
}

/** How far a consumer has come with one auction, and all that the next commit is checked against. */
export interface ConsumerCursor {
  readonly auctionId: string
  readonly head: Head
  /** Of the commit at the head: with them, the cursor is a checkpoint that the auction's home has signed. */
  readonly signer: string
  readonly signature: string
  readonly state: OpenedAuction
}

/**
 * A projection is made in generations: queries read the live one, while another may be built beside it. `retired`: the
 * rows of one that was live, or was never finished, are being removed.
 */
export type GenerationState = 'building' | 'live' | 'retired'

export interface Generation {
  readonly number: number
  readonly state: GenerationState
  /** Of the projection that makes it. */
  readonly version: number
  /** Who works on it; null: nobody. */
  readonly holder: string | null
  /** Moves with each step that the holder takes. */
  readonly beat: number
}

/** A commit that does not fit what a consumer was given before. */
export interface Misfit {
  readonly auctionId: string
  readonly rule: string
  /** What was there before: the home's signature is over its seq and hash. Null: nothing. */
  readonly cursor: Omit<ConsumerCursor, 'auctionId' | 'state'> | null
  readonly commit: Commit
  /** Whether the signature of `commit` is its signer's. */
  readonly isSigned: boolean
}

/** The right to work on a generation, until somebody else claims it. */
export interface Claim {
  readonly generation: number
  /** Raised by each claim, and compared with each step: whoever has lost the right can do no more. */
  readonly epoch: number
}

export interface Step<Change> {
  /** Where each auction has come to: at most one an auction. */
  readonly cursors: readonly ConsumerCursor[]
  /** In the order in which they happened. */
  readonly changes: readonly Change[]
}

/**
 * Where one consumer keeps what it makes, and how far it has come. Many processes may use it at once. Every method
 * rejects with `ConsumerStoreError` where the database cannot be used.
 */
export interface ConsumerStore<Change> {
  /** Brings the tables up to date, and makes them where there are none. */
  open(): Promise<void>

  /** All that there are, ascending. */
  generations(): Promise<Generation[]>

  /** Adds a generation that is being built, or is live where there is no other; resolves with its number. */
  begin(version: number): Promise<number>

  /**
   * Takes the right to work on a generation if it still has this holder and beat, as `generations` has shown it; null:
   * it has moved on, or is retired.
   */
  claim(generation: Generation, holder: string): Promise<Claim | null>

  /** Shows that the holder lives. Rejects with `ClaimLostError` where it is the holder no more. */
  beat(claim: Claim): Promise<void>

  /** Lets go of it, for somebody else to claim at once. What was lost is let go of already. */
  release(claim: Claim): Promise<void>

  /** Of these auctions, those that the generation has begun with. */
  cursors(generation: number, auctionIds: readonly string[]): Promise<ConsumerCursor[]>

  /** How far the generation has come with these auctions. */
  heads(generation: number, auctionIds: readonly string[]): Promise<Map<string, Head>>

  /**
   * Moves the cursors and carries the changes out, in one transaction: all of it is done, or nothing. What a power cut
   * takes back, it takes back whole: it is made again from the log then. Rejects with `ClaimLostError` where somebody
   * else has claimed the generation; nothing is done then. After any other error it may have been done: read the
   * cursors again.
   */
  advance(claim: Claim, step: Step<Change>): Promise<void>

  /** Records at which commit it stopped to read an auction. */
  stop(claim: Claim, misfit: Misfit): Promise<void>

  /** Forgets why an auction was stopped: it goes on. */
  resume(claim: Claim, auctionId: string): Promise<void>

  /** Of the auctions that are stopped, by id. */
  misfits(generation: number): Promise<Misfit[]>

  /** Makes a generation that was being built the live one, and retires the others, in one transaction. */
  swap(claim: Claim): Promise<void>

  /** Retires a generation that is being built. */
  abandon(generation: number): Promise<void>

  /** Removes some `rows` rows of a retired generation, at last itself; resolves with whether more may be left. */
  sweep(generation: number, rows: number): Promise<boolean>

  close(): Promise<void>
}

/** Another instance of the consumer has taken over: nothing was done. */
export class ClaimLostError extends Error {
  readonly code = 'CONSUMER_TAKEN'
  constructor(generation: number) {
    super(`another instance works on generation ${generation} now; nothing was done here`)
    this.name = 'ClaimLostError'
  }
}

export type ConsumerStoreErrorCode = 'STATS_DB_UNREACHABLE' | 'STATS_DB_REFUSED' | 'STATS_DB_FULL' | 'STATS_DB_VERSION'

/** The database cannot be used; the message says what to do. */
export class ConsumerStoreError extends Error {
  constructor(
    readonly code: ConsumerStoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'ConsumerStoreError'
  }
}
