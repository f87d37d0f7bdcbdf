/** Long because each of its few methods stands with what it may sign, and with the log that it signs in. */

import type { AuthorityRecords, AuthorityStore } from '../../ports/members/authority-store.js'
import type { CaKeys, CertificateIssuer } from '../../ports/members/certificates.js'
import type { Member, MemberEvent, MemberLogEntry, MemberRole } from '../../ports/members/member.js'
import type { JoinAnswer, JoinRequest, MeshAuthority } from '../../ports/members/mesh-authority.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Random } from '../../ports/system/random.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { SENDER_BUDGETS } from '../budgets/sender-budgets.js'
import { nodeIdOf } from '../log/ids.js'
import { MemberHistory } from './member-history.js'
import { emptyMemberState, isNameTaken, type MemberState, meshIdOf, sealMemberEntry } from './member-log.js'
import { joinText, secretHash } from './mesh-token.js'

export interface AuthorityDeps {
  readonly store: AuthorityStore
  readonly issuer: CertificateIssuer
  readonly verifier: SignatureVerifier
  readonly clock: Clock
  readonly random: Random
}

export interface AuthorityOptions {
  readonly meshName: string
  /** How long a certificate is good for. */
  readonly certificateMs?: number
}

const DAY_MS = 86_400_000
export const CERTIFICATE_MS = 90 * DAY_MS
const CA_MS = 20 * 365 * DAY_MS
/** Clocks differ: a certificate is good from a little before it was made. */
const BACKDATED_MS = 10 * 60_000
const SECRET_BYTES = 32
/** Entries that a member can cause about itself in a day, whichever process it asks, and whenever that was started. */
const MAX_CHANGES_PER_DAY = SENDER_BUDGETS['member-entries'].limit

/** Keeps the member log of a mesh: whoever can open its store is its authority. */
export class Authority implements MeshAuthority {
  readonly #deps: AuthorityDeps
  readonly #certificateMs: number
  /** As far as its store has been read. */
  #history: MemberHistory

  private constructor(deps: AuthorityDeps, options: AuthorityOptions, meshId: string) {
    this.#deps = deps
    this.#certificateMs = options.certificateMs ?? CERTIFICATE_MS
    this.#history = new MemberHistory(deps, { meshId })
    this.#transact(() => {})
  }

  /** Of several processes that find no mesh there, one founds it. */
  static async open(deps: AuthorityDeps, options: AuthorityOptions): Promise<Authority> {
    const { store, issuer, clock } = deps
    if (store.version() === 0) {
      const now = clock.now()
      const { meshName } = options
      const ca = await issuer.createCa({ meshName, notBefore: now - BACKDATED_MS, notAfter: now + CA_MS })
      const { publicKey, certificate } = ca
      const event: MemberEvent = { type: 'MeshFounded', name: meshName, ca: { publicKey, certificate } }
      const state = emptyMemberState(meshIdOf(publicKey))
      const founding = sealMemberEntry(state, event, { at: now, signer: issuer.signer(ca) })
      store.transact((records) => {
        if (records.entries(1).length > 0) return
        records.addCa(ca)
        records.append(1, founding)
      })
    }
    const [first] = store.transact((records) => records.entries(1))
    if (!first) throw new Error('the mesh has no member log')
    const { meshId } = JSON.parse(first.body) as { meshId: string }
    return new Authority(deps, options, meshId)
  }

  get meshId(): string {
    return this.#state.meshId
  }

  get meshName(): string {
    return this.#state.meshName
  }

  get version(): number {
    return this.#deps.store.version()
  }

  /** The certificate that signs now. */
  get ca(): { publicKey: string; certificate: string } {
    this.#refresh()
    const ca = this.#state.cas.at(-1)
    if (!ca) throw new Error('the mesh has no authority')
    return ca
  }

  /** As the log has it now. */
  state(): MemberState {
    this.#refresh()
    return this.#state
  }

  entriesAfter(seq: number): MemberLogEntry[] {
    if (this.#deps.store.version() <= seq) return []
    return this.#deps.store.transact((records) => records.entries(seq + 1))
  }

  learn(entries: readonly MemberLogEntry[]): void {
    this.#transact((records) => {
      for (const entry of entries) if (this.#history.take(entry)) records.append(this.#state.seq, entry)
    })
  }

