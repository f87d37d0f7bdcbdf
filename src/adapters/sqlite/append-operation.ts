import { foldText, secretKept } from '../../application/log/read-model.js'
import { outcomesBeside } from '../../application/submissions/outcomes-of-commit.js'
import { dueAt } from '../../domain/auction.js'
import type { Append } from '../../ports/store/event-log.js'
import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { AppendOperation, OutcomeRow, SecretRow } from './write-operations.js'

/** About what an operation weighs beside its long texts, in bytes. */
export const OPERATION_OVERHEAD_BYTES = 512

/** An append as the writer thread takes it. */
export function appendOperation(entry: Append): { operation: AppendOperation; bytes: number } {
  const { commit, prevHash, state } = entry
  const { auctionId, firstSeq, lastSeq, hash, signer, signature, body } = commit
  const { terms } = state
  const { fingerprints, outcomes } = outcomeRows(entry)
  const operation: AppendOperation = {
    kind: 'append',
    auctionId,
    firstSeq,
    lastSeq,
    prevHash,
    hash,
    signer,
    signature,
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
    terms: firstSeq === 1 ? JSON.stringify(terms) : null,
    secret: entry.secret === undefined ? null : secretRow(entry.secret),
    fingerprints,
    outcomes,
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

/** Accepted bids are most of what a node keeps: their rows hold their outcomes too. */
function outcomeRows(entry: Append): Pick<AppendOperation, 'fingerprints' | 'outcomes'> {
  if (entry.outcomes === undefined || entry.outcomes.length === 0) return { fingerprints: null, outcomes: null }
  const { fingerprints, others } = outcomesBeside(entry)
  return {
    fingerprints: fingerprints && JSON.stringify(fingerprints),
    outcomes: others.length === 0 ? null : JSON.stringify(others.map(outcomeRow)),
  }
}

function weight({ body, auction, terms, secret, fingerprints, outcomes }: AppendOperation): number {
  const beside = (terms?.length ?? 0) + (secret?.sealed?.length ?? 0)
  const fromRow = (fingerprints?.length ?? 0) + (outcomes?.length ?? 0)
  return OPERATION_OVERHEAD_BYTES + body.length + auction.state.length + beside + fromRow
}
