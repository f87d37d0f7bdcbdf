import type { OrderFault } from '../ports/order-checker.js'
import type { SignatureVerifier } from '../ports/signer.js'
import type { CommitBody } from './commit-body.js'
import { asSigned, isOrderSigned, speaksFor } from './order.js'

type OrderedEvents = Pick<CommitBody, 'events' | 'orders'>

/** What is wrong with the orders of these events; null where nothing is. */
export function orderFault(
  auctionId: string,
  { events, orders }: OrderedEvents,
  verifier: SignatureVerifier,
): OrderFault | null {
  const bid = bidWithoutOrder({ events, orders })
  if (bid !== null) return { kind: 'no-order', bid }
  const isSigned = orders.every((committed) => {
    const order = asSigned(auctionId, committed, events)
    return order !== null && isOrderSigned(auctionId, order, verifier)
  })
  return isSigned ? null : { kind: 'bad-signature' }
}

/** The first bid that stands in no order of a node that may speak for its bidder. */
function bidWithoutOrder({ events, orders }: OrderedEvents): number | null {
  const ordered = new Uint8Array(events.length)
  for (const { signer, commands } of orders) {
    for (const command of commands) {
      const event = typeof command === 'number' ? events[command] : undefined
      if (event && 'bidder' in event && speaksFor(signer, event.bidder)) ordered[command as number] = 1
    }
  }
  const found = events.findIndex((event, i) => 'bidder' in event && ordered[i] === 0)
  return found === -1 ? null : found
}
