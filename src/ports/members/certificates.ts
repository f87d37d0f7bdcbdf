import type { Signer } from '../system/signer.js'
import type { CaCertificate, MemberRole } from './member.js'

/** A certificate authority with its private key. */
export interface CaKeys extends CaCertificate {
  /** PKCS#8 PEM. */
  readonly privateKey: string
}

export interface CertificateRequest {
  readonly meshId: string
  readonly nodeId: string
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string
  readonly role: MemberRole
  /** UTC milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
}

export interface CertificateIssuer {
  createCa(options: {
    readonly meshName: string
    readonly notBefore: number
    readonly notAfter: number
    /** The authority that it takes over from: who knows that one alone trusts the new one too. */
    readonly signedBy?: CaKeys
  }): Promise<CaKeys>
  /** PEM. */
  issue(ca: CaKeys, request: CertificateRequest): Promise<string>
  /** Signs other texts with the authority's key. */
  signer(ca: CaKeys): Signer
}

/** What a node's certificate says. Nothing of it is believed before the signature is checked. */
export interface CertificateFacts {
  readonly meshId: string
  readonly nodeId: string
  readonly role: MemberRole
  readonly publicKey: string
  readonly notBefore: number
  readonly notAfter: number
  isSignedBy(caPublicKey: string): boolean
}

/** A certificate that came along with a node's own: of an authority, signed by an older one of the mesh. */
export interface IssuerFacts {
  readonly publicKey: string
  isSignedBy(caPublicKey: string): boolean
}

export interface CertificateReader {
  /** PEM or DER; null for what is no certificate of a member of any mesh. */
  read(certificate: string | Uint8Array): CertificateFacts | null
}
