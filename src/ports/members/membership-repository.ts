import type { MemberLogEntry } from './member.js'

/** What makes a node a member of a mesh, kept in its data directory. */
export interface MeshMembership {
  readonly meshId: string
  readonly meshName: string
  /** PEM; for the node's own key. */
  readonly certificate: string
}

/** The meshes of a node, with its certificate and its copy of the member log in each. Durable when a method returns. */
export interface MembershipRepository {
  all(): MeshMembership[]
  /** The one of that name; null where there is none. */
  find(meshName: string): MeshMembership | null
  /** Replaces the one of the same name. */
  save(membership: MeshMembership): void
  /** The member log in order. */
  log(meshId: string): MemberLogEntry[]
  /** Entries that follow those stored, the first of which has this seq. */
  append(meshId: string, firstSeq: number, entries: readonly MemberLogEntry[]): void
  close(): void
}
