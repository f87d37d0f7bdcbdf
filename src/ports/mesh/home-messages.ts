import type { NodeErrorCode } from '../node/node-error.js'
import type { Outcome } from '../store/outcome-repository.js'

/** A part of what goes with an auction to its next home, in the words of the present one. */
export interface SignedParcel {
  readonly auctionId: string
  /** JSON of `HandoverPart` (see application/handover/handover-parcel.ts). */
  readonly parcel: string
  /** By the home's key; base64url. */
  readonly signature: string
}

/** A node's signature over all commands for one auction in a request (see application/submissions/mandate.ts). */
export interface SubmittedMandate {
  readonly auctionId: string
  /** The node's public key. */
  readonly signer: string
  /** The node's clock, UTC milliseconds. */
  readonly signedAt: number
  readonly signature: string
}

/** The answer to one command: its outcome, or why there is none (nothing was done, asking again is safe). */
export type SubmitResult =
  | { readonly ok: true; readonly outcome: Outcome }
  | { readonly ok: false; readonly code: NodeErrorCode; readonly message: string }

/** A home's answer to commands, one result each in order, signed as a whole. */
export interface SubmitAnswer {
  readonly results: readonly SubmitResult[]
  /** Over the outcomes among the results (see application/submissions/receipt.ts); null if there is none. */
  readonly receipt: ReceiptSignature | null
}

export interface ReceiptSignature {
  /** The home's clock, UTC milliseconds. */
  readonly signedAt: number
  readonly signature: string
}

/** A home's commit that the node `from` does not take. */
export interface Refusal {
  readonly from: string
  readonly auctionId: string
  /** Of its first event. */
  readonly seq: number
  readonly reason: string
}

/** That a node takes an auction over, at one end of its log. */
export interface Consent {
  /** Public key of the cluster that it belongs to, which may move the auction on from then on; null: of none. */
  readonly cluster: string | null
  /** By the node's key, base64url. */
  readonly signature: string
}
