import type { CaCertificate, Member, MemberLogEntry } from '../../ports/members/member.js'
import type { MembershipRepository } from '../../ports/members/membership-repository.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { applyMemberEntry, emptyMemberState, type MemberState, seqOf } from './member-log.js'

export interface MemberListDeps {
  readonly repository: Pick<MembershipRepository, 'log' | 'append'>
  readonly verifier: SignatureVerifier
}

/** This node's verified copy of the mesh's member log. Entries come from anywhere; only signed ones that follow get in. */
export class MemberList {
  readonly #deps: MemberListDeps
  #state: MemberState
  #entries: MemberLogEntry[] = []
  readonly #listeners = new Set<(before: MemberState) => void>()

  /** Reads what is stored; throws `MemberLogError` where that was tampered with. */
  constructor(deps: MemberListDeps, { meshId }: { meshId: string }) {
    this.#deps = deps
    this.#state = emptyMemberState(meshId)
    for (const entry of deps.repository.log(meshId)) {
      this.#state = applyMemberEntry(this.#state, entry, deps.verifier)
      this.#entries.push(entry)
    }
  }

  get meshId(): string {
    return this.#state.meshId
  }

  /** Entries known. */
  get version(): number {
    return this.#state.seq
  }

  /** The authorities that are trusted; the last one signs. */
  get cas(): readonly CaCertificate[] {
    return this.#state.cas
  }

  members(): Member[] {
    return [...this.#state.members.values()]
  }

  member(nodeId: string): Member | null {
    return this.#state.members.get(nodeId) ?? null
  }

  revoked(): readonly string[] {
    return [...this.#state.revoked]
  }

  isRevoked(nodeId: string): boolean {
    return this.#state.revoked.has(nodeId)
  }

  entriesAfter(seq: number, limit: number): MemberLogEntry[] {
    return this.#entries.slice(seq, seq + limit)
  }

  onChange(listener: (before: MemberState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes in entries in order, those known already included. How many were new. Throws `MemberLogError` at the first that
   * does not belong; those before it count. A gap is no error: what comes after it is left out.
   */
  add(entries: readonly MemberLogEntry[]): number {
    const before = this.#state
    const added: MemberLogEntry[] = []
    try {
      for (const entry of entries) {
        const seq = seqOf(entry)
        if (seq <= this.#state.seq) continue
        if (seq > this.#state.seq + 1) break
        this.#state = applyMemberEntry(this.#state, entry, this.#deps.verifier)
        added.push(entry)
      }
    } finally {
      if (added.length > 0) {
        this.#deps.repository.append(this.meshId, before.seq + 1, added)
        this.#entries = [...this.#entries, ...added]
        for (const listener of this.#listeners) listener(before)
      }
    }
    return added.length
  }
}
