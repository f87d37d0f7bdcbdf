import type { Commit } from '../../domain/commit.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import { MAX_ORDER_AGE_MS } from '../../domain/limits.js'
import type { OrderFault } from '../../ports/mesh/order-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { timeText } from '../log/time-text.js'
import type { CommitBody } from '../log/written-body.js'
import { asSigned, isInTime, isOrderSigned, maySign, type SellerFacts } from './order.js'

type OrderedEvents = Pick<CommitBody, 'events' | 'orders'>

/** What is wrong with the orders of a commit's events; null where nothing is. */
export function orderFault(
  { auctionId, signer, ...sellerFacts }: SellerFacts & Pick<Commit, 'auctionId' | 'signer'>,
  { events, orders }: OrderedEvents,
  verifier: SignatureVerifier,
): OrderFault | null {
  const ordered = new Uint8Array(events.length)
  for (const { signer: orderedBy, signedAt, commands } of orders) {
    for (const command of commands) {
      if (typeof command === 'string') continue
      if (ordered[command] !== 0) return { kind: 'two-orders', event: command }
      const event = events[command] as AuctionEvent
      const isTheirs = commandIdOf(event) !== null && maySign(orderedBy, event, sellerFacts)
      if (isTheirs && !isInTime(signedAt, event.at, MAX_ORDER_AGE_MS))
        return { kind: 'out-of-time', event: command, signedAt }
      ordered[command] = isTheirs ? ORDERED : NAMED
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

/** For people: what is wrong with the order of an event that happened at this time. */
export function orderRule(fault: OrderFault, at: number): string {
  switch (fault.kind) {
    case 'no-order':
      return 'nobody who may speak for its bidder, or the seller, has signed this'
    case 'two-orders':
      return 'this stands in two orders, or twice in one'
    case 'out-of-time': {
      const [ordered, done] = [fault.signedAt, at].map(timeText)
      return `it was ordered at ${ordered} and carried out at ${done}: an order holds for ${MAX_ORDER_AGE_MS / 60_000} minutes`
    }
    case 'bad-signature':
      return "the signature of an order is not its signer's"
    default: {
      const unknown: never = fault
      throw new Error(`unknown fault ${JSON.stringify(unknown)}`)
    }
  }
}
