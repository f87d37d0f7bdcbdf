import type { AuctionEvent } from '../../domain/events.js'
import type { Home } from '../../domain/party.js'
import type { MemberDirectory } from '../../ports/members/member-directory.js'
import { isMove } from '../log/move-rule.js'

export interface HomeAdmissionDeps {
  readonly members: Pick<MemberDirectory, 'meshId' | 'isHomeAt'>
}

/**
 * Which auctions are of this mesh. The opening names the mesh, and the auction's id is made of the opening: an auction
 * of one mesh does not exist in another, nor does anything that names it. Its home has to be a member when it opens,
 * and so has a node that it moves to; a node that is revoked later keeps its auctions until their end.
 */
export class HomeAdmission {
  readonly #members: HomeAdmissionDeps['members']

  constructor({ members }: HomeAdmissionDeps) {
    this.#members = members
  }

  /** Why one of these events may not make a node the home; null if all may. */
  rule({ events }: { readonly events: readonly AuctionEvent[] }): HomeRule | null {
    for (const event of events) {
      const found = this.#rule(event)
      if (found !== null) return found
    }
    return null
  }

  #rule(event: AuctionEvent): HomeRule | null {
    if (isMove(event)) return this.#memberRule(event.to, event.at)
    if (event.type !== 'AuctionOpened') return null
    const { meshId } = this.#members
    if (event.meshId !== meshId) return { rule: `the auction is of another mesh, ${event.meshId}`, mayChange: false }
    return this.#memberRule(event.home, event.at)
  }

  #memberRule({ nodeId }: Home, at: number): HomeRule | null {
    if (this.#members.isHomeAt(nodeId, at)) return null
    return { rule: `${nodeId} was no member of the mesh that may be a home then`, mayChange: true }
  }
}

export interface HomeRule {
  readonly rule: string
  /** The member list may have an entry about it that this node does not know yet. */
  readonly mayChange: boolean
}
