import type { Decision } from '../../domain/decide.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { Accepted, Outcome } from '../../ports/store/outcome-repository.js'

/** What a client learns of a decision; `seq` is where the log stood before it. */
export function outcomeOf(task: RemoteCommand, decision: Decision, seq: number, at: number): Outcome {
  const { commandId, auctionId } = task
  if (!decision.accepted) return { status: 'rejected', commandId, auctionId, at, rejection: decision.rejection }
  let ownSeq = seq
  for (const event of decision.events) {
    ownSeq += 1
    const bid = standing(event)
    if (bid !== undefined) return { status: 'accepted', commandId, auctionId, seq: ownSeq, at, bid }
  }
  return { status: 'accepted', commandId, auctionId, seq: seq + 1, at }
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
