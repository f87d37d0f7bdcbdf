/** Whether the Grape answers at the moment. */
export type DiscoveryState = 'connected' | 'unreachable'

/**
 * Where nodes of this mesh may be. A hint: anybody can announce anything, so an address is only worth dialling;
 * who is behind it is for the handshake to prove.
 */
export interface Discovery {
  /**
   * Announces this node's RPC port and looks others up, again and again until `stop`. Never fails because the Grape
   * cannot be reached: that is a state, and it keeps trying.
   */
  start(rpcPort: number, listener: DiscoveryListener): Promise<void>
  /** Looks up at once, for somebody who waits. */
  refresh(): void
  /** Gives the embedded DHT another member's DHT address, so that the tables heal. No-op without one. */
  introduce(dhtAddress: string): void
  /**
   * The node at this address ("host:port") is dead: the embedded Grape forgets the address, and does not hand it out
   * until it is announced afresh or `admit`ted. No-op with a Grape elsewhere, whose records cannot be taken back.
   */
  evict(address: string): void
  /** A node has proven itself at this address, which may be handed out again. */
  admit(address: string): void
  /** "host:port" of the embedded DHT; null without one. */
  readonly dhtAddress: string | null
  /** The URL of the Grape in use. */
  readonly grapeUrl: string
  readonly state: DiscoveryState
  stop(): Promise<void>
}

export interface DiscoveryListener {
  /** "host:port" of each, own ones and dead ones perhaps included. */
  addresses(addresses: readonly string[]): void
  state(state: DiscoveryState, cause?: Error): void
}
