import type { CaKeys } from './certificates.js'
import type { MemberLogEntry, MemberRole } from './member.js'

export interface Invite {
  /** SHA-256 of the secret, lower-case hex; the secret itself is kept nowhere. */
  readonly secretHash: string
  readonly role: MemberRole
  readonly usesLeft: number
  /** Node ids: each may ask again, should an answer be lost. */
  readonly usedBy: readonly string[]
  /** UTC milliseconds. */
  readonly expiresAt: number
}

/** The newest certificate of a member. */
export interface IssuedCertificate {
  readonly nodeId: string
  /** Public key of the authority that signed it. */
  readonly ca: string
  readonly notAfter: number
}

/** What can be done within a transaction. */
export interface AuthorityRecords {
  /** Those not retired, oldest first. */
  cas(): CaKeys[]
  addCa(ca: CaKeys): void
  /** Its private key is forgotten. */
  removeCa(publicKey: string): void
  /** The member log from `fromSeq` on, in order. */
  entries(fromSeq: number): MemberLogEntry[]
  append(seq: number, entry: MemberLogEntry): void
  invite(secretHash: string): Invite | null
  saveInvite(invite: Invite): void
  issued(): IssuedCertificate[]
  saveIssued(certificate: IssuedCertificate): void
}

/**
 * The private part of a mesh: its authority's keys, the invites, and the member log at its source. Several processes of
 * one user may use it at once.
 */
export interface AuthorityStore {
  /** One at a time over all processes; durable when it returns, undone where `work` throws. */
  transact<T>(work: (records: AuthorityRecords) => T): T
  /** Cheap enough to be asked every second. */
  version(): number
  close(): void
}
