import type { MemberLogEntry } from './member.js'
import type { JoinAnswer, JoinRequest } from './mesh-authority.js'

/** What a node does to keep the mesh closed, for its members and for those who want to become one. */
export interface MeshService {
  /** Lets a node in that shows a good token. NO_AUTHORITY where this node has no access to the mesh's authority. */
  join(request: JoinRequest): Promise<JoinAnswer>
  /** A new certificate for the member that asks. NO_AUTHORITY as above. */
  renew(nodeId: string, addresses: readonly string[]): Promise<JoinAnswer>
  /** Takes in entries of the member log that are new here. */
  pushMembers(entries: readonly MemberLogEntry[]): Promise<void>
  /** A page of the member log after this entry, and how many entries there are. */
  pullMembers(afterSeq: number): Promise<MemberPage>
}

export interface MemberPage {
  readonly entries: readonly MemberLogEntry[]
  readonly version: number
}
