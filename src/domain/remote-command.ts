import type { NewEnd } from './commands.js'
import type { Minor } from './money.js'
import type { Party } from './party.js'

/** A command on its way to the home. */
export type RemoteCommand = (
  | {
      readonly type: 'bid'
      readonly auctionId: string
      readonly commandId: string
      readonly bidder: Party
      readonly kind: 'plain'
      readonly amount: Minor
    }
  | {
      readonly type: 'bid'
      readonly auctionId: string
      readonly commandId: string
      readonly bidder: Party
      readonly kind: 'max'
      readonly amount: Minor
      /** Behind the commitment that stands for the maximum in public. */
      readonly salt: string
    }
  | {
      readonly type: 'buy-now'
      readonly auctionId: string
      readonly commandId: string
      readonly bidder: Party
    }
  | { readonly type: 'close'; readonly auctionId: string; readonly commandId: string; readonly by: Party }
  | {
      readonly type: 'cancel'
      readonly auctionId: string
      readonly commandId: string
      readonly by: Party
      readonly reason: string
    }
  | ({
      readonly type: 'extend'
      readonly auctionId: string
      readonly commandId: string
      readonly by: Party
    } & NewEnd)
) & {
  /** Acknowledge an acceptance only once this many replicas have stored it, too; none where absent. */
  readonly replicas?: number
}