  /** The secret of a new invite. */
  invite({ role, uses, lifeMs }: { role: MemberRole; uses: number; lifeMs: number }): string {
    const { clock, random, store } = this.#deps
    const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')
    const expiresAt = clock.now() + lifeMs
    store.transact((records) =>
      records.saveInvite({
        secretHash: secretHash(secret),
        role,
        usesLeft: uses,
        usedBy: [],
        expiresAt,
      }),
    )
    return secret
  }

  async join({ secret, publicKey, name, addresses, signature }: JoinRequest): Promise<JoinAnswer> {
    const { store, verifier } = this.#deps
    const nodeId = nodeIdOf(publicKey)
    const { meshId } = this
    if (!verifier.verify(joinText({ meshId, nodeId, secret }), signature, publicKey)) {
      throw new NodeError('FORBIDDEN', 'the signature is not of the key that is to join')
    }
    // Checked before a certificate is made, which takes time; redeemed when there is one.
    const hash = secretHash(secret)
    const { role } = store.transact((records) => this.#goodInvite(records, hash, nodeId))
    const member = { nodeId, publicKey, name, role, addresses }
    const redeem = (records: AuthorityRecords) => {
      const invite = this.#goodInvite(records, hash, nodeId)
      if (invite.usedBy.includes(nodeId)) return
      records.saveInvite({ ...invite, usesLeft: invite.usesLeft - 1, usedBy: [...invite.usedBy, nodeId] })
    }
    return this.#answer(await this.#admit(this.#within(member), { redeem }))
  }

  async renew(nodeId: string, addresses: readonly string[]): Promise<JoinAnswer> {
    this.#refresh()
    const member = this.#state.members.get(nodeId)
    if (member) {
      const certificate = await this.#admit(this.#within({ ...member, addresses }))
      return { certificate, log: [], version: this.#state.seq }
    }
    throw this.#state.revoked.has(nodeId) ? revokedError() : new NodeError('NOT_A_MEMBER', 'no such member')
  }

  async enrol(member: Member): Promise<JoinAnswer> {
    return this.#answer(await this.#admit(member, { isOwn: true }))
  }

  #answer(certificate: string): JoinAnswer {
    const log = this.#history.after(0)
    return { certificate, log, version: log.length }
  }

  /** Throws NOT_A_MEMBER where there is none of that id. */
  revoke(nodeId: string): void {
    this.#transact((records) => {
      if (this.#state.revoked.has(nodeId)) return
      if (!this.#state.members.has(nodeId)) throw new NodeError('NOT_A_MEMBER', 'no such member')
      this.#append(records, { type: 'MemberRevoked', nodeId })
      this.#retire(records)
    })
  }

  /** A new key from now on; the old one stays trusted until no member needs it any more. */
  async rotateCa(): Promise<void> {
    const { clock, issuer, store } = this.#deps
    const now = clock.now()
    const signedBy = store.transact((records) => signingCa(records))
    const ca = await issuer.createCa({
      meshName: this.meshName,
      notBefore: now - BACKDATED_MS,
      notAfter: now + CA_MS,
      signedBy,
    })
    const { publicKey, certificate } = ca
    this.#transact((records) => {
      if (signingCa(records).publicKey !== signedBy.publicKey) {
        throw new NodeError('BUSY', 'another process has just given the mesh a new authority')
      }
      this.#append(records, { type: 'CaRotated', ca: { publicKey, certificate } })
      records.addCa(ca)
      this.#retire(records)
    })
  }

  /** If the member changed too often lately, its known entry stays: it still gets a certificate. */
  #within(member: Member): Member {
    const known = this.#state.members.get(member.nodeId)
    return known !== undefined && this.#changesOften(member.nodeId) ? known : member
  }

  #changesOften(nodeId: string): boolean {
    return this.#history.changesAfter(nodeId, this.#deps.clock.now() - DAY_MS) >= MAX_CHANGES_PER_DAY
  }

  async #admit(
    member: Member,
    { redeem, isOwn = false }: { redeem?: (records: AuthorityRecords) => void; isOwn?: boolean } = {},
  ): Promise<string> {
    const { clock, issuer, store } = this.#deps
    const { nodeId, publicKey, role } = member
    this.#refresh()
    this.#checkNew(member)
    const ca = store.transact((records) => signingCa(records))
    const notAfter = clock.now() + this.#certificateMs
    const notBefore = clock.now() - Math.min(BACKDATED_MS, this.#certificateMs)
    const { meshId } = this
    const certificate = await issuer.issue(ca, { meshId, nodeId, publicKey, role, notBefore, notAfter })
    this.#transact((records) => {
      this.#checkNew(member)
      redeem?.(records)
      if (!isSame(this.#state.members.get(nodeId), member)) {
        // Others may have been asked for meanwhile, while the certificate was made.
        if (!isOwn && this.#changesOften(nodeId))
          throw new NodeError('BUSY', 'this member has changed too often of late; try again')
        this.#append(records, { type: 'MemberAdded', ...member })
      }
      records.saveIssued({ nodeId, ca: ca.publicKey, notAfter })
      this.#retire(records)
    })
    return certificate
  }

  #checkNew(member: Member): void {
    if (this.#state.revoked.has(member.nodeId)) throw revokedError()
    if (!isNameTaken(this.#state, member)) return
    throw new NodeError('NAME_TAKEN', `another member of the mesh is called ${member.name}`, {
      field: 'name',
      next: `take another name (--name), or put the other one out first: \`vendue mesh revoke ${member.name}\``,
    })
  }

  #goodInvite(records: AuthorityRecords, hash: string, nodeId: string) {
    const invite = records.invite(hash)
    const next = 'ask for another with `vendue mesh invite`'
    if (!invite) throw new NodeError('TOKEN_UNKNOWN', 'this mesh has given out no such token', { next })
    if (invite.expiresAt <= this.#deps.clock.now()) {
      throw new NodeError('TOKEN_EXPIRED', 'this token has expired', { next })
    }
    if (invite.usesLeft <= 0 && !invite.usedBy.includes(nodeId)) {
      throw new NodeError('TOKEN_USED', 'this token has been used', { next })
    }
    return invite
  }

  /**
   * Authorities that no longer sign and whose certificates are all replaced or expired, oldest first: each has signed
   * the next, so that a member which slept through several changes gets to the newest only over those in between.
   */
  #retire(records: AuthorityRecords): void {
    const now = this.#deps.clock.now()
    const issued = records.issued()
    const known = new Set(issued.map(({ nodeId }) => nodeId))
    // After a restored backup: nobody knows which authority signed the certificate.
    if ([...this.#state.members.keys()].some((nodeId) => !known.has(nodeId))) return
    const needed = new Set(
      issued.filter(({ nodeId, notAfter }) => notAfter > now && this.#state.members.has(nodeId)).map(({ ca }) => ca),
    )
    for (const { publicKey } of records.cas().slice(0, -1)) {
      if (needed.has(publicKey)) return
      this.#append(records, { type: 'CaRetired', publicKey })
      records.removeCa(publicKey)
    }
  }

  #append(records: AuthorityRecords, event: MemberEvent): void {
    const { clock, issuer } = this.#deps
    const ca = signingCa(records)
    if (ca.publicKey !== this.#state.cas.at(-1)?.publicKey)
      throw new NodeError('NO_AUTHORITY', "this authority does not have the mesh's newest key", {
        next: 'restore a backup of authority.db that was made after the last `vendue mesh rotate-ca`',
      })
    const entry = sealMemberEntry(this.#state, event, { at: clock.now(), signer: issuer.signer(ca) })
    this.#history.take(entry)
    records.append(this.#state.seq, entry)
  }

  get #state(): MemberState {
    return this.#history.state
  }

  #refresh(): void {
    if (this.#deps.store.version() > this.#state.seq) this.#transact(() => {})
  }

  /** Reads first what other processes have written. If `work` throws, nothing of it stays. */
  #transact<T>(work: (records: AuthorityRecords) => T): T {
    try {
      return this.#deps.store.transact((records) => {
        for (const entry of records.entries(this.#state.seq + 1)) this.#history.take(entry)
        return work(records)
      })
    } catch (error) {
      this.#history = new MemberHistory(this.#deps, { meshId: this.#state.meshId })
      throw error
    }
  }
}

function signingCa(records: AuthorityRecords): CaKeys {
  const ca = records.cas().at(-1)
  if (!ca) throw new Error('the mesh has no authority')
  return ca
}

function isSame(known: Member | undefined, member: Member): boolean {
  return (
    known !== undefined &&
    known.name === member.name &&
    known.role === member.role &&
    known.addresses.join() === member.addresses.join()
  )
}

function revokedError(): NodeError {
  return new NodeError('MEMBER_REVOKED', 'this node has been put out of the mesh', {
    next: 'start it with another data directory and join anew, if you are let in',
  })
}
