import type { Decision } from '../domain/decide.js'
import type { AuctionEvent } from '../domain/events.js'
import type { Accepted, Outcome } from '../ports/outcome-repository.js'
import type { RemoteCommand } from '../ports/peer-client.js'

/** What a client is told of a decision; `seq` is where the log stood before it. */
export function outcomeOf(task: RemoteCommand, decision: Decision, seq: number, at: number): Outcome {
  const { commandId, auctionId } = task
  if (!decision.accepted)
    return { status: 'rejected', commandId, auctionId, at, rejection: decision.rejection }
  const own = decision.events.findIndex((event) => isOwn(event, commandId))
  const base: Accepted = { status: 'accepted', commandId, auctionId, seq: seq + Math.max(own, 0) + 1, at }
  const event = decision.events[own]
  const bid = event && standing(event)
  return bid ? { ...base, bid } : base
}

function isOwn(event: AuctionEvent, commandId: string): boolean {
  return 'bidId' in event && event.bidId === commandId
}

function standing(event: AuctionEvent): Accepted['bid'] {
  switch (event.type) {
    case 'BidPlaced':
      return { leads: event.leads, price: event.price, reserveMet: event.reserveMet }
    case 'MaxBidChanged':
      return { leads: true, price: event.price, reserveMet: event.reserveMet }
    case 'LotBoughtNow':
      return { leads: true, price: event.price, reserveMet: true }
    default:
      return undefined
  }
}
