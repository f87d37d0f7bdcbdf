import type { Commit } from '../../domain/commit.js'
import type { CommitCheck, CommitFault } from '../../ports/mesh/mandate-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { BadCommitError, isSigned, readCommit, UNSIGNED } from '../log/commit.js'
import type { CommitBody } from '../log/written-body.js'
import { mandateFault } from './check-mandates.js'
import type { SellerFacts } from './mandate.js'

/** What is wrong with a commit by itself; null if nothing is. What nobody signed is not read. */
export function commitFault(check: CommitCheck, verifier: SignatureVerifier): CommitFault | null {
  if (!isSigned(check, verifier)) return { kind: 'unsound', rule: UNSIGNED }
  try {
    const body = readCommit(check)
    const facts = check.sellerFacts ?? openingFacts(body)
    return facts === null ? null : mandateFault({ ...check, ...facts }, body, verifier)
  } catch (error) {
    if (error instanceof BadCommitError) return { kind: 'unsound', rule: error.reason }
    throw error
  }
}

/** What is wrong with its text or its hash. */
export function textFault(commit: Commit): string | null {
  try {
    readCommit(commit)
    return null
  } catch (error) {
    if (error instanceof BadCommitError) return error.reason
    throw error
  }
}

/** Null if it opens no auction, which no log begins with. */
function openingFacts({ events: [first] }: CommitBody): SellerFacts | null {
  if (first?.type !== 'AuctionOpened') return null
  return { seller: first.seller, openedBy: first.home.nodeId, keptByCluster: first.cluster !== null }
}
