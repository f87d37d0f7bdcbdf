import type { Commit } from '../../domain/commit.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { Append } from '../../ports/store/event-log.js'
import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { bidOf, repeatsBidOf } from '../log/read-model.js'
import { plainBidFingerprint } from './home-command.js'

/** The outcomes that come with a commit, without what its events say as well. */
export interface OutcomesBeside {
  /**
   * For each event: '' if it says both outcome and fingerprint, the fingerprint if it says the outcome alone, null if
   * no outcome repeats it. Null as a whole if none is repeated.
   */
  readonly fingerprints: readonly (string | null)[] | null
  readonly others: readonly RecordedOutcome[]
}

/** Accepted bids are most of what homes keep, and their events say their outcomes too. */
export function outcomesBeside({ events, outcomes = [], commit }: Append): OutcomesBeside {
  const fingerprints = new Array<string | null>(events.length).fill(null)
  const others: RecordedOutcome[] = []
  for (const recorded of outcomes) {
    const { outcome, fingerprint } = recorded
    const index = outcome.status === 'accepted' ? outcome.seq - commit.firstSeq : -1
    const event = events[index]
    const isReported =
      event !== undefined &&
      outcome.auctionId === commit.auctionId &&
      fingerprints[index] === null &&
      repeatsBidOf(outcome, commit.firstSeq + index, event)
    if (isReported) fingerprints[index] = eventFingerprint(commit.auctionId, event) === fingerprint ? '' : fingerprint
    else others.push(recorded)
  }
  return { fingerprints: others.length === outcomes.length ? null : fingerprints, others }
}

/** All of them again. */
export function outcomesWith(
  { auctionId, firstSeq }: Pick<Commit, 'auctionId' | 'firstSeq'>,
  events: readonly AuctionEvent[],
  { fingerprints, others }: OutcomesBeside,
): RecordedOutcome[] {
  const reported = (fingerprints ?? []).flatMap((fingerprint, i): RecordedOutcome[] => {
    const event = events[i]
    const bid = event === undefined ? null : bidOf(event)
    if (fingerprint === null || event === undefined || bid === null) return []
    const { at, bidId: commandId, leads, price, reserveMet } = bid
    const whole = fingerprint === '' ? (eventFingerprint(auctionId, event) ?? '') : fingerprint
    const outcome = { status: 'accepted', commandId, auctionId, seq: firstSeq + i, at } as const
    return [{ outcome: { ...outcome, bid: { leads, price, reserveMet } }, fingerprint: whole }]
  })
  return [...reported, ...others]
}

/** Where the event says all that its command said. */
function eventFingerprint(auctionId: string, event: AuctionEvent): string | null {
  if (event.type !== 'BidPlaced' || event.amount === null) return null
  return plainBidFingerprint(auctionId, event.bidder.id, event.amount)
}
