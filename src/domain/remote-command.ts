import type { BuyNow, CancelAuction, CloseAuction, ExtendAuction, PlainOffer, SealedOffer } from './commands.js'
import type { Party } from './party.js'

/**
 * A command on its way to the home, which adds its time. It differs from the domain's in what only a home can say:
 * `now`, and the commitment to a maximum, which the home makes of the salt so that nobody states another one.
 */
export type RemoteCommand = (
  | RemoteBid
  | Untimed<BuyNow>
  | Untimed<CloseAuction>
  | Untimed<CancelAuction>
  | Untimed<ExtendAuction>
) & {
  readonly auctionId: string
  /** Acknowledge an acceptance only once this many replicas have stored it, too; none if absent. */
  readonly replicas?: number
}

type RemoteBid = {
  readonly type: 'PlaceBid'
  readonly commandId: string
  readonly bidder: Party
} & (PlainOffer | Omit<SealedOffer, 'commitment'>)

/** Without its time, each form of it. */
type Untimed<C> = C extends unknown ? Omit<C, 'now'> : never

/** What users call a command, and what begins the texts about it that are signed. */
export const COMMAND_WORDS: Readonly<Record<RemoteCommand['type'], string>> = {
  PlaceBid: 'bid',
  BuyNow: 'buy-now',
  CloseAuction: 'close',
  CancelAuction: 'cancel',
  ExtendAuction: 'extend',
}
