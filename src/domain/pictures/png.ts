import { orientationOf, orientationTiff, upright } from './orientation.js'
import { type CleanedFile, cutOff, damaged, joined, latin, ofLatin, uint32, unsupported } from './picture-bytes.js'

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** What draws the image; of those with a length of their own, that. `null`: any. */
const KEPT: ReadonlyMap<string, number | null> = new Map([
  ['IHDR', 13],
  ['PLTE', null],
  ['IDAT', null],
  ['IEND', 0],
  ['tRNS', null],
  ['gAMA', 4],
  ['cHRM', 32],
  ['sRGB', 1],
  ['cICP', 4],
])
const MAX_PALETTE_BYTES = 768
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}

/**
 * A PNG with what draws its first image, and nothing else: no text, no profile, no time, no animation, nothing behind
 * its end.
 */
export function cleanPng(bytes: Uint8Array): CleanedFile {
  const kept: Uint8Array[] = []
  const removed = new Set<string>()
  let size: { width: number; height: number } | null = null
  let orientation = 1
  let hasImage = false
  let at = PNG_SIGNATURE.length
  for (;;) {
    const length = uint32(bytes, at)
    const type = latin(bytes, at + 4, 4)
    const end = at + 12 + length
    if (end > bytes.length) throw cutOff()
    const chunk = bytes.subarray(at, end)
    const content = bytes.subarray(at + 8, end - 4)
    at = end
    if ((size === null) !== (type === 'IHDR')) throw damaged('its header is not as it should be')
    if (type === 'IHDR') size = headerOf(content)
    if (type === 'eXIf') orientation = orientationOf(content)
    if (!KEPT.has(type)) {
      requireOptional(type)
      if (type !== 'eXIf' || !isCanonical(content, orientation)) removed.add(nameOf(type))
      continue
    }
    requireSound(type, chunk, content)
    hasImage ||= type === 'IDAT'
    kept.push(chunk)
    if (type === 'IEND') break
  }
  if (size === null || !hasImage) throw damaged('it holds no image')
  if (at < bytes.length) removed.add('data behind its end')
  const [header, ...rest] = kept as [Uint8Array, ...Uint8Array[]]
  const turned = orientation > 1 ? [chunkOf('eXIf', orientationTiff(orientation))] : []
  const clean = joined([PNG_SIGNATURE, header, ...turned, ...rest])
  return { bytes: clean, ...upright(size, orientation), removed: [...removed] }
}

function headerOf(content: Uint8Array): { width: number; height: number } {
  const [depth, colour, compression, filter, interlace] = content.subarray(8, 13)
  const isKnown =
    DEPTHS[colour ?? -1]?.includes(depth ?? -1) && compression === 0 && filter === 0 && (interlace ?? 2) < 2
  if (content.length !== 13 || !isKnown) throw damaged('its header is not as it should be')
  return { width: uint32(content, 0), height: uint32(content, 4) }
}

function isCanonical(content: Uint8Array, orientation: number): boolean {
  const canonical = orientationTiff(orientation)
  return orientation > 1 && content.length === canonical.length && content.every((byte, i) => byte === canonical[i])
}

/** A chunk whose name begins with a capital cannot be left out. */
function requireOptional(type: string): void {
  if (!/^[A-Za-z]{4}$/.test(type)) throw damaged('a chunk has no name')
  if (/^[A-Z]/.test(type)) throw unsupported(`is a PNG with a chunk ${type}`)
}

function requireSound(type: string, chunk: Uint8Array, content: Uint8Array): void {
  const wanted = KEPT.get(type) ?? content.length
  const tooLong = (type === 'PLTE' || type === 'tRNS') && content.length > MAX_PALETTE_BYTES
  if (content.length !== wanted || tooLong) throw damaged(`its chunk ${type} has ${content.length} bytes`)
  const sum = uint32(chunk, chunk.length - 4)
  if (crc32(chunk.subarray(4, chunk.length - 4)) !== sum) throw damaged(`the check sum of its chunk ${type} is wrong`)
}

function nameOf(type: string): string {
  if (type === 'eXIf') return 'EXIF'
  if (type === 'iCCP') return 'a colour profile'
  if (type === 'tEXt' || type === 'zTXt' || type === 'iTXt') return 'text'
  if (type === 'acTL' || type === 'fcTL' || type === 'fdAT') return 'an animation'
  return 'notes of a program'
}

function chunkOf(type: string, content: Uint8Array): Uint8Array {
  const named = joined([ofLatin(type), content])
  return joined([bigEndian(content.length), named, bigEndian(crc32(named))])
}

function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  return value
})

/** As in zlib, which browsers do not have. */
function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of bytes) sum = (CRC_TABLE[(sum ^ byte) & 0xff] as number) ^ (sum >>> 8)
  return (sum ^ 0xffffffff) >>> 0
}
