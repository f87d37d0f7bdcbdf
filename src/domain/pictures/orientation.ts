/**
 * How a picture has to be turned and mirrored to be upright, as EXIF has it: 1 to 8. It is all that is kept of a
 * camera's notes, since without it the picture lies on its side; and turning the pixels would mean to decode them.
 */
export type Orientation = number

const TAG = 0x0112
const SHORT = 3
const MAX_ENTRIES = 1_000

/** Of EXIF data, from its TIFF header on. 1 where it says nothing, or nothing that makes sense. */
export function orientationOf(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength)
  try {
    const order = view.getUint16(0)
    if (order !== LITTLE && order !== BIG) return 1
    const little = order === LITTLE
    const directory = view.getUint32(4, little)
    const count = Math.min(view.getUint16(directory, little), MAX_ENTRIES)
    for (let i = 0; i < count; i++) {
      const entry = directory + 2 + i * 12
      if (view.getUint16(entry, little) !== TAG) continue
      const value = view.getUint16(entry + 8, little)
      return view.getUint16(entry + 2, little) === SHORT && value >= 1 && value <= 8 ? value : 1
    }
    return 1
  } catch {
    return 1
  }
}

const LITTLE = 0x4949
const BIG = 0x4d4d

/** EXIF data that says this and nothing else, byte by byte always the same. */
export function orientationTiff(orientation: Orientation): Uint8Array {
  const header = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8]
  const entry = [TAG >> 8, TAG & 0xff, 0, SHORT, 0, 0, 0, 1, 0, orientation, 0, 0]
  return Uint8Array.from([...header, 0, 1, ...entry, 0, 0, 0, 0])
}

/** Width and height once it is upright. */
export function upright<T extends { readonly width: number; readonly height: number }>(
  size: T,
  orientation: Orientation,
): { readonly width: number; readonly height: number } {
  const { width, height } = size
  return orientation >= 5 ? { width: height, height: width } : { width, height }
}
