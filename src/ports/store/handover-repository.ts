import type { SealedMaximum } from '../../domain/commands.js'
import type { Secrets } from '../../domain/pricing.js'
import type { RecordedOutcome } from './outcome-repository.js'

/** What a home keeps of an auction beside its log, and the next home needs. */
export interface HandoverParcel {
  readonly outcomes: readonly RecordedOutcome[]
  readonly sealed: readonly SealedMaximum[]
  /** As of the head at which the auction moves; null in the parcels before the last. */
  readonly secrets: Secrets | null
}

export interface HandoverPage extends Omit<HandoverParcel, 'secrets'> {
  /** Where to go on; null at the end. */
  readonly next: string | null
}

/** Hands out, and takes in, what goes with an auction from home to home. */
export interface HandoverRepository {
  /**
   * An auction's outcomes and sealed maxima, in pages of up to `limit`, from after a page's `next` on (null: from the
   * start). What is recorded after the first page was read may be missing.
   */
  page(auctionId: string, after: string | null, limit: number): Promise<HandoverPage>
  /**
   * Keeps what the present home sends. Durable when it resolves. A command that has an outcome keeps it, but for a
   * refusal, which an acceptance replaces: the same id was used for two commands, and what stands in a log must not
   * count twice. Sealed maxima and secrets replace those kept before. Fails like `EventLog.append`; the auction's
   * opening has to be stored here.
   */
  keep(auctionId: string, parcel: HandoverParcel): Promise<void>
}
