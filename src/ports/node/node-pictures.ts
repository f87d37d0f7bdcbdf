import type { Picture, PictureType } from '../../domain/pictures/picture.js'
import type { OnBehalf } from './node-requests.js'

/** A file that is added, a piece after the other. */
export interface PictureUpload extends OnBehalf {
  /** SHA-256 of the whole file that is sent, lower-case hex. */
  readonly hash: string
  /** Of the whole file. */
  readonly bytes: number
  readonly offset: number
  /** Base64. */
  readonly piece: string
}

export interface PictureAdded {
  /**
   * As the terms of an auction may name it, once the last piece has come. Its hash is another than that of the file
   * where something was removed.
   */
  readonly picture: KeptPicture | null
  /** Where the next piece begins. */
  readonly next: number
}

export interface KeptPicture extends Omit<Picture, 'alt'> {
  /** What was in the file and is not in the picture: "EXIF", "a colour profile". */
  readonly removed: readonly string[]
}

export interface PicturePiece {
  /** Of the whole picture. */
  readonly bytes: number
  readonly type: PictureType
  /** Base64. */
  readonly piece: string
  /** Where the next piece begins; null at the end. */
  readonly next: number | null
}
