import { orientationOf, orientationTiff, upright } from './orientation.js'
import {
  type CleanedFile,
  cutOff,
  damaged,
  joined,
  latin,
  ofLatin,
  PictureProblem,
  uint24Little,
  uint32Little,
} from './picture-bytes.js'

const HEADER_LENGTH = 12
const ALPHA_FLAG = 0x10
const EXIF_FLAG = 0x08

interface Image {
  readonly type: 'VP8 ' | 'VP8L'
  readonly content: Uint8Array
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
}

/** A WebP with what draws it, and nothing else. */
export function cleanWebp(bytes: Uint8Array): CleanedFile {
  const end = 8 + uint32Little(bytes, 4)
  if (end > bytes.length) throw cutOff()
  const removed = new Set<string>()
  let image: Image | null = null
  let alpha: Uint8Array | null = null
  let orientation = 1
  let at = HEADER_LENGTH
  while (at < end) {
    const type = latin(bytes, at, 4)
    const length = uint32Little(bytes, at + 4)
    if (at + 8 + length > end) throw cutOff()
    const content = bytes.subarray(at + 8, at + 8 + length)
    at += 8 + length + (length % 2)
    if (type === 'ANIM' || type === 'ANMF')
      throw new PictureProblem('moves; a lot is shown by still pictures', 'save one of its frames as a picture')
    if (type === 'VP8 ' || type === 'VP8L') {
      if (image !== null) throw damaged('it holds two images')
      image = type === 'VP8 ' ? lossy(content) : lossless(content)
    } else if (type === 'ALPH' && alpha === null && image === null) alpha = content
    else if (type === 'EXIF') {
      orientation = orientationOf(content)
      if (!isCanonical(content, orientation)) removed.add('EXIF')
    } else if (type !== 'VP8X') removed.add(nameOf(type))
  }
  if (image === null) throw damaged('it holds no image')
  if (end < bytes.length) removed.add('data behind its end')
  const chunks = chunksOf(image, image.type === 'VP8 ' ? alpha : null, orientation)
  const content = joined([ofLatin('WEBP'), ...chunks])
  const clean = joined([ofLatin('RIFF'), littleEndian(content.length), content])
  return { bytes: clean, ...upright(image, orientation), removed: [...removed] }
}

/** The header of many features stands first where there is more than the image. */
function chunksOf(image: Image, alpha: Uint8Array | null, orientation: number): Uint8Array[] {
  const { type, content, width, height } = image
  const own = chunkOf(type, content)
  if (alpha === null && orientation === 1) return [own]
  const flags = (alpha !== null || image.hasAlpha ? ALPHA_FLAG : 0) | (orientation > 1 ? EXIF_FLAG : 0)
  const extended = Uint8Array.of(flags, 0, 0, 0, ...littleEndian24(width - 1), ...littleEndian24(height - 1))
  return [
    chunkOf('VP8X', extended),
    ...(alpha ? [chunkOf('ALPH', alpha)] : []),
    own,
    ...(orientation > 1 ? [chunkOf('EXIF', orientationTiff(orientation))] : []),
  ]
}

function isCanonical(content: Uint8Array, orientation: number): boolean {
  const canonical = orientationTiff(orientation)
  return orientation > 1 && content.length === canonical.length && content.every((byte, i) => byte === canonical[i])
}

function lossy(content: Uint8Array): Image {
  const isKeyFrame = ((content[0] ?? 1) & 1) === 0
  if (!isKeyFrame || uint24Little(content, 3) !== 0x2a019d) throw damaged('its frame is not as it should be')
  const size = uint32Little(content, 6)
  return { type: 'VP8 ', content, width: size & 0x3fff, height: (size >>> 16) & 0x3fff, hasAlpha: false }
}

function lossless(content: Uint8Array): Image {
  const head = uint32Little(content, 1)
  if (content[0] !== 0x2f || head >>> 29 !== 0) throw damaged('its frame is not as it should be')
  const width = (head & 0x3fff) + 1
  const height = ((head >>> 14) & 0x3fff) + 1
  return { type: 'VP8L', content, width, height, hasAlpha: ((head >>> 28) & 1) === 1 }
}

function nameOf(type: string): string {
  if (type === 'XMP ') return 'XMP'
  if (type === 'ICCP') return 'a colour profile'
  return 'notes of a program'
}

function chunkOf(type: string, content: Uint8Array): Uint8Array {
  const padding = new Uint8Array(content.length % 2)
  return joined([ofLatin(type), littleEndian(content.length), content, padding])
}

function littleEndian(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24)
}

function littleEndian24(value: number): Uint8Array {
  return littleEndian(value).subarray(0, 3)
}
