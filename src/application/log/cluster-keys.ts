import type { ClusterKeyRotation } from '../../domain/cluster-key.js'
import type { ClusterSigner } from '../../ports/system/cluster-signer.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'

/** What a cluster's key signs in order to hand on to the next one. */
export function rotationText(from: string, to: string): string {
  return ['vendue-cluster-key-v1', from, to].join('\n')
}

/** The key that these rotations lead to. Null if one of them is not signed by the key before it. */
export function clusterKeyAfter(
  key: string,
  rotations: readonly ClusterKeyRotation[],
  verifier: SignatureVerifier,
): string | null {
  let present = key
  for (const { publicKey, signature } of rotations) {
    if (!verifier.verify(rotationText(present, publicKey), signature, present)) return null
    present = publicKey
  }
  return present
}

/** Whether the log of this cluster decides about the auction, and it may move it from node to node. */
export function isOfCluster(
  { cluster: of }: { readonly cluster: { readonly key: string } | null },
  cluster: Pick<ClusterSigner, 'rotationsSince'>,
): boolean {
  return of !== null && cluster.rotationsSince(of.key) !== null
}
