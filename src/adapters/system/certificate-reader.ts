import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { NODE_ID } from '../../application/log/ids.js'
import type { CertificateFacts, CertificateReader, IssuerFacts } from '../../ports/members/certificates.js'
import { MEMBER_ROLES, type MemberRole } from '../../ports/members/member.js'

/** The one name in a member's certificate: mesh, node and role. */
const SAN = /^URI:vendue:\/\/(mesh_[0-9a-hjkmnp-tv-z]{26})\/(node_[0-9a-hjkmnp-tv-z]{26})\/([a-z]{1,16})$/
const MAX_CERTIFICATE_BYTES = 8_192

export function memberUri(meshId: string, nodeId: string, role: MemberRole): string {
  return `vendue://${meshId}/${nodeId}/${role}`
}

/** SHA-256 of an authority's public key (SPKI, DER), base64url: the same for each certificate of that key. */
export function fingerprintOf(certificate: string | Uint8Array): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('base64url')
}

/** Null if this is no certificate of an authority. */
export function issuerFactsOf(certificate: X509Certificate): IssuerFacts | null {
  const publicKey = certificate.ca ? rawKeyOf(certificate.publicKey) : null
  return publicKey === null ? null : { publicKey, isSignedBy: (ca) => isSignedBy(certificate, ca) }
}

/** Reads members' certificates with node's own X.509. */
export class NodeCertificateReader implements CertificateReader {
  read(certificate: string | Uint8Array): CertificateFacts | null {
    if (certificate.length > MAX_CERTIFICATE_BYTES) return null
    let parsed: X509Certificate
    try {
      parsed = new X509Certificate(certificate)
    } catch {
      // Not a certificate: null.
      return null
    }
    return factsOf(parsed)
  }
}

export function factsOf(certificate: X509Certificate): CertificateFacts | null {
  const [, meshId, nodeId, role] = SAN.exec(certificate.subjectAltName ?? '') ?? []
  const publicKey = rawKeyOf(certificate.publicKey)
  if (!meshId || !nodeId || !NODE_ID.test(nodeId) || publicKey === null || certificate.ca) return null
  if (!(MEMBER_ROLES as readonly string[]).includes(role ?? '')) return null
  return {
    meshId,
    nodeId,
    role: role as MemberRole,
    publicKey,
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    isSignedBy: (ca) => isSignedBy(certificate, ca),
  }
}

function isSignedBy(certificate: X509Certificate, caPublicKey: string): boolean {
  try {
    return certificate.verify(createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: caPublicKey }, format: 'jwk' }))
  } catch {
    // A key or signature of another kind is not that authority's.
    return false
  }
}

function rawKeyOf(key: KeyObject): string | null {
  return key.asymmetricKeyType === 'ed25519' ? (key.export({ format: 'jwk' }).x ?? null) : null
}
