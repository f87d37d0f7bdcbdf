/** A node that once proved who it is. Addresses are "host:port". */
export interface KnownPeer {
  readonly nodeId: string
  readonly name: string
  readonly publicKey: string
  readonly address: string
  /** Where its Grape takes part in the DHT; null for a node that uses somebody else's Grape. */
  readonly dhtAddress: string | null
  readonly lastSeenAt: number
}

/**
 * Peers remembered over restarts, so that a node finds its mesh even where the DHT fails. Best effort, not fsynced with
 * bids.
 */
export interface PeerRepository {
  save(peer: KnownPeer): Promise<void>
  /** Most recently seen first. */
  list(limit: number): Promise<KnownPeer[]>
}
