import type { Minor } from '../../domain/money.js'
import type { Rejection } from '../../domain/rejection.js'

/** What became of a command. The first outcome of a command id is the only one it ever has. */
export type Outcome = Accepted | Rejected

export interface Accepted {
  readonly status: 'accepted'
  readonly commandId: string
  readonly auctionId: string
  /** Seq of the event it made; a bid's own, where others came with it. */
  readonly seq: number
  /** The home's clock when it was decided, UTC milliseconds. */
  readonly at: number
  /** For bids: how it stood then. */
  readonly bid?: { readonly leads: boolean; readonly price: Minor; readonly reserveMet: boolean }
}

export interface Rejected {
  readonly status: 'rejected'
  readonly commandId: string
  readonly auctionId: string
  readonly at: number
  readonly rejection: Rejection
}

/** An outcome with what identifies the command it answered, so that a reused id is noticed. */
export interface RecordedOutcome {
  readonly outcome: Outcome
  /** Of all that the command says: the same id with another one is a reuse. */
  readonly fingerprint: string
}

/** Outcomes by command id, at the home. Those that came with a commit are stored by `EventLog.append`. */
export interface OutcomeRepository {
  /** Durable when it resolves. Fails like `EventLog.append`, save for conflicts: an id that has an outcome keeps it. */
  record(outcomes: readonly RecordedOutcome[]): Promise<void>
  /** The recorded outcomes among these ids, by id. */
  find(commandIds: readonly string[]): Promise<Map<string, RecordedOutcome>>
}
