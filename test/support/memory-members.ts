import { readBody } from '../../src/application/log/commit-body.js'
import type { Commit } from '../../src/domain/commit.js'
import type { Member } from '../../src/ports/members/member.js'
import type { MemberDirectory } from '../../src/ports/members/member-directory.js'

/** The mesh of nodes in memory, unless a test says otherwise. */
export const TEST_MESH = `mesh_${'0'.repeat(26)}`
export const OTHER_MESH = `mesh_${'1'.repeat(26)}`

/** The member list of nodes in memory: all have heard of everything. */
export class MemoryMembers implements MemberDirectory {
  readonly meshId: string
  readonly conflict = null
  readonly authority = null
  readonly #members = new Map<string, Member>()
  readonly #until = new Map<string, number>()

  constructor(meshId = TEST_MESH) {
    this.meshId = meshId
  }

  add(member: Pick<Member, 'nodeId' | 'publicKey' | 'name'> & Partial<Member>): void {
    const { nodeId, publicKey, name, role = 'node', addresses = [] } = member
    this.#members.set(nodeId, { nodeId, publicKey, name, role, addresses })
    this.#until.set(nodeId, role === 'node' || role === 'gateway' ? Number.POSITIVE_INFINITY : 0)
  }

  /** Whoever opened this auction. */
  addHomeOf({ body, auctionId }: Commit): void {
    const [opening] = readBody(body).events
    if (opening?.type !== 'AuctionOpened') throw new Error('the first commit opens the auction')
    this.add({ ...opening.home, name: `home of ${auctionId}` })
  }

  /** Puts the member out, at that time by the authority's clock. */
  revoke(nodeId: string, at: number): void {
    this.#members.delete(nodeId)
    this.#until.set(nodeId, at)
  }

  members(): Member[] {
    return [...this.#members.values()]
  }

  member(nodeId: string): Member | null {
    return this.#members.get(nodeId) ?? null
  }

  isHomeAt(nodeId: string, at: number): boolean {
    return at < (this.#until.get(nodeId) ?? 0)
  }
}
