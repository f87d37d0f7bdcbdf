import type { NodeInfo } from '../node/node-info.js'

/** What a caller asks a node to prove itself with. */
export interface Challenge {
  /** Nodes of another mesh refuse. */
  readonly meshId: string
  /** Random, base64url; never used twice. */
  readonly nonce: string
  /** "host:port" that the caller dialled. */
  readonly to: string
  /** How the caller introduces itself. A claim: it is believed once it was dialled back and has proven itself too. */
  readonly caller: NodeInfo
}

/** A node's answer to a challenge: who it is, where, and in which life. */
export interface NodeProof {
  readonly nodeId: string
  /** Where it says that it serves RPC. */
  readonly address: string
  readonly incarnation: number
  /** By the node's key over all of this, the mesh, the nonce and the caller's id; base64url. */
  readonly signature: string
}

/** A node leaves the mesh, in its own signed words. */
export interface Goodbye {
  readonly nodeId: string
  /** Where it was. */
  readonly address: string
  readonly incarnation: number
  readonly signature: string
}

/**
 * News of a node, passed on from node to node. `alive` and `left` are the node's own signed words; `suspect` and `dead`
 * are what the reporter observed, and no more than a reason to look for oneself.
 */
export type Rumor =
  | {
      readonly state: 'alive'
      readonly nodeId: string
      readonly address: string
      readonly incarnation: number
      readonly signature: string
    }
  | ({ readonly state: 'left' } & Goodbye)
  | { readonly state: 'suspect' | 'dead'; readonly nodeId: string; readonly incarnation: number }

export interface HelloAnswer {
  readonly node: NodeInfo
  readonly proof: NodeProof
  /** Peers in use there: addresses to try. */
  readonly peers: NodeInfo[]
}

export interface Ping {
  readonly challenge: Challenge
  readonly rumors: readonly Rumor[]
}

export interface Pong {
  readonly proof: NodeProof
  readonly rumors: Rumor[]
}
