/** A later key of a cluster (base64url, raw Ed25519), signed by the one before it. */
export interface ClusterKeyRotation {
  readonly publicKey: string
  readonly signature: string
}
