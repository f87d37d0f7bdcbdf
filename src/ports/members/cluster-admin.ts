/** What `vendue cluster` does where the data directory of a node lies, whether the node runs or not. */
export interface ClusterAdmin {
  /** Makes the cluster's key, or finds the one that is there, and claims the log for it. */
  init(): Promise<ClusterSummary & { readonly isNew: boolean }>
  /** A token by which nodes get the key, `uses` of them, within `lifeMs`. Rejects with NO_CLUSTER. */
  invite(options: InviteOptions): Promise<ClusterInvitation>
  /** Gets the key by a token. The node takes part from its next start on, or has another key at once if it does. */
  join(token: string): Promise<ClusterSummary & { readonly was: 'none' | 'older' | 'same' }>
  /** Has another key count from now on, here; the token brings it to the other nodes. */
  rotateKey(options: InviteOptions): Promise<ClusterSummary & ClusterInvitation>
  /**
   * The node, which does not run, takes no part from now on. Rejects with NOBODY_TAKES_OVER where it is the home of
   * auctions that no other node would take over.
   */
  leave(): Promise<ClusterSummary>
}

export interface ClusterSummary {
  /** The first public key of the cluster, which names it. */
  readonly cluster: string
  /** The public key that counts, as far as this node knows. */
  readonly key: string
  /** Without a secret. */
  readonly log: string
  readonly nodeId: string
}

export interface InviteOptions {
  readonly uses: number
  readonly lifeMs: number
}

export interface ClusterInvitation {
  readonly token: string
  readonly uses: number
  /** UTC milliseconds. */
  readonly expiresAt: number
}
