import type { AutoBid } from '../../ports/store/auto-bid-repository.js'
import type { Breach } from '../../ports/store/breach-repository.js'
import type { ProofOwners } from '../../ports/store/equivocation-repository.js'
import type { KnownPeer } from '../../ports/store/peer-repository.js'
import type { SqliteTestOptions } from './sqlite-connection.js'
import type { StoreErrorCode } from './store-error.js'

/**
 * What the main thread asks of the writer thread: data, never SQL. Long lists travel as JSON text, which crosses
 * between threads several times faster than the objects would.
 */
export type WriteOperation =
  | AppendOperation
  | { readonly kind: 'record-outcomes' /** JSON of `OutcomeRow[]`. */; readonly outcomes: string }
  | KeepHandover
  | { readonly kind: 'save-auto-bid'; readonly autoBid: AutoBid }
  | { readonly kind: 'save-peer'; readonly peer: KnownPeer }
  | { readonly kind: 'add-participation'; readonly auctionId: string }
  | {
      readonly kind: 'add-receipts'
      /** `signed`: JSON of `SignedReceipts`. */
      readonly rows: readonly {
        readonly signed: string
        readonly auctionIds: readonly string[]
        readonly parties: readonly (readonly [auctionId: string, partyId: string])[]
      }[]
    }
  | {
      readonly kind: 'replace-signature'
      readonly auctionId: string
      readonly firstSeq: number
      readonly hash: string
      readonly signature: string
    }
  | { readonly kind: 'save-breach'; readonly breach: Breach }
  | {
      readonly kind: 'save-equivocation'
      readonly auctionId: string
      /** JSON of the proof. */
      readonly proof: string
      readonly owners: ProofOwners
    }

export interface AppendOperation {
  readonly kind: 'append'
  readonly auctionId: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly prevHash: string | null
  readonly hash: string
  readonly signer: string
  /** Where the writer thread finds the signature, once it is made; given out when the batch is sent. */
  signatureSlot: number
  readonly body: string
  readonly auction: AuctionRow
  /** In the opening commit only. */
  readonly opening: OpeningRow | null
  readonly secret: SecretRow | null
  /** JSON of `string[]`: ids of parties that may not be known yet to have bid on the auction; null for none. */
  readonly bidders: string | null
  /** JSON of `RevealedMaximum[]`; null for none. */
  readonly revealed: string | null
  /** JSON of `BidOutcomeRow[]`; null for none. */
  readonly bidOutcomes: string | null
  /** JSON of `OutcomeRow[]`: the other outcomes; null for none. */
  readonly outcomes: string | null
}

export interface OpeningRow {
  /** JSON of the terms. */
  readonly terms: string
  readonly sellerId: string
  /** Hashes. */
  readonly pictures: readonly string[]
}

export interface KeepHandover {
  readonly kind: 'keep-handover'
  readonly auctionId: string
  /** JSON of `OutcomeRow[]`. */
  readonly outcomes: string
  /** JSON of `SealedMaximum[]`; null for none. */
  readonly sealed: string | null
  readonly secret: SecretRow | null
}

export interface AuctionRow {
  readonly homeNodeId: string
  readonly status: string
  readonly title: string
  readonly openedAt: number
  readonly dueAt: number | null
  readonly bidCount: number
  /** JSON of the state without its terms. */
  readonly state: string
  readonly secretKept: { readonly winnerId: string; readonly price: number } | null
}

export interface SecretRow {
  readonly reserveAmount: number | null
  readonly reserveSalt: string | null
  readonly leaderMax: number | null
  /** JSON of `SealedMaximum[]`; null for none. */
  readonly sealed: string | null
}

/**
 * Of an outcome that the bid's event says: its place in the commit, and the fingerprint where that does not follow from
 * the event.
 */
export type BidOutcomeRow = readonly [commandId: string, place: number, fingerprint?: string]

/** Command id, fingerprint, JSON of the outcome. */
export type OutcomeRow = readonly [commandId: string, fingerprint: string, outcome: string]

export type WriteResult =
  | { readonly ok: true /** Of an append; 0 otherwise. */; readonly position: number }
  | { readonly ok: false; readonly code: 'SEQ_CONFLICT'; readonly head: { seq: number; hash: string } | null }
  | { readonly ok: false; readonly code: 'DUPLICATE_COMMAND'; readonly commandId: string }
  | { readonly ok: false; readonly code: 'STORE_REFUSED'; readonly message: string }

/** Why nothing of a whole batch was stored. */
export type BatchFailure = 'DISK_FULL' | 'BUSY' | 'LOG_IO_ERROR' | 'GONE'

export interface WriterSetup {
  readonly path: string
  readonly test: SqliteTestOptions
  /** Of `SignatureSlots`. */
  readonly signatures: SharedArrayBuffer
}

export type WriterRequest =
  | { readonly type: 'batch'; readonly operations: readonly WriteOperation[] }
  | { readonly type: 'close' }

export type WriterReply =
  | { readonly type: 'ready' }
  | {
      readonly type: 'unusable'
      readonly code: StoreErrorCode | 'DISK_FULL' | null
      readonly message: string
    }
  | {
      readonly type: 'written'
      readonly results: readonly WriteResult[]
      /** The transaction with its disk sync. */
      readonly ms: number
    }
  | { readonly type: 'failed'; readonly failure: BatchFailure; readonly message: string }
