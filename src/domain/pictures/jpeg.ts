import { orientationOf, orientationTiff, upright } from './orientation.js'
import { type CleanedFile, cutOff, damaged, joined, ofLatin, startsWith, uint16, unsupported } from './picture-bytes.js'

const SOI = Uint8Array.of(0xff, 0xd8)
const EOI = Uint8Array.of(0xff, 0xd9)
/** Baseline, extended and progressive: what every browser shows. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2])
const DHT = 0xc4
const DQT = 0xdb
const DRI = 0xdd
const SOS = 0xda
const COM = 0xfe
const APP0 = 0xe0
const APP1 = 0xe1
const APP2 = 0xe2
const APP13 = 0xed
const APP14 = 0xee
const APP15 = 0xef
const EXIF = 'Exif\0\0'
const JFIF_LENGTH = 14
const ADOBE_LENGTH = 12

interface Draft {
  jfif: Uint8Array | null
  adobe: Uint8Array | null
  orientation: number
  size: { readonly width: number; readonly height: number } | null
  /** Tables, frame and scans, in their order. */
  readonly image: Uint8Array[]
  readonly removed: Set<string>
  hasScan: boolean
}

/**
 * A JPEG with what draws it, and nothing else: no notes of the camera, no comments, no thumbnail, nothing behind its
 * end.
 */
export function cleanJpeg(bytes: Uint8Array): CleanedFile {
  const draft: Draft = {
    jfif: null,
    adobe: null,
    orientation: 1,
    size: null,
    image: [],
    removed: new Set(),
    hasScan: false,
  }
  let at = SOI.length
  for (;;) {
    const marker = markerAt(bytes, at)
    at = marker.after
    if (marker.code === 0xd9) break
    const length = uint16(bytes, at)
    if (length < 2) throw damaged(`the segment at byte ${at} has no length`)
    if (at + length > bytes.length) throw cutOff()
    const content = bytes.subarray(at + 2, at + length)
    at += length
    take(draft, marker.code, content)
    if (marker.code !== SOS) continue
    const end = endOfScan(bytes, at)
    draft.image.push(bytes.subarray(at, end))
    at = end
  }
  const { jfif, adobe, orientation, size, image, removed } = draft
  if (size === null || !draft.hasScan) throw damaged('it holds no image')
  if (at < bytes.length) removed.add('data behind its end')
  const parts = [SOI, ...(jfif ? [jfif] : []), ...(orientation > 1 ? [exifOf(orientation)] : [])]
  const clean = joined([...parts, ...(adobe ? [adobe] : []), ...image, EOI])
  return { bytes: clean, ...upright(size, orientation), removed: [...removed] }
}

/** Any number of 0xff may stand before a marker's code. */
function markerAt(bytes: Uint8Array, start: number): { code: number; after: number } {
  let at = start
  if (at >= bytes.length) throw cutOff()
  if (bytes[at] !== 0xff) throw damaged(`there is no marker at byte ${at}`)
  while (bytes[at] === 0xff) at += 1
  const code = bytes[at]
  if (code === undefined) throw cutOff()
  return { code, after: at + 1 }
}

/** Where the next marker stands that is none of the scan's own. */
function endOfScan(bytes: Uint8Array, start: number): number {
  let at = start
  for (;;) {
    at = bytes.indexOf(0xff, at)
    const code = at < 0 ? undefined : bytes[at + 1]
    if (code === undefined) throw cutOff()
    const isStuffed = code === 0
    const isRestart = code >= 0xd0 && code <= 0xd7
    if (!isStuffed && !isRestart) return at
    at += 2
  }
}

function take(draft: Draft, code: number, content: Uint8Array): void {
  if (code === COM || (code >= APP0 && code <= APP15)) {
    note(draft, code, content)
    return
  }
  if (FRAMES.has(code)) frame(draft, content)
  else if (code === SOS) scan(draft, content)
  else if (!TABLES.has(code)) throw unsupported(`is a JPEG with a segment of kind 0x${code.toString(16)}`)
  else if (TABLES.get(code)?.(content) !== true) throw damaged('a table is not as it should be')
  draft.image.push(segment(code, content))
}

/** Each with what it has to be. */
const TABLES: ReadonlyMap<number, (content: Uint8Array) => boolean> = new Map([
  [DRI, (content) => content.length === 2],
  [DQT, isQuantTables],
  [DHT, isHuffmanTables],
])

function scan(draft: Draft, content: Uint8Array): void {
  const components = content[0] ?? 0
  const isSound = components >= 1 && components <= 4 && content.length === 4 + 2 * components
  if (draft.size === null || !isSound) throw damaged('a scan is not as it should be')
  draft.hasScan = true
}

function frame(draft: Draft, content: Uint8Array): void {
  const components = content[5] ?? 0
  if (draft.size !== null || content.length !== 6 + 3 * components) throw damaged('its frame is not as it should be')
  if (content[0] !== 8) throw unsupported(`is a JPEG of ${content[0]} bits`)
  draft.size = { height: uint16(content, 1), width: uint16(content, 3) }
}

function isQuantTables(content: Uint8Array): boolean {
  let at = 0
  while (at < content.length) at += (content[at] as number) >> 4 === 0 ? 65 : 129
  return at === content.length
}

function isHuffmanTables(content: Uint8Array): boolean {
  let at = 0
  while (at + 17 <= content.length) at += 17 + content.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0)
  return at === content.length
}

/**
 * What is about the image, and no part of it. Of three kinds a part is kept: without it, colours or directions are
 * wrong.
 */
function note(draft: Draft, code: number, content: Uint8Array): void {
  if (code === APP0 && startsWith(content, 'JFIF\0') && content.length >= JFIF_LENGTH) {
    if (content.length > JFIF_LENGTH) draft.removed.add('a thumbnail')
    const fields = content.slice(0, JFIF_LENGTH)
    // The thumbnail's width and height.
    fields.fill(0, 12)
    draft.jfif ??= segment(APP0, fields)
  } else if (code === APP14 && startsWith(content, 'Adobe') && content.length >= ADOBE_LENGTH) {
    draft.adobe ??= segment(APP14, content.slice(0, ADOBE_LENGTH))
  } else if (code === APP1 && startsWith(content, EXIF)) {
    const tiff = content.subarray(EXIF.length)
    const orientation = orientationOf(tiff)
    draft.orientation = orientation
    if (orientation === 1 || !isSame(tiff, orientationTiff(orientation))) draft.removed.add('EXIF')
  } else draft.removed.add(nameOf(code, content))
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function nameOf(code: number, content: Uint8Array): string {
  if (code === COM) return 'a comment'
  if (code === APP1) return 'XMP'
  if (code === APP2 && startsWith(content, 'ICC_PROFILE')) return 'a colour profile'
  if (code === APP13) return 'IPTC'
  return 'notes of a program'
}

function exifOf(orientation: number): Uint8Array {
  return segment(APP1, joined([ofLatin(EXIF), orientationTiff(orientation)]))
}

function segment(code: number, content: Uint8Array): Uint8Array {
  const length = content.length + 2
  return joined([Uint8Array.of(0xff, code, length >> 8, length & 0xff), content])
}
