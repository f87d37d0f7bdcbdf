import type { Commit } from '../../domain/commit.js'
import type { EquivocationProof } from '../../ports/store/equivocation-repository.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { keyRule } from '../log/check-commit.js'
import { BadCommitError, isSigned, readCommit } from '../log/commit.js'
import { consentRule } from '../log/handover-consent.js'

/**
 * A home that keeps to one log never signs two commits of which one contradicts the other: two that hold the same
 * event number and differ, or one that claims to follow upon a commit at a number at which another was signed.
 * Whoever holds two such commits can prove it to everybody, with nothing but them, the opening commit and the
 * handovers that made their author the home.
 */

/** What was proven, and against whom. */
export interface Equivocation {
  readonly auctionId: string
  readonly title: string
  readonly seller: string
  readonly author: { readonly nodeId: string; readonly publicKey: string }
  /** The first event number about which the two say different things. */
  readonly seq: number
  readonly hashes: readonly [string, string]
}

/** Puts two commits that contradict each other into the order that a proof uses. */
export function proofOf(authority: readonly Commit[], a: Commit, b: Commit): EquivocationProof {
  const ordered = a.lastSeq < b.lastSeq || (a.lastSeq === b.lastSeq && a.hash < b.hash)
  const [first, second] = ordered ? [a, b] : [b, a]
  return { auctionId: a.auctionId, authority: authority.map(bare), first: bare(first), second: bare(second) }
}

/** The commit without what this node's own log adds to it. */
function bare({ auctionId, firstSeq, lastSeq, body, hash, signer, signature }: Commit): Commit {
  return { auctionId, firstSeq, lastSeq, body, hash, signer, signature }
}

/** Checks a proof from nothing but itself. Returns why it proves nothing, or null. */
export function judgeProof(
  proof: EquivocationProof,
  verifier: SignatureVerifier,
): { readonly proven: true; readonly by: Equivocation } | { readonly proven: false; readonly rule: string } {
  const fails = (rule: string) => ({ proven: false, rule }) as const
  try {
    const { auctionId, authority, first, second } = proof
    const all = [...authority, first, second]
    if (all.some((commit) => commit.auctionId !== auctionId)) return fails('its commits are not of one auction')
    // The cheapest check first: what nobody signed is not read any further.
    if (!all.every((commit) => isSigned(commit, verifier))) return fails('a signature in it does not hold')
    const [opening, ...handovers] = authority.map((commit) => ({ commit, body: readCommit(commit) }))
    const [event] = opening?.body.events ?? []
    if (opening?.commit.firstSeq !== 1 || event?.type !== 'AuctionOpened') return fails('it lacks the opening commit')
    const bodies = [readCommit(first), readCommit(second)] as const
    let { home } = event
    if (keyRule(home) !== null) return fails("the home's id is not that of its key")
    if (opening.commit.signer !== home.publicKey) return fails('the opening is not signed by the home')
    for (const { commit, body } of handovers) {
      const [moved, ...more] = body.events
      if (moved?.type !== 'AuctionHandedOver' || more.length > 0 || keyRule(moved.to) !== null)
        return fails('it holds a handover that is none')
      if (commit.signer !== home.publicKey) return fails('a handover is not signed by the home')
      const unwilling = consentRule(commit, body, { home }, verifier)
      if (unwilling !== null) return fails(unwilling)
      home = moved.to
    }
    if (first.signer !== home.publicKey || second.signer !== home.publicKey)
      return fails('one of its commits is not signed by the home')
    const { terms, seller } = event
    const seq = contradiction(first, second, bodies[1].prevHash)
    if (seq === null) return fails('its commits do not contradict each other')
    const author = { nodeId: home.nodeId, publicKey: home.publicKey }
    const hashes = [first.hash, second.hash] as const
    return { proven: true, by: { auctionId, title: terms.title, seller: seller.name, author, seq, hashes } }
  } catch (error) {
    if (error instanceof BadCommitError) return fails(error.message)
    throw error
  }
}

/** The first event number about which two commits of one author say different things; null where they agree. */
function contradiction(first: Commit, second: Commit, prevHash: string | null): number | null {
  if (first.hash === second.hash) return null
  const from = Math.max(first.firstSeq, second.firstSeq)
  if (from <= Math.min(first.lastSeq, second.lastSeq)) return from
  return second.firstSeq === first.lastSeq + 1 && prevHash !== first.hash ? first.lastSeq : null
}
