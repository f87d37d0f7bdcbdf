/** How a node introduces itself. */
export interface NodeInfo {
  readonly nodeId: string
  readonly name: string
  readonly publicKey: string
  /** The software's version. */
  readonly version: string
  /** Where it serves RPC, "host:port". */
  readonly address: string
  readonly dhtAddress: string | null
  /**
   * Grows with every life of the node: UTC milliseconds when it started, raised by one each time the node refutes that
   * it is dead.
   */
  readonly incarnation: number
}

export type PeerState = 'alive' | 'suspect' | 'dead' | 'left'

/** Another node, as this one sees it. */
export interface PeerView extends NodeInfo {
  readonly state: PeerState
  /** UTC milliseconds of its last sign of life. */
  readonly lastSeenAt: number
  readonly roundTripMs: number | null
}
