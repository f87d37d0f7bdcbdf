import type { Member, MemberLogEntry } from './member.js'

/** What a node shows in order to join with a token. */
export interface JoinRequest {
  readonly secret: string
  readonly publicKey: string
  readonly name: string
  readonly addresses: readonly string[]
  /** By the node's key, over the mesh, its id and the secret's hash. */
  readonly signature: string
}

export interface JoinAnswer {
  /** PEM. */
  readonly certificate: string
  /** The member log from its beginning, as far as one answer holds it. Of a renewal: nothing, since a member has it. */
  readonly log: readonly MemberLogEntry[]
  /** How many entries there are. */
  readonly version: number
}

/** Lets nodes into the mesh, and keeps them in: where the authority's keys are. Rejects with `NodeError`. */
export interface MeshAuthority {
  readonly meshId: string
  join(request: JoinRequest): Promise<JoinAnswer>
  /** A new certificate for a member; `addresses` where it is now, where that is fixed. */
  renew(nodeId: string, addresses: readonly string[]): Promise<JoinAnswer>
  /** A member of this user's own machine, whose files are the proof. */
  enrol(member: Member): Promise<JoinAnswer>
  /** How many entries its member log has. Cheap enough to be asked every second. */
  readonly version: number
  /** The member log after this entry. */
  entriesAfter(seq: number): MemberLogEntry[]
  /**
   * Takes in what a copy of the member log has beyond its own: a restored authority catches up with what it has signed
   * since. Throws `MemberLogConflictError` where the copy is of another history.
   */
  learn(entries: readonly MemberLogEntry[]): void
}
