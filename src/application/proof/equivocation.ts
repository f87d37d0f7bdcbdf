import type { Commit } from '../../domain/commit.js'
import type { Home } from '../../domain/party.js'
import type { EquivocationProof } from '../../ports/store/equivocation-repository.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { keyRule, misplacedMove } from '../log/check-commit.js'
import { BadCommitError, isSigned, readCommit } from '../log/commit.js'
import { nodeIdOf } from '../log/ids.js'
import { isMove, moveRule } from '../log/move-rule.js'
import type { CommitBody } from '../log/written-body.js'

/**
 * A home that keeps to one log never signs two commits of which one contradicts the other: two that hold the same
 * event number and differ, or one that claims to follow upon a commit at a number at which another was signed.
 * Whoever holds two such commits can prove it to everybody, with nothing but them, the opening commit and the
 * moves that made their author the home.
 *
 * A cluster keeps to one log as well: in the place where it has taken an auction over, the home before writes nothing.
 * If both have written there, the two commits do not show which of them had no right to; they do show that bidders saw
 * two histories.
 */

/** What was proven, and against whom. */
export interface Equivocation {
  readonly auctionId: string
  readonly title: string
  readonly seller: string
  readonly by: 'home' | 'cluster'
  /** Of a cluster, which has no id: the id that a node with its key would have. */
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
    const [opening, ...moves] = authority.map((commit) => ({ commit, body: readCommit(commit) }))
    const [event] = opening?.body.events ?? []
    if (opening?.commit.firstSeq !== 1 || event?.type !== 'AuctionOpened') return fails('it lacks the opening commit')
    const bodies = [readCommit(first), readCommit(second)] as const
    let { home } = event
    let cluster = keyed(event.cluster)
    if (keyRule(home) !== null) return fails("the home's id is not that of its key")
    if (opening.commit.signer !== home.publicKey) return fails('the opening is not signed by the home')
    for (const { commit, body } of moves) {
      const [moved] = body.events
      // What lies between the event that names the cluster and its takeover adds nothing to its word.
      const before = { home: moved?.type === 'AuctionTakenOver' ? moved.from : home, cluster }
      if (!isMove(moved) || misplacedMove(body) !== null || keyRule(moved.to) !== null)
        return fails('it holds a move that is none')
      const unsound = unauthorised(commit, body, before, verifier) ?? moveRule(commit, body, before, verifier)
      if (unsound !== null) return fails(unsound)
      home = moved.to
      cluster = keyed(
        moved.type === 'AuctionHandedOver' ? moved.cluster : (moved.keys.at(-1)?.publicKey ?? cluster?.key),
      )
    }
    for (const [i, commit] of [first, second].entries()) {
      const unsound = unauthorised(commit, bodies[i] as CommitBody, { home, cluster }, verifier)
      if (unsound !== null) return fails(unsound)
    }
    const { terms, seller } = event
    const seq = contradiction(first, second, bodies[1].prevHash)
    if (seq === null) return fails('its commits do not contradict each other')
    // Each signer may have signed just one of the two: with a takeover among them, the proof is against the cluster.
    const isCluster = bodies.some(({ events }) => events[0]?.type === 'AuctionTakenOver')
    const by = isCluster ? 'cluster' : 'home'
    const { publicKey } = isCluster && cluster !== null ? { publicKey: cluster.key } : home
    const author = { nodeId: nodeIdOf(publicKey), publicKey }
    const hashes = [first.hash, second.hash] as const
    return { proven: true, by: { auctionId, title: terms.title, seller: seller.name, by, author, seq, hashes } }
  } catch (error) {
    if (error instanceof BadCommitError) return fails(error.message)
    throw error
  }
}

function keyed(key: string | null | undefined): { readonly key: string } | null {
  return key ? { key } : null
}

/** Why a commit is neither of this home nor the cluster's takeover from it; null if it is one of them. */
function unauthorised(
  commit: Commit,
  body: CommitBody,
  before: { readonly home: Home; readonly cluster: { readonly key: string } | null },
  verifier: SignatureVerifier,
): string | null {
  const [event] = body.events
  if (event?.type !== 'AuctionTakenOver')
    return commit.signer === before.home.publicKey ? null : 'a commit in it is not signed by the home'
  const { from, to } = event
  if (from.nodeId !== before.home.nodeId) return 'a takeover in it is not from the home'
  if (keyRule(to) !== null || commit.signer !== to.publicKey) return 'a takeover in it is not signed by the new home'
  return moveRule(commit, body, before, verifier)
}

/** The first event number about which two commits of one author say different things; null if they agree. */
function contradiction(first: Commit, second: Commit, prevHash: string | null): number | null {
  if (first.hash === second.hash) return null
  const from = Math.max(first.firstSeq, second.firstSeq)
  if (from <= Math.min(first.lastSeq, second.lastSeq)) return from
  return second.firstSeq === first.lastSeq + 1 && prevHash !== first.hash ? first.lastSeq : null
}
