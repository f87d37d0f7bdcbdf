/** Room `members`: the member list of a mesh, its authority, and how a node joins. */

import type { Member } from './member.js'

/** The authority of the mesh has signed two entries of the member log of which one contradicts the other. */
export interface MemberLogConflict {
  readonly seq: number
  /** Hash of the entry that is kept. */
  readonly known: string
  readonly other: string
}

/** Who belongs to the mesh, as far as this node has heard. */
export interface MemberDirectory {
  readonly meshId: string
  /** Raw Ed25519 public key of the newest authority, base64url; null as long as nothing of the list is known. */
  readonly authority: string | null
  /** The first contradiction that was seen since the start; null if there was none. */
  readonly conflict: MemberLogConflict | null
  /** A name stands for one member at a time. */
  members(): Member[]
  /** Null if no such node is a member now. */
  member(nodeId: string): Member | null
  /**
   * Whether the node is a member that may be the home of auctions, or was one at that time (UTC milliseconds, on its
   * own clock, against the authority's).
   */
  isHomeAt(nodeId: string, at: number): boolean
}
