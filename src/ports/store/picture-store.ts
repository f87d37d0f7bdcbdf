/**
 * Why a picture is kept. `new`: somebody has added it, and no auction names it yet; `own`: an auction does whose home
 * this node is; `copy`: an auction of another home does.
 */
export const PICTURE_KINDS = ['copy', 'new', 'own'] as const
export type PictureKind = (typeof PICTURE_KINDS)[number]

/** Bytes on disk, and what there is room for. */
export interface PictureUsage {
  /** Of this node's auctions, and added for them. */
  readonly ownBytes: number
  readonly ownLimit: number
  /** Of others'; dropped where there is no room, the least recently used first. */
  readonly copyBytes: number
  readonly copyLimit: number
}

/**
 * The bytes of pictures, by their SHA-256 in lower-case hex; a name of another form is refused with a `RangeError`.
 * Lies beside the log, and can be lost without it.
 */
export interface PictureStore {
  /**
   * Keeps a picture whose hash the caller has checked.
   *
   * - One that is here stays; it becomes of this kind where that is worth more (own, then new, then copy).
   * - New and own ones are durable when it resolves.
   * - A copy makes room by dropping others that have not been used for longest; false where it has none at all.
   * - Rejects with `PictureRoomError` where new and own ones fill their room, and with DISK_FULL where the disk is
   *   full.
   */
  put(hash: string, bytes: Uint8Array, kind: PictureKind): Promise<boolean>
  /**
   * Null where it is not here. One whose bytes are not of this hash any more is dropped, and not here. Counts as use.
   */
  get(hash: string): Promise<Uint8Array | null>
  kindOf(hash: string): PictureKind | null
  /** False where it is not here. `own` and `new` are durable when it resolves. */
  move(hash: string, kind: PictureKind): Promise<boolean>
  drop(hash: string): Promise<void>
  /** Those of a kind, with the time (UTC milliseconds) of their last use, longest ago first. */
  list(kind: PictureKind): { readonly hash: string; readonly usedAt: number }[]
  usage(): PictureUsage
}

/** There is no room for a picture of this node's own. */
export class PictureRoomError extends Error {
  readonly code = 'PICTURES_FULL'
  constructor(
    readonly needed: number,
    readonly usage: PictureUsage,
  ) {
    super(`${needed} bytes are needed, and ${usage.ownBytes} of ${usage.ownLimit} are taken`)
    this.name = 'PictureRoomError'
  }
}
