import type { Member, MemberRole } from './member.js'

export interface MeshSummary {
  readonly meshId: string
  readonly meshName: string
  /** SHA-256 of the authority's public key (SPKI), base64url. */
  readonly caFingerprint: string
  /** Whether this user's machine holds the authority. */
  readonly hasAuthority: boolean
}

export interface NewInvite {
  readonly token: string
  readonly role: MemberRole
  readonly uses: number
  /** UTC milliseconds. */
  readonly expiresAt: number
  readonly addresses: readonly string[]
}

export interface JoinedMesh extends MeshSummary {
  readonly nodeId: string
  readonly role: MemberRole
  /** The certificate's end, UTC milliseconds. */
  readonly notAfter: number
  readonly members: number
}

export interface MeshMembers extends MeshSummary {
  readonly members: readonly Member[]
  /** Node ids. */
  readonly revoked: readonly string[]
}

export interface Revoked extends Member {
  /** Whether a node knows of it and passes it on; otherwise none runs on this machine. */
  readonly isHeard: boolean
}

/** What `vendue mesh` does: the founding of a mesh and who belongs to it. Rejects with `NodeError`. */
export interface MeshAdmin {
  /** Makes the mesh's authority on this machine, or finds the one that is there. */
  init(meshName: string): Promise<MeshSummary & { readonly isNew: boolean }>
  /** `addresses`: where a member can be reached; those of running nodes and of the member list where there are none. */
  invite(
    meshName: string,
    options: {
      readonly role: MemberRole
      readonly uses: number
      readonly lifeMs: number
      readonly addresses: readonly string[]
    },
  ): Promise<NewInvite>
  join(
    token: string,
    options: { readonly dataDir: string; readonly name: string; readonly addresses: readonly string[] },
  ): Promise<JoinedMesh>
  /** As the authority knows them, or, without it, the node of this data directory. */
  members(meshName: string, dataDir: string): Promise<MeshMembers>
  /**
   * Rejects with OUTCOME_UNKNOWN where a node runs on this machine and does not take it.
   * `member`: a node id, the beginning of one, or a name.
   */
  revoke(meshName: string, member: string): Promise<Revoked>
  rotateCa(meshName: string): Promise<MeshSummary>
}
