import type { CertificateFacts, IssuerFacts } from '../../ports/members/certificates.js'
import type { MemberRole } from '../../ports/members/member.js'
import type { Clock } from '../../ports/system/clock.js'
import { nodeIdOf } from '../log/ids.js'
import type { MemberList } from './member-list.js'

interface SignedBy {
  readonly publicKey: string
  /** Not known from the member log: a known one has signed it, and its certificate came along. */
  readonly isNew: boolean
}

export type Admission =
  | {
      readonly ok: true
      readonly nodeId: string
      readonly role: MemberRole
      /** UTC milliseconds; the admission ends with the certificate. */
      readonly notAfter: number
      /** Which authority signed the certificate; null where nobody asks again. */
      readonly signedBy: SignedBy | null
    }
  | {
      readonly ok: false
      readonly code: 'NOT_A_MEMBER' | 'MEMBER_REVOKED' | 'CERTIFICATE_EXPIRED'
      readonly message: string
    }

export interface PeerGateDeps {
  readonly clock: Clock
  readonly memberList: Pick<MemberList, 'meshId' | 'cas' | 'isRevoked' | 'member'>
}

const MAX_ISSUERS = 4
const EXPIRED: Admission = {
  ok: false,
  code: 'CERTIFICATE_EXPIRED',
  message: 'this certificate has expired',
}
const REPLACED: Admission = {
  ok: false,
  code: 'NOT_A_MEMBER',
  message: 'this certificate is of an authority that has been replaced, and not of a member',
}
const REVOKED: Admission = {
  ok: false,
  code: 'MEMBER_REVOKED',
  message: 'this node has been put out of the mesh',
}

/** Decides who is let in by the certificate that was shown; TLS has made sure that its key is there too. */
export class PeerGate {
  readonly #deps: PeerGateDeps

  constructor(deps: PeerGateDeps) {
    this.#deps = deps
  }

  /** `facts` is null for a certificate of no mesh at all; `issuers` came along with it. */
  admit(facts: CertificateFacts | null, issuers: readonly IssuerFacts[] = []): Admission {
    const { clock, memberList } = this.#deps
    const outsider = (message: string): Admission => ({ ok: false, code: 'NOT_A_MEMBER', message })
    if (facts === null) return outsider("this is no member's certificate")
    if (facts.meshId !== memberList.meshId) return outsider('this certificate is of another mesh')
    const signedBy = this.#trusted(issuers).find(({ publicKey }) => facts.isSignedBy(publicKey))
    if (signedBy === undefined) return outsider('this certificate is not of an authority of this mesh')
    if (nodeIdOf(facts.publicKey) !== facts.nodeId) return outsider('the node id is not that of the key')
    const now = clock.now()
    if (now >= facts.notAfter) return EXPIRED
    if (now < facts.notBefore) return outsider('this certificate is not yet good')
    const { nodeId, role, notAfter } = facts
    return this.recheck({ ok: true, nodeId, role, notAfter, signedBy })
  }

  /**
   * Known authorities, and those that the newest has signed, one by one: this node may not have heard of a new one yet.
   * What an older one signs makes no authority: its key may have been the reason for the new one.
   */
  #trusted(issuers: readonly IssuerFacts[]): SignedBy[] {
    const trusted = this.#deps.memberList.cas.map(({ publicKey }): SignedBy => ({ publicKey, isNew: false }))
    let newest = trusted.at(-1)?.publicKey
    // Oldest last in a chain.
    for (const issuer of issuers.slice(0, MAX_ISSUERS).reverse()) {
      if (newest === undefined || !issuer.isSignedBy(newest)) continue
      newest = issuer.publicKey
      trusted.push({ publicKey: newest, isNew: true })
    }
    return trusted
  }

  /**
   * An authority that no longer signs lets in nobody new: its certificates count only for members, with the role in the
   * list.
   */
  #isStranger({ nodeId, role, signedBy }: Extract<Admission, { ok: true }>): boolean {
    if (signedBy === null) return false
    const { cas } = this.#deps.memberList
    const { publicKey, isNew } = signedBy
    if (publicKey === cas.at(-1)?.publicKey) return false
    if (isNew && cas.every((known) => known.publicKey !== publicKey)) return false
    return this.#deps.memberList.member(nodeId)?.role !== role
  }

  /** Asked for each call, since a connection may last longer than the membership. */
  recheck(admission: Admission): Admission {
    if (!admission.ok) return admission
    if (this.#deps.clock.now() >= admission.notAfter) return EXPIRED
    if (this.#deps.memberList.isRevoked(admission.nodeId)) return REVOKED
    return this.#isStranger(admission) ? REPLACED : admission
  }
}
