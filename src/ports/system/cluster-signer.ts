import type { ClusterKeyRotation } from '../../domain/cluster-key.js'
import type { Signer } from './signer.js'

/**
 * The key of the cluster that a node belongs to. Every node of the cluster has it, so that its signature shows that a
 * node may take auctions over. An operator may exchange the key while the node runs: `sign` goes by the key that
 * `publicKey` or `rotationsSince` went by last, so that what is put together in one go fits together.
 */
export interface ClusterSigner extends Signer {
  /** The cluster's first key, base64url. It never changes, and so names the cluster. */
  readonly firstKey: string
  /**
   * The rotations that lead from this key of the cluster to its present one, oldest first; none if it is the present
   * one. Null if it is no key of this cluster, as far as this node knows.
   */
  rotationsSince(publicKey: string): readonly ClusterKeyRotation[] | null
}
