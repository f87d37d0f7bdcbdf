import type { Json } from '../../../application/gateway/json-shapes.js'
import type { Picture } from '../../../domain/pictures/picture.js'
import type { CheckedPicture } from '../session/picture-files.js'
import type { Look } from './look.js'
import { oneLine } from './terminal-text.js'

/** Below an auction. */
export function pictureLines(pictures: readonly Picture[]): string[] {
  if (pictures.length === 0) return []
  const lines = pictures.map(({ hash, type, width, height, bytes, alt }) => {
    const size = `${type.replace('image/', '')}, ${width} x ${height}, ${bytes.toLocaleString('en')} bytes`
    return `  ${hash}  ${size}${alt === '' ? '' : `: ${oneLine(alt)}`}`
  })
  return ['', 'pictures, by their SHA-256 (`picture HASH --out FILE`)', ...lines]
}

/** What was shown of the lot, as whoever has the files can prove. */
export function pictureFacts(pictures: readonly Picture[]): [string, string][] {
  return pictures.map(({ hash, type, width, height }, i) => [
    i === 0 ? (pictures.length === 1 ? 'picture' : 'pictures') : '',
    `SHA-256 ${hash}, ${type}, ${width} x ${height}`,
  ])
}

export function checkedJson({ picture, path, fault }: CheckedPicture): Json {
  return { hash: picture.hash, file: path, valid: fault === null, fault }
}

/** How files fare beside the terms. */
export function shownLines(shown: readonly CheckedPicture[], { paint }: Look): string[] {
  const faulty = shown.filter(({ fault }) => fault !== null)
  if (shown.length === 0) return ['  the lot was shown without pictures']
  if (faulty.length === 0)
    return [
      `  ${shown.length} picture${shown.length === 1 ? ' is' : 's are'} what was shown: their bytes have the hashes of the terms`,
    ]
  return faulty.map(({ path, fault }) => `  ${paint.bad('picture')} ${oneLine(path)} ${oneLine(fault ?? '')}`)
}
