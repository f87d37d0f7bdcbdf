import type { Commit, Head } from '../../domain/commit.js'

/** How far a node's copy of an auction's log goes, durably. */
export interface StoredHead {
  readonly auctionId: string
  readonly seq: number
}

/** An auction's commits from the one that holds `fromSeq` on. */
export interface PullWant {
  readonly auctionId: string
  readonly fromSeq: number
}

export interface PulledPage {
  readonly auctionId: string
  readonly commits: readonly Commit[]
  /** Where the peer's log of the auction ends; null where it has none. */
  readonly head: Head | null
}

/** A picture of a lot, from this byte on. */
export interface PictureWant {
  readonly hash: string
  readonly offset: number
}

export interface PulledPicture {
  /** Of the whole picture. */
  readonly bytes: number
  /** Base64. */
  readonly piece: string
}

/** The sum of the heads of all auctions whose ids begin with `prefix` (see application/replication/heads-digest.ts). */
export interface DigestPart {
  readonly prefix: string
  /** The heads' hashes, added without carry; lower-case hex. */
  readonly sum: string
}

export interface HeadRange {
  /** Empty: all auctions. */
  readonly prefix: string
  /** From after this id on; null: from the start. */
  readonly afterId: string | null
}
