import type { MemberLogEntry } from './member.js'
import type { JoinAnswer } from './mesh-authority.js'
import type { MemberPage } from './mesh-service.js'

/** Calls about the membership itself, to one chosen member; rejects with `PeerCallError`. */
export interface MeshClient {
  pullMembers(address: string, afterSeq: number): Promise<MemberPage>
  pushMembers(address: string, entries: readonly MemberLogEntry[]): Promise<void>
  /** Rejects with code NO_AUTHORITY where that member cannot renew anything. */
  renew(address: string, addresses: readonly string[]): Promise<JoinAnswer>
}
