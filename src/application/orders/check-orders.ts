import type { Commit } from '../../domain/commit.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import type { OrderFault } from '../../ports/mesh/order-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import type { CommitBody } from '../log/commit-body.js'
import { asSigned, isOrderSigned, maySign, type SellerFacts } from './order.js'

type OrderedEvents = Pick<CommitBody, 'events' | 'orders'>

/** What is wrong with the orders of a commit's events; null where nothing is. */
export function orderFault(
  { auctionId, signer, ...sellerFacts }: SellerFacts & Pick<Commit, 'auctionId' | 'signer'>,
  { events, orders }: OrderedEvents,
  verifier: SignatureVerifier,
): OrderFault | null {
  const ordered = new Uint8Array(events.length)
  for (const { signer: orderedBy, commands } of orders) {
    for (const command of commands) {
      if (typeof command === 'string') continue
      if (ordered[command] !== 0) return { kind: 'two-orders', event: command }
      const event = events[command] as AuctionEvent
      ordered[command] =
        commandIdOf(event) !== null && maySign(orderedBy, event, sellerFacts) ? ORDERED : NAMED
    }
  }
  const event = eventWithoutOrder(events, ordered, { author: signer, sellerFacts })
  if (event !== null) return { kind: 'no-order', event }
  const isSigned = orders.every((committed) => {
    const order = asSigned(auctionId, committed, { events, sellerFacts })
    return order !== null && isOrderSigned(auctionId, order, verifier)
  })
  return isSigned ? null : { kind: 'bad-signature' }
}

/** Of an event: that some order names it, and that it is one of somebody who may give it. */
const NAMED = 1
const ORDERED = 2

/**
 * The first one that carries out a command which stands in no order of a node that may give it. The author of the commit gives his
 * own by signing that.
 */
function eventWithoutOrder(
  events: readonly AuctionEvent[],
  ordered: Uint8Array,
  { author, sellerFacts }: { readonly author: string; readonly sellerFacts: SellerFacts },
): number | null {
  const found = events.findIndex(
    (event, i) =>
      ordered[i] !== ORDERED && commandIdOf(event) !== null && !maySign(author, event, sellerFacts),
  )
  return found === -1 ? null : found
}
