import type { CaCertificate, MemberLogEntry } from '../../ports/members/member.js'
import type { MemberLogConflict } from '../../ports/members/member-directory.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import {
  applyMemberEntry,
  emptyMemberState,
  isSealedBy,
  MemberLogError,
  type MemberState,
  readMemberEntry,
} from './member-log.js'

/**
 * Two histories of one mesh, both signed by its authority: its key is used in two places, from a restored backup or by
 * a thief. What is known stays; nothing of the other history counts.
 */
export class MemberLogConflictError extends MemberLogError {
  override readonly code = 'MEMBER_LOG_CONFLICT'
  constructor(readonly conflict: MemberLogConflict) {
    const { seq, known, other } = conflict
    super(
      `the authority has signed two different entries ${seq} of the member log, ${short(known)} and ${short(other)}: ` +
        'its key is used in two places',
    )
  }
}

/** More than these are not counted. */
export const MAX_CHANGES_COUNTED = 100

/** A verified member log: all its entries and the state that they lead to. */
export class MemberHistory {
  readonly #verifier: SignatureVerifier
  #state: MemberState
  #entries: MemberLogEntry[] = []
  /** Who had to sign each entry. */
  #signers: string[] = []
  /** When the last entries about each member were made. */
  readonly #changes = new Map<string, readonly number[]>()

  constructor(deps: { readonly verifier: SignatureVerifier }, { meshId }: { meshId: string }) {
    this.#verifier = deps.verifier
    this.#state = emptyMemberState(meshId)
  }

  get state(): MemberState {
    return this.#state
  }

  after(seq: number, limit = Number.POSITIVE_INFINITY): MemberLogEntry[] {
    return this.#entries.slice(Math.max(0, seq), Math.max(0, seq) + limit)
  }

  /**
   * Adds an entry. True: it is new. False: it is known, or lies behind a gap. Throws `MemberLogConflictError` if the
   * authority signed both it and another one in its place, `MemberLogError` if it does not belong for another reason.
   */
  take(entry: MemberLogEntry): boolean {
    const { seq, prevHash, meshId, at, event } = readMemberEntry(entry)
    if (meshId !== this.#state.meshId) throw new MemberLogError('the entry is of another mesh')
    const known = this.#entries[seq - 1]
    if (known !== undefined) {
      if (known.hash === entry.hash) return false
      throw this.#contradiction(seq, entry, known.hash, this.#signers[seq - 1] as string)
    }
    if (seq > this.#state.seq + 1) return false
    const { cas, headHash } = this.#state
    const signer = cas.at(-1)
    if (signer !== undefined && prevHash !== headHash)
      throw this.#contradiction(seq, entry, headHash ?? '', signer.publicKey)
    const before = this.#state
    this.#state = applyMemberEntry(before, entry, this.#verifier)
    this.#entries.push(entry)
    this.#signers.push((signer ?? (this.#state.cas[0] as CaCertificate)).publicKey)
    if (event.type === 'MemberAdded') {
      const changes = this.#changes.get(event.nodeId) ?? []
      this.#changes.set(event.nodeId, [...changes, at].slice(-MAX_CHANGES_COUNTED))
    }
    return true
  }

  /** Entries about the member that were made after that time; counted up to `MAX_CHANGES_COUNTED`. */
  changesAfter(nodeId: string, time: number): number {
    return this.#changes.get(nodeId)?.filter((at) => at > time).length ?? 0
  }

  #contradiction(seq: number, entry: MemberLogEntry, known: string, signer: string): MemberLogError {
    if (!isSealedBy(entry, signer, this.#verifier))
      return new MemberLogError(`entry ${seq} is not what is known, nor signed by the mesh's authority`)
    return new MemberLogConflictError({ seq, known, other: entry.hash })
  }
}

/** The error for a caller whose request a contradiction prevents. */
export function conflictError(cause: MemberLogConflictError): NodeError {
  return new NodeError('MEMBER_LOG_CONFLICT', cause.message, {
    next: 'stop using the copy that is older or stolen: see "Two histories of the member list" in docs/operations.md',
    cause,
  })
}

function short(hash: string): string {
  return hash.slice(0, 12)
}
