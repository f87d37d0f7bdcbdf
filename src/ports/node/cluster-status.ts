/** The cluster that a node belongs to, as this node sees it. */
export interface ClusterStatus {
  /** The cluster's first public key, which names it. */
  readonly cluster: string
  readonly log: ClusterLogStatus
  /** All that have ever taken part, by name. As of when the log was reached last. */
  readonly nodes: readonly ClusterMember[]
  /** Auctions that this node has taken over since its start, newest first; the last 50. */
  readonly takeovers: readonly Takeover[]
  /** How many it has taken over in all since then. */
  readonly takenOver: number
  /** Auctions of dead homes with two histories, which no node takes over; up to 50 ids. */
  readonly disputed: readonly string[]
  /** Commits that it has put back into the log since then. */
  readonly healed: number
}

export interface ClusterLogStatus {
  /** host:port of the primary; null while there is none. */
  readonly connectedTo: string | null
  /** Since when this node cannot reach the log, UTC milliseconds, and why; null while it does. */
  readonly outage: { readonly since: number; readonly code: string; readonly why: string } | null
}

export interface ClusterMember {
  readonly nodeId: string
  readonly name: string
  readonly address: string
  /** `left`: it has left the cluster, and gets no auctions until it beats again. */
  readonly state: 'alive' | 'dead' | 'left'
  /** How long ago it beat last, by the log's clock; null if it has left. */
  readonly beatAgeMs: number | null
}

export interface Takeover {
  readonly auctionId: string
  /** UTC milliseconds. */
  readonly at: number
  /** The home before. */
  readonly from: { readonly nodeId: string; readonly name: string | null }
  readonly why: string
}
