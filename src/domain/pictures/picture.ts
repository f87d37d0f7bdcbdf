import {
  lineProblem,
  MAX_PICTURE_ALT_LENGTH,
  MAX_PICTURE_BYTES,
  MAX_PICTURE_PIXELS,
  MAX_PICTURE_SIDE,
  MAX_PICTURES,
} from '../limits.js'

/**
 * No SVG: it is a program. No AVIF yet: what is about an image and what draws it lie mixed in there, and would take a
 * parser of its own to take apart.
 */
export const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const
export type PictureType = (typeof PICTURE_TYPES)[number]

/**
 * A picture of a lot, as the terms name it. The bytes lie beside the log; whoever has them can prove by their hash that
 * they are what was shown.
 */
export interface Picture {
  /** SHA-256 of the bytes, lower-case hex. */
  readonly hash: string
  readonly bytes: number
  readonly type: PictureType
  /** In pixels, upright: so much room can be kept free for it before it has come. */
  readonly width: number
  readonly height: number
  /** What it shows, for whoever cannot see it; perhaps empty. */
  readonly alt: string
}

export const PICTURE_HASH = /^[0-9a-f]{64}$/
export const TOO_MANY_PICTURES = `must be ${MAX_PICTURES} at most`

/** Every rule that the pictures of a lot break on their own. */
export function pictureProblems(pictures: readonly Picture[]): { field: string; rule: string }[] {
  if (pictures.length > MAX_PICTURES) return [{ field: 'pictures', rule: TOO_MANY_PICTURES }]
  const seen = new Set<string>()
  return pictures.flatMap((picture, i) => {
    const rule = ruleBroken(picture) ?? (seen.has(picture.hash) ? 'is there twice' : null)
    seen.add(picture.hash)
    return rule === null ? [] : [{ field: `pictures.${i}`, rule }]
  })
}

function ruleBroken({ hash, bytes, type, width, height, alt }: Picture): string | null {
  if (!PICTURE_HASH.test(hash)) return 'must be named by its SHA-256 in lower-case hex'
  if (!PICTURE_TYPES.includes(type)) return `must be of ${PICTURE_TYPES.join(', ')}`
  if (!isWithin(bytes, MAX_PICTURE_BYTES)) return `must have 1 to ${MAX_PICTURE_BYTES} bytes`
  if (!isWithin(width, MAX_PICTURE_SIDE) || !isWithin(height, MAX_PICTURE_SIDE) || width * height > MAX_PICTURE_PIXELS)
    return `must be at most ${MAX_PICTURE_SIDE} pixels a side and ${MAX_PICTURE_PIXELS} in all`
  const problem = lineProblem(alt, MAX_PICTURE_ALT_LENGTH)
  return problem === null ? null : `its alt text ${problem}`
}

function isWithin(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= most
}
