import type { X509Certificate } from 'node:crypto'
import { createSecureContext, type TLSSocket } from 'node:tls'
import { nodeIdOf } from '../../../application/log/ids.js'
import type { Admission } from '../../../application/members/peer-gate.js'
import type { CertificateFacts } from '../../../ports/members/certificates.js'
import { factsOf, fingerprintOf } from '../../system/certificate-reader.js'
import { type ClientTls, chainOf } from './mesh-tls.js'

/** For somebody who is no member and knows which node it must be: by its id, which is the hash of its key. */
export function tlsToNode(nodeId: string): ClientTls {
  return pinned(null, (facts) =>
    facts.nodeId === nodeId && nodeIdOf(facts.publicKey) === nodeId
      ? null
      : `what answers there is not ${nodeId}, which is expected there`,
  )
}

/**
 * For somebody who is to become a member: of the mesh in the token, under the authority that the token names. With
 * `own`, what the authority has just made of him.
 */
export function tlsToMesh(
  { meshId, caFingerprint }: { meshId: string; caFingerprint: string },
  own: OwnCertificate | null = null,
): ClientTls {
  return pinned(own, (facts, issuers) => {
    const issuer = issuers[0]
    if (!issuer || fingerprintOf(issuer.raw) !== caFingerprint) {
      return 'what answers there is not of the authority that the token names'
    }
    const ca = issuer.publicKey.export({ format: 'jwk' }).x ?? ''
    const now = Date.now()
    const isMember =
      facts.meshId === meshId &&
      facts.isSignedBy(ca) &&
      nodeIdOf(facts.publicKey) === facts.nodeId &&
      facts.notBefore <= now &&
      now < facts.notAfter
    return isMember ? null : 'what answers there is no member of the mesh'
  })
}

export interface OwnCertificate {
  /** PEM. */
  readonly certificate: string
  readonly privateKey: string
}

/** Shows `own`, or nothing; `refuse` says what is wrong with the other side's certificate, if anything. */
function pinned(
  own: OwnCertificate | null,
  refuse: (facts: CertificateFacts, issuers: readonly X509Certificate[]) => string | null,
): ClientTls {
  const shown = own && { cert: own.certificate, key: own.privateKey }
  const secureContext = createSecureContext({ minVersion: 'TLSv1.3', ...shown })
  // Once for each connection.
  const seen = new WeakMap<TLSSocket, Admission>()
  return {
    connectOptions: () => ({ secureContext, rejectUnauthorized: false, maxCachedSessions: 0 }),
    identify(socket): Admission {
      const known = seen.get(socket)
      if (known) return known
      const [certificate, ...issuers] = chainOf(socket)
      const facts = certificate ? factsOf(certificate) : null
      const message = facts ? refuse(facts, issuers) : "what answers there shows no member's certificate"
      if (facts === null || message !== null) {
        return { ok: false, code: 'NOT_A_MEMBER', message: message ?? '' }
      }
      const { nodeId, role, notAfter } = facts
      const admission: Admission = { ok: true, nodeId, role, notAfter, signedBy: null }
      seen.set(socket, admission)
      return admission
    },
  }
}
