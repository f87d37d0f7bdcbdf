/** A cluster's key can be exchanged this often: a takeover carries the rotations since the one before it. */
export const MAX_CLUSTER_ROTATIONS = 64

/** A later key of a cluster (base64url, raw Ed25519), signed by the one before it. */
export interface ClusterKeyRotation {
  readonly publicKey: string
  readonly signature: string
}
