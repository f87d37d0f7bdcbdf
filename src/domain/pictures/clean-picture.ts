import { MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE } from '../limits.js'
import { cleanJpeg } from './jpeg.js'
import type { PictureType } from './picture.js'
import { type CleanedFile, latin, PictureProblem, startsWith } from './picture-bytes.js'
import { cleanPng, PNG_SIGNATURE } from './png.js'
import { cleanWebp } from './webp.js'

/** A picture as it may be shown and passed on: what draws it, and nothing else. */
export interface CleanPicture {
  readonly bytes: Uint8Array
  readonly type: PictureType
  /** In pixels, upright. */
  readonly width: number
  readonly height: number
  /** What was left out: "EXIF", "a colour profile". Empty: it was clean already, and `bytes` are the same. */
  readonly removed: readonly string[]
}

export type Cleaned =
  | { readonly ok: true; readonly picture: CleanPicture }
  | { readonly ok: false; readonly rule: string; readonly next: string }

/**
 * Reads a file's structure and writes it anew with what draws the image: places, times, names, serial numbers and
 * thumbnails are in none of its parts. Pixels are not decoded, so nothing that a stranger has compressed is unpacked
 * here, and nothing is lost. What it writes, it leaves as it is: whoever gets a picture can check that nothing else is
 * in it.
 */
export function cleanPicture(bytes: Uint8Array): Cleaned {
  try {
    return { ok: true, picture: cleaned(bytes) }
  } catch (error) {
    if (error instanceof PictureProblem) return { ok: false, rule: error.rule, next: error.next }
    throw error
  }
}

/** By its first bytes; null: of none that are taken. */
export function pictureTypeOf(bytes: Uint8Array): PictureType | null {
  return formatOf(bytes)?.type ?? null
}

/** Why these bytes may not be shown as a picture; null: they may. What is not clean is none of ours. */
export function pictureFault(bytes: Uint8Array): string | null {
  const result = cleanPicture(bytes)
  if (!result.ok) return result.rule
  const { removed, bytes: clean } = result.picture
  if (removed.length > 0) return `holds ${removed.join(', ')}`
  return clean.length === bytes.length && clean.every((byte, i) => byte === bytes[i])
    ? null
    : 'is not written as it should be'
}

function cleaned(bytes: Uint8Array): CleanPicture {
  if (bytes.length > 8 * MAX_PICTURE_BYTES) throw tooLarge(bytes.length)
  const format = formatOf(bytes)
  if (format === null) throw new PictureProblem('is no JPEG, PNG or WebP', 'save it as one of these')
  const file = format.clean(bytes)
  if (file.bytes.length > MAX_PICTURE_BYTES) throw tooLarge(file.bytes.length)
  checkSize(file)
  return { type: format.type, ...file }
}

interface Format {
  readonly type: PictureType
  readonly clean: (bytes: Uint8Array) => CleanedFile
}

function formatOf(bytes: Uint8Array): Format | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return { type: 'image/jpeg', clean: cleanJpeg }
  if (PNG_SIGNATURE.every((byte, i) => bytes[i] === byte)) return { type: 'image/png', clean: cleanPng }
  if (startsWith(bytes, 'RIFF') && latin(bytes, 8, 4) === 'WEBP') return { type: 'image/webp', clean: cleanWebp }
  return null
}

function checkSize({ width, height }: CleanedFile): void {
  if (width < 1 || height < 1) throw new PictureProblem('has no width or no height', 'give another picture')
  if (width <= MAX_PICTURE_SIDE && height <= MAX_PICTURE_SIDE && width * height <= MAX_PICTURE_PIXELS) return
  const pixels = MAX_PICTURE_PIXELS / 1_000_000
  throw new PictureProblem(
    `is ${width} by ${height} pixels; at most ${MAX_PICTURE_SIDE} a side and ${pixels} million in all are taken`,
    'make it smaller: 2048 pixels a side are plenty',
  )
}

function tooLarge(length: number): PictureProblem {
  return new PictureProblem(
    `has ${length} bytes; at most ${MAX_PICTURE_BYTES} are taken`,
    'make it smaller: 2048 pixels a side are plenty',
  )
}
