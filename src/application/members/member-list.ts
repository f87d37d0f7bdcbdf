import type { CaCertificate, Member, MemberLogEntry } from '../../ports/members/member.js'
import type { MemberDirectory, MemberLogConflict } from '../../ports/members/member-directory.js'
import type { MembershipRepository } from '../../ports/members/membership-repository.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { MemberHistory, MemberLogConflictError } from './member-history.js'
import type { MemberState } from './member-log.js'

export interface MemberListDeps {
  readonly repository: Pick<MembershipRepository, 'log' | 'append'>
  readonly verifier: SignatureVerifier
}

/**
 * This node's verified copy of the mesh's member log. Entries come from anywhere; only signed ones that follow are
 * added.
 */
export class MemberList implements MemberDirectory {
  readonly #deps: MemberListDeps
  readonly #history: MemberHistory
  readonly #listeners = new Set<(before: MemberState) => void>()
  readonly #alarms = new Set<(error: MemberLogConflictError) => void>()
  #conflict: MemberLogConflictError | null = null

  /** Reads what is stored; throws `MemberLogError` if that was tampered with. */
  constructor(deps: MemberListDeps, { meshId }: { meshId: string }) {
    this.#deps = deps
    this.#history = new MemberHistory(deps, { meshId })
    for (const entry of deps.repository.log(meshId)) this.#history.take(entry)
  }

  get meshId(): string {
    return this.#history.state.meshId
  }

  /** Entries known. */
  get version(): number {
    return this.#history.state.seq
  }

  get conflict(): MemberLogConflict | null {
    return this.#conflict?.conflict ?? null
  }

  /** The newest one signs, and is last. Certificates of those before stay good for members. */
  get cas(): readonly CaCertificate[] {
    return this.#history.state.cas
  }

  get authority(): string | null {
    return this.cas.at(-1)?.publicKey ?? null
  }

  members(): Member[] {
    return [...this.#history.state.members.values()]
  }

  member(nodeId: string): Member | null {
    return this.#history.state.members.get(nodeId) ?? null
  }

  revoked(): readonly string[] {
    return [...this.#history.state.revoked]
  }

  isRevoked(nodeId: string): boolean {
    return this.#history.state.revoked.has(nodeId)
  }

  isHomeAt(nodeId: string, at: number): boolean {
    const tenure = this.#history.state.homes.get(nodeId)
    return tenure !== undefined && (tenure.until === null || at < tenure.until)
  }

  entriesAfter(seq: number, limit?: number): MemberLogEntry[] {
    return this.#history.after(seq, limit)
  }

  onChange(listener: (before: MemberState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls the listener for the first contradiction, also if it was found before. */
  onConflict(listener: (error: MemberLogConflictError) => void): () => void {
    if (this.#conflict) listener(this.#conflict)
    this.#alarms.add(listener)
    return () => this.#alarms.delete(listener)
  }

  /**
   * Adds entries in order, including known ones, which have to be the same. Returns how many were new. Throws
   * `MemberLogError` at the first that does not belong, `MemberLogConflictError` where the authority has signed another
   * history; those before it are added. A gap is no error: what comes after it is ignored.
   */
  add(entries: readonly MemberLogEntry[]): number {
    const before = this.#history.state
    const added: MemberLogEntry[] = []
    try {
      for (const entry of entries) if (this.#history.take(entry)) added.push(entry)
    } catch (error) {
      if (error instanceof MemberLogConflictError) this.alarm(error)
      throw error
    } finally {
      if (added.length > 0) {
        this.#deps.repository.append(this.meshId, before.seq + 1, added)
        for (const listener of this.#listeners) listener(before)
      }
    }
    return added.length
  }

  /** Another copy of the log is of another history than this one. */
  alarm(error: MemberLogConflictError): void {
    if (this.#conflict !== null) return
    this.#conflict = error
    for (const listener of this.#alarms) listener(error)
  }
}
