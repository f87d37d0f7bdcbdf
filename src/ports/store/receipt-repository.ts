import type { RemoteCommand } from '../mesh/peer-client.js'
import type { Outcome } from './outcome-repository.js'

/** One signed answer of a home: what it made of commands of this node's user (see application/orders/receipt.ts). */
export interface SignedReceipts {
  readonly home: { readonly nodeId: string; readonly publicKey: string }
  /** The home's clock, UTC milliseconds. */
  readonly signedAt: number
  readonly signature: string
  /** In the order in which they were signed. */
  readonly receipts: readonly Receipt[]
}

export interface Receipt {
  readonly command: RemoteCommand
  readonly outcome: Outcome
}

/** The receipts of this node's own commands. They are never changed, and never leave the node but for its user. */
export interface ReceiptRepository {
  /** Durable when it resolves. */
  add(signed: readonly SignedReceipts[]): Promise<void>
  /**
   * In the order in which they were added, past `after` (0: from the start), those that speak of the auction where
   * one is given. `next` goes on from there; null at the end.
   */
  list(query: {
    readonly auctionId: string | null
    readonly after: number
    readonly limit: number
  }): Promise<{ signed: SignedReceipts[]; next: number | null }>
  /** The ids of all auctions that receipts speak of. */
  auctions(): Promise<string[]>
}
