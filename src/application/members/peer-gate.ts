import type { CertificateFacts, IssuerFacts } from '../../ports/members/certificates.js'
import type { MemberRole } from '../../ports/members/member.js'
import type { Clock } from '../../ports/system/clock.js'
import { nodeIdOf } from '../log/ids.js'
import type { MemberList } from './member-list.js'

export type Admission =
  | {
      readonly ok: true
      readonly nodeId: string
      readonly role: MemberRole
      /** UTC milliseconds; the admission ends with the certificate. */
      readonly notAfter: number
    }
  | {
      readonly ok: false
      readonly code: 'NOT_A_MEMBER' | 'MEMBER_REVOKED' | 'CERTIFICATE_EXPIRED'
      readonly message: string
    }

export interface PeerGateDeps {
  readonly clock: Clock
  readonly memberList: Pick<MemberList, 'meshId' | 'cas' | 'isRevoked'>
}

const MAX_ISSUERS = 4
const EXPIRED: Admission = {
  ...{ ok: false, code: 'CERTIFICATE_EXPIRED', message: 'this certificate has expired' },
}
const REVOKED: Admission = {
  ...{ ok: false, code: 'MEMBER_REVOKED', message: 'this node has been put out of the mesh' },
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
    if (!this.#trusted(issuers).some((publicKey) => facts.isSignedBy(publicKey))) {
      return outsider('this certificate is not of an authority of this mesh')
    }
    if (nodeIdOf(facts.publicKey) !== facts.nodeId) return outsider('the node id is not that of the key')
    const now = clock.now()
    if (now >= facts.notAfter) return EXPIRED
    if (now < facts.notBefore) return outsider('this certificate is not yet good')
    const { nodeId, role, notAfter } = facts
    return this.recheck({ ok: true, nodeId, role, notAfter })
  }

  /** Known authorities, and those that one of them has signed: this node may not have heard of a new one yet. */
  #trusted(issuers: readonly IssuerFacts[]): string[] {
    const trusted = this.#deps.memberList.cas.map(({ publicKey }) => publicKey)
    // Oldest last in a chain.
    for (const issuer of issuers.slice(0, MAX_ISSUERS).reverse()) {
      if (trusted.some((publicKey) => issuer.isSignedBy(publicKey))) trusted.push(issuer.publicKey)
    }
    return trusted
  }

  /** Asked for each call, since a connection may last longer than the membership. */
  recheck(admission: Admission): Admission {
    if (!admission.ok) return admission
    if (this.#deps.clock.now() >= admission.notAfter) return EXPIRED
    return this.#deps.memberList.isRevoked(admission.nodeId) ? REVOKED : admission
  }
}
