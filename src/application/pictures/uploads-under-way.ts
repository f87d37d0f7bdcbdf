import { createHash } from 'node:crypto'
import { MAX_PICTURE_BYTES } from '../../domain/limits.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { PictureUpload } from '../../ports/node/node-pictures.js'
import type { Clock } from '../../ports/system/clock.js'

interface Upload {
  readonly pieces: Buffer[]
  /** How much has come. */
  length: number
  /** Monotonic, of the last piece. */
  atMs: number
}

/** In memory until they are whole: together, and of one sender. */
const MAX_UPLOADS = 16
const MAX_UPLOADS_OF_SENDER = 4
/** One whose next piece has not come by then makes room for others. */
const PATIENCE_MS = 30_000
/** Metadata may be most of a file. */
export const MAX_FILE_BYTES = 2 * MAX_PICTURE_BYTES
export const MAX_UPLOAD_PIECE_BYTES = 512 * 1024

/** Files that come in pieces. */
export class UploadsUnderWay {
  readonly #clock: Clock
  readonly #uploads = new Map<string, Upload>()

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
  }

  /** The whole file with its last piece; otherwise where the next piece begins. Rejects with `NodeError`. */
  take(sender: string, { hash, bytes, offset, piece }: PictureUpload): Buffer | number {
    if (bytes > MAX_FILE_BYTES) throw tooLarge(bytes)
    const key = `${sender} ${hash} ${bytes}`
    const known = this.#uploads.get(key)
    // A piece came twice, or what came before was given up: the sender goes on from where this is.
    if (offset !== (known?.length ?? 0)) return known?.length ?? 0
    const upload = known ?? this.#begin(sender, key)
    const content = Buffer.from(piece, 'base64')
    if (content.length === 0 || upload.length + content.length > bytes) {
      this.#uploads.delete(key)
      throw refused('its pieces are not of the size that was said', 'send the file again, from its beginning')
    }
    upload.pieces.push(content)
    upload.length += content.length
    upload.atMs = this.#clock.monotonicMs()
    if (upload.length < bytes) return upload.length
    this.#uploads.delete(key)
    const file = Buffer.concat(upload.pieces)
    if (createHash('sha256').update(file).digest('hex') === hash) return file
    throw refused('what came is not of the hash that was said', 'send the file again, from its beginning')
  }

  #begin(sender: string, key: string): Upload {
    const now = this.#clock.monotonicMs()
    for (const [other, { atMs }] of this.#uploads) if (now - atMs > PATIENCE_MS) this.#uploads.delete(other)
    const own = [...this.#uploads.keys()].filter((other) => other.startsWith(`${sender} `)).length
    if (own >= MAX_UPLOADS_OF_SENDER || this.#uploads.size >= MAX_UPLOADS) {
      const most = own >= MAX_UPLOADS_OF_SENDER ? `${own} of the same sender` : `${this.#uploads.size}`
      throw new NodeError('BUSY', `${most} pictures are being added at once; nothing was done`, {
        next: 'add one after the other, or try again in a moment',
      })
    }
    const upload: Upload = { pieces: [], length: 0, atMs: now }
    this.#uploads.set(key, upload)
    return upload
  }
}

export function refused(rule: string, next: string): NodeError {
  return new NodeError('PICTURE_REFUSED', `the picture ${rule}`, { field: 'picture', next })
}

function tooLarge(bytes: number): NodeError {
  const next = 'make it smaller: 2048 pixels a side are plenty'
  return refused(
    `has ${bytes} bytes; at most ${MAX_FILE_BYTES} are taken, and ${MAX_PICTURE_BYTES} once it is cleaned`,
    next,
  )
}
