/** Beside the log of a cluster: its key on the way to new nodes, closed for everybody without the secret of a token. */
export interface ClusterInvites {
  /** Connects, and claims an empty log for the cluster. Rejects with `SharedLogError`, as all methods do. */
  open(): Promise<void>
  /** Also forgets those that ended long ago. */
  save(invite: ClusterInvite): Promise<void>
  /** The sealed key, for this node; the same node may ask again, should an answer be lost. */
  redeem(secretHash: string, nodeId: string): Promise<Redeemed>
  close(): Promise<void>
}

export interface ClusterInvite {
  /** SHA-256 of the secret, lower-case hex; the secret itself is kept nowhere. */
  readonly secretHash: string
  readonly sealedKey: string
  /** How many nodes may redeem it. */
  readonly uses: number
  /** By the log's clock, from when it is saved. */
  readonly lifeMs: number
}

export type Redeemed = { readonly sealedKey: string } | { readonly refused: 'unknown' | 'used' | 'expired' }
