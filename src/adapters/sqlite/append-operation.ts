import { bidOf, foldText, secretKept } from '../../application/log/read-model.js'
import { outcomesBeside } from '../../application/submissions/outcomes-of-commit.js'
import { dueAt } from '../../domain/auction.js'
import type { RevealedMaximum } from '../../domain/events.js'
import type { Append } from '../../ports/store/event-log.js'
import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { InvolvedParties } from './involved-parties.js'
import type { AppendOperation, BidOutcomeRow, OutcomeRow, SecretRow } from './write-operations.js'

/** About what an operation weighs beside its long texts, in bytes. */
export const OPERATION_OVERHEAD_BYTES = 512

/** An append as the writer thread takes it: all that goes into rows, so that no body has to be read again there. */
export function appendOperation(
  entry: Append,
  involved: InvolvedParties,
): { operation: AppendOperation; bytes: number } {
  const { commit, prevHash, state } = entry
  const { auctionId, firstSeq, lastSeq, hash, signer, body } = commit
  const { terms } = state
  const operation: AppendOperation = {
    kind: 'append',
    auctionId,
    firstSeq,
    lastSeq,
    prevHash,
    hash,
    signer,
    signatureSlot: 0,
    body,
    auction: {
      homeNodeId: state.home.nodeId,
      status: state.status,
      title: foldText(terms.title),
      openedAt: state.openedAt,
      dueAt: dueAt(state),
      bidCount: state.bidCount,
      // JSON leaves out what is undefined.
      state: JSON.stringify({ ...state, terms: undefined }),
      secretKept: secretKept(state),
    },
    opening: firstSeq === 1 ? openingRow(state) : null,
    secret: entry.secret === undefined ? null : secretRow(entry.secret),
    ...eventRows(entry, involved),
    ...outcomeRows(entry),
  }
  return { operation, bytes: weight(operation) }
}

export function outcomeRow({ outcome, fingerprint }: RecordedOutcome): OutcomeRow {
  return [outcome.commandId, fingerprint, JSON.stringify(outcome)]
}

export function secretRow({ secrets, sealed }: NonNullable<Append['secret']>): SecretRow {
  const { reserve, leaderMax } = secrets
  return {
    reserveAmount: reserve?.amount ?? null,
    reserveSalt: reserve?.salt ?? null,
    leaderMax,
    sealed: sealed.length === 0 ? null : JSON.stringify(sealed),
  }
}

function openingRow({ terms, seller }: Append['state']): AppendOperation['opening'] {
  return {
    terms: JSON.stringify(terms),
    sellerId: seller.id,
    pictures: terms.pictures.map(({ hash }) => hash),
  }
}

function eventRows(
  { commit: { auctionId }, events }: Append,
  involved: InvolvedParties,
): Pick<AppendOperation, 'bidders' | 'revealed'> {
  const bidders: string[] = []
  const revealed: RevealedMaximum[] = []
  for (const event of events) {
    const bid = bidOf(event)
    if (bid !== null && involved.add(auctionId, bid.bidder.id)) bidders.push(bid.bidder.id)
    if (event.type === 'MaximaRevealed') revealed.push(...event.maxima)
  }
  return { bidders: listText(bidders), revealed: listText(revealed) }
}

function listText(list: readonly unknown[]): string | null {
  return list.length === 0 ? null : JSON.stringify(list)
}

/** Accepted bids are most of what a node keeps: of what they were answered a row says only where their event is. */
function outcomeRows(entry: Append): Pick<AppendOperation, 'bidOutcomes' | 'outcomes'> {
  if (entry.outcomes === undefined || entry.outcomes.length === 0) return { bidOutcomes: null, outcomes: null }
  const { fingerprints, others } = outcomesBeside(entry)
  const bidOutcomes: BidOutcomeRow[] = []
  fingerprints?.forEach((fingerprint, place) => {
    const event = entry.events[place]
    if (fingerprint === null || event === undefined || !('bidId' in event)) return
    bidOutcomes.push(fingerprint === '' ? [event.bidId, place] : [event.bidId, place, fingerprint])
  })
  return { bidOutcomes: listText(bidOutcomes), outcomes: listText(others.map(outcomeRow)) }
}

function weight({ body, auction, opening, secret, bidders, revealed, bidOutcomes, outcomes }: AppendOperation): number {
  const texts = [body, auction.state, opening?.terms, secret?.sealed, bidders, revealed, bidOutcomes, outcomes]
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), OPERATION_OVERHEAD_BYTES)
}
