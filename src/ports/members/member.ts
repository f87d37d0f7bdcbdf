/**
 * What a member may do: `node` homes auctions, `replica` reads and verifies, `gateway` acts for its accounts too, and
 * `operator` is a command line that operates nodes of other machines.
 */
export const MEMBER_ROLES = ['node', 'replica', 'gateway', 'operator'] as const
export type MemberRole = (typeof MEMBER_ROLES)[number]

export interface Member {
  readonly nodeId: string
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string
  readonly name: string
  readonly role: MemberRole
  /** Where it serves RPC, "host:port", as far as that is fixed. */
  readonly addresses: readonly string[]
}

/** A certificate authority of the mesh, without its private key. */
export interface CaCertificate {
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string
  /** PEM. */
  readonly certificate: string
}

export type MemberEvent =
  /** The first of each log. */
  | { readonly type: 'MeshFounded'; readonly name: string; readonly ca: CaCertificate }
  /** Also where something about a member changes. */
  | ({ readonly type: 'MemberAdded' } & Member)
  | { readonly type: 'MemberRevoked'; readonly nodeId: string }
  /** From here on the new authority signs; the old ones are trusted until they are retired. */
  | { readonly type: 'CaRotated'; readonly ca: CaCertificate }
  | { readonly type: 'CaRetired'; readonly publicKey: string }

/** One entry of the member log as it is stored and sent. */
export interface MemberLogEntry {
  /** JSON text of `{meshId, seq, prevHash, at, event}`: what is hashed, as it is. */
  readonly body: string
  /** SHA-256 of the body, lower-case hex. */
  readonly hash: string
  /** The authority's signature over mesh, seq and hash; base64url. */
  readonly signature: string
}
