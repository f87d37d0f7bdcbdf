import type { OpenedAuction } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { bidOf } from '../log/read-model.js'
import { fingerprintOf, lostFingerprint, lostMaxFingerprint } from './home-command.js'

/**
 * What a command was answered that an event of a log carries out; null for an event that carries out none. An accepted
 * command can always be answered again from its log, so that it takes effect once, whoever is the home by then. Of a
 * maximum the log does not hold the amount: where that is not known either, its bidder is answered whatever they say it
 * was.
 */
export function loggedOutcome(
  event: AuctionEvent,
  auctionId: string,
  seq: number,
  { seller }: Pick<OpenedAuction, 'seller'>,
  maximum: SealedMaximum | undefined,
): RecordedOutcome | null {
  const { at } = event
  if (event.type === 'AuctionOpened') {
    const { commandId } = event
    const outcome = { status: 'accepted', commandId, auctionId, seq, at } as const
    return { outcome, fingerprint: lostFingerprint(`open ${event.seller.id}`) }
  }
  const commandId = commandIdOf(event)
  if (commandId === null) return null
  const accepted = { status: 'accepted', commandId, auctionId, seq, at } as const
  const bid = bidOf(event)
  if (bid !== null) {
    const { bidder, leads, price, reserveMet } = bid
    const outcome = { ...accepted, bid: { leads, price, reserveMet } }
    const base = { auctionId, commandId, bidder }
    if (event.type === 'LotBoughtNow') return { outcome, fingerprint: fingerprintOf({ type: 'BuyNow', ...base }) }
    if (bid.amount !== null)
      return {
        outcome,
        fingerprint: fingerprintOf({ type: 'PlaceBid', ...base, kind: 'plain', amount: bid.amount }),
      }
    if (maximum === undefined) return { outcome, fingerprint: lostMaxFingerprint(auctionId, bidder.id) }
    const { amount, salt } = maximum
    return { outcome, fingerprint: fingerprintOf({ type: 'PlaceBid', ...base, kind: 'max', amount, salt }) }
  }
  const command = sellerCommand(event, { auctionId, commandId, by: seller })
  return command && { outcome: accepted, fingerprint: fingerprintOf(command) }
}

function sellerCommand(
  event: AuctionEvent,
  base: { readonly auctionId: string; readonly commandId: string; readonly by: OpenedAuction['seller'] },
): RemoteCommand | null {
  switch (event.type) {
    case 'AuctionClosed':
      return { type: 'CloseAuction', ...base }
    case 'AuctionCancelled':
      return { type: 'CancelAuction', ...base, reason: event.reason }
    case 'AuctionExtended': {
      const { addedMs, closesAt } = event
      return { type: 'ExtendAuction', ...base, ...(addedMs === undefined ? { closesAt } : { addedMs }) }
    }
    default:
      return null
  }
}
