/**
 * A batch of an auction's events as its home wrote them at once: what is stored, sent, chained and signed.
 * The bytes of `body` are never re-made: hashing, storing and sending all use this text.
 */
export interface Commit {
  readonly auctionId: string
  /** Seq of its first event; the opening commit's is 1. */
  readonly firstSeq: number
  /** Seq of its last event. */
  readonly lastSeq: number
  /**
   * JSON text of `{auctionId, firstSeq, prevHash, parties, events, mandates}` (see docs/protocol.md). In the opening
   * commit `auctionId` and `prevHash` are null: the auction's id is made from this commit's hash.
   */
  readonly body: string
  /** SHA-256 of the body's UTF-8 bytes, lower-case hex. */
  readonly hash: string
  /** The author's Ed25519 public key, base64url. */
  readonly signer: string
  /** Ed25519 over the checkpoint text of (auction, lastSeq, hash), base64url. */
  readonly signature: string
}

/** How far a log goes: the seq of its last event and the hash of its last commit. */
export interface Head {
  readonly seq: number
  readonly hash: string
}
