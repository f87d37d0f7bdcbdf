import { type Auction, type OpenedAuction, UNOPENED } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'
import { evolve } from '../../domain/evolve.js'
import type { ConsumedEvent, ConsumerCursor, Misfit } from '../../ports/store/consumer-store.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { stateAfter } from '../log/check-commit.js'
import { BadCommitError, isSigned, readCommit, UNSIGNED } from '../log/commit.js'
import { isMove, moveRule } from '../log/move-rule.js'

/** A commit does not fit what the consumer has read of the auction before: it must stop to read that auction. */
export class MisfitError extends Error {
  readonly code = 'CONSUMER_STOPPED'
  constructor(readonly misfit: Misfit) {
    super(`${misfit.auctionId}#${misfit.commit.firstSeq} does not fit: ${misfit.rule}`)
    this.name = 'MisfitError'
  }
}

/** The content of a commit, after the checks that a replica makes when it pulls. */
export interface CheckedCommit {
  readonly cursor: ConsumerCursor
  readonly events: readonly ConsumedEvent[]
}

/**
 * Checks the next commit of a log against the consumer's cursor: hash, chain, author, and whether each event is legal.
 * A signed head covers all commits before it, so `checkSignature` checks signatures when the last commit of each author
 * is known. Throws `MisfitError`.
 */
export function checkedCommit(
  commit: Commit,
  cursor: ConsumerCursor | null,
  verifier: SignatureVerifier,
): CheckedCommit {
  const misfits = (rule: string) => misfit(commit, cursor, rule, verifier)
  try {
    const body = readCommit(commit)
    if (cursor !== null && commit.auctionId !== cursor.auctionId) throw misfits('it belongs to another auction')
    const next = (cursor?.head.seq ?? 0) + 1
    if (commit.firstSeq !== next) throw misfits(`it begins at event ${commit.firstSeq}, event ${next} comes next`)
    if (body.prevHash !== (cursor?.head.hash ?? null)) throw misfits('it does not follow the commit before it')
    const before: Auction = cursor?.state ?? UNOPENED
    const state = stateAfter(commit, body, before)
    const [first] = body.events
    if (before.status !== 'unopened' && isMove(first)) {
      const rule = moveRule(commit, body, before, verifier)
      if (rule !== null) throw misfits(rule)
    }
    const events: ConsumedEvent[] = []
    let at = before
    for (const [i, event] of body.events.entries()) {
      const after: OpenedAuction = evolve(at, event)
      events.push({ auctionId: commit.auctionId, seq: commit.firstSeq + i, event, before: at, after })
      at = after
    }
    return { cursor: cursorAt(commit, state), events }
  } catch (error) {
    if (error instanceof BadCommitError) throw misfits(error.reason)
    throw error
  }
}

/** Throws `MisfitError` if the commit's author has not signed it. */
export function checkSignature(commit: Commit, before: ConsumerCursor | null, verifier: SignatureVerifier): void {
  if (!isSigned(commit, verifier)) throw misfit(commit, before, UNSIGNED, verifier)
}

/** Throws `MisfitError` if the commit at the cursor's position is not the one that the cursor has recorded. */
export function checkSame(commit: Commit, cursor: ConsumerCursor, verifier: SignatureVerifier): void {
  if (commit.lastSeq === cursor.head.seq && commit.hash === cursor.head.hash) return
  throw misfit(commit, cursor, 'it is not the commit that was there before', verifier)
}

function misfit(commit: Commit, cursor: ConsumerCursor | null, rule: string, verifier: SignatureVerifier): MisfitError {
  const { auctionId, firstSeq, lastSeq, body, hash, signer, signature } = commit
  return new MisfitError({
    auctionId: cursor?.auctionId ?? auctionId,
    rule,
    cursor: cursor === null ? null : { head: cursor.head, signer: cursor.signer, signature: cursor.signature },
    commit: { auctionId, firstSeq, lastSeq, body, hash, signer, signature },
    isSigned: isSigned(commit, verifier),
  })
}

function cursorAt({ auctionId, lastSeq, hash, signer, signature }: Commit, state: OpenedAuction): ConsumerCursor {
  return { auctionId, head: { seq: lastSeq, hash }, signer, signature, state }
}
