import type { RemoteCommand } from '../../domain/remote-command.js'
import type { Outcome } from './outcome-repository.js'

/**
 * One signed answer of a home: what it made of commands of this node's user (see application/submissions/receipt.ts).
 */
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

/** Whose command a receipt is for. */
export function receiptOwner({ command }: Pick<Receipt, 'command'>): string {
  return 'bidder' in command ? command.bidder.id : command.by.id
}

/** The receipts of this node's own commands. They are never changed, and never leave the node but for its user. */
export interface ReceiptRepository {
  /** Durable when it resolves. */
  add(signed: readonly SignedReceipts[]): Promise<void>
  /**
   * In the order in which they were added, past `after` (0: from the start), those that speak of the auction where one
   * is given, and there of a command of the party where one is given: others are not read for it. `next` goes on from
   * there; null at the end.
   */
  list(query: {
    readonly auctionId: string | null
    readonly partyId?: string | undefined
    readonly after: number
    readonly limit: number
  }): Promise<{ signed: SignedReceipts[]; next: number | null }>
  /** The ids of all auctions that receipts speak of. */
  auctions(): Promise<string[]>
}
