import type { PriceRecheck, PriceStep } from '../../domain/recheck.js'
import type { LoggedBid } from './bid-table.js'

/** A home's word at `seq` that it has lost the maxima that were left with it by bids from event `since` on. */
export interface MaximaLoss {
  readonly seq: number
  readonly since: number
}

export function isLost(losses: readonly MaximaLoss[], bidSeq: number): boolean {
  return losses.some(({ seq, since }) => bidSeq >= since && bidSeq < seq)
}

/**
 * Decides bids again, in their order; between them the leader's maximum comes to no more than the price where its home
 * has lost it. Each is decided by its `step`, which throws `UnsoundPriceError` where it is not borne out.
 */
export function* decideAgain(
  recheck: PriceRecheck,
  bids: Iterable<LoggedBid>,
  losses: readonly MaximaLoss[],
): Generator<{ readonly bid: LoggedBid; readonly step: () => PriceStep }, void, undefined> {
  let next = 0
  let leader: LoggedBid | null = null
  for (const bid of bids) {
    for (let loss = losses[next]; loss !== undefined && loss.seq < bid.seq; loss = losses[++next])
      if (leader !== null && isSealed(leader) && leader.seq >= loss.since) recheck.leaderLost()
    if (bid.leads) leader = bid
    yield { bid, step: () => recheck.next(bid) }
  }
}

function isSealed({ kind }: LoggedBid): boolean {
  return kind === 'max' || kind === 'max-change'
}
