/** The node's own key. The private half never leaves the adapter. */
export interface Signer {
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string
  /** Ed25519 signature over the text's UTF-8 bytes, base64url. */
  sign(text: string): string
}

export interface SignatureVerifier {
  /** False for a wrong signature as well as for a malformed key or signature; never throws. */
  verify(text: string, signature: string, publicKey: string): boolean
}

export interface BulkVerifier extends SignatureVerifier {
  /** As `verify`, beside the thread that serves; never rejects. One signature alone takes longer this way. */
  verifyBeside(text: string, signature: string, publicKey: string): Promise<boolean>
}
