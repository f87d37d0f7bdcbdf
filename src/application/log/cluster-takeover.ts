import type { AuctionCluster, OpenedAuction } from '../../domain/auction.js'
import type { Head } from '../../domain/commit.js'
import { type Decision, decide } from '../../domain/decide.js'
import type { AuctionTakenOver } from '../../domain/events.js'
import type { Secrets } from '../../domain/pricing.js'
import type { ClusterSigner } from '../../ports/system/cluster-signer.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { clusterKeyAfter } from './cluster-keys.js'
import type { Move } from './handover-consent.js'

/** What a cluster's key signs: that it moves this auction from one home to another, at this end of its log. */
function takeoverText({ auctionId, seq, prevHash, from, to }: Move): string {
  return `vendue-takeover-v1\n${auctionId}\n${seq}\n${prevHash}\n${from}\n${to}\n`
}

/** An auction as the log has it, with what its home keeps beside it. */
export interface Takeable {
  readonly auctionId: string
  readonly head: Head
  readonly state: OpenedAuction
  readonly secrets: Secrets
}

export interface Taking extends Pick<AuctionTakenOver, 'to' | 'why' | 'since'> {
  /** The new home's clock. */
  readonly now: number
}

/**
 * The events by which a node of the auction's cluster becomes its home: the first ones of a commit on top of this head,
 * which the new home signs. Throws `NotOfThisClusterError` if the cluster has no say in the auction.
 */
export function takeOver(auction: Takeable, { to, why, now, since }: Taking, cluster: ClusterSigner): Decision {
  const { auctionId, head, state, secrets } = auction
  const keys = state.cluster === null ? null : cluster.rotationsSince(state.cluster.key)
  if (keys === null) throw new NotOfThisClusterError(auctionId)
  const at = Math.max(now, state.at)
  const move = { auctionId, seq: head.seq + 1, prevHash: head.hash, from: state.home.nodeId, to: to.nodeId }
  return decide(
    { auction: state, secrets },
    {
      type: 'TakeOver',
      now: at,
      to,
      why,
      since: Math.min(Math.max(since, state.at), at),
      keys,
      clusterSignature: cluster.sign(takeoverText(move)),
    },
  )
}

/** Why a takeover is not in the words of the auction's cluster; null if it is. */
export function takeoverRule(
  move: Move,
  { keys, clusterSignature }: Pick<AuctionTakenOver, 'keys' | 'clusterSignature'>,
  { cluster }: { readonly cluster: Pick<AuctionCluster, 'key'> | null },
  verifier: SignatureVerifier,
): string | null {
  if (cluster === null) return 'it is taken over, and of no cluster'
  const key = clusterKeyAfter(cluster.key, keys, verifier)
  if (key === null) return 'a key of its cluster is not signed by the one before'
  return verifier.verify(takeoverText(move), clusterSignature, key)
    ? null
    : `its cluster has not made ${move.to} its home`
}

export class NotOfThisClusterError extends Error {
  readonly code = 'NOT_OF_THIS_CLUSTER'
  constructor(auctionId: string) {
    super(`${auctionId} is not of this node's cluster, which can take over its own auctions alone`)
    this.name = 'NotOfThisClusterError'
  }
}
