import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addWhole, readWhole } from '../../../application/pictures/picture-transfer.js'
import { MAX_PICTURES } from '../../../domain/limits.js'
import { cleanPicture } from '../../../domain/pictures/clean-picture.js'
import type { Picture, PictureType } from '../../../domain/pictures/picture.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { NamedPicture } from '../../../ports/node/node-requests.js'
import type { Args } from '../parse/args.js'
import { UsageError } from '../parse/usage-error.js'

const ENDINGS: Readonly<Record<PictureType, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
}
/** Nobody means to sell by a film. */
const MAX_READ_BYTES = 64 * 1024 * 1024

export interface PictureFile {
  readonly path: string
  readonly bytes: Uint8Array
  readonly removed: readonly string[]
  readonly alt: string
}

/** The files of --picture, each with its --alt in the same place: cleaned before any of them leaves this machine. */
export function pictureFiles(args: Args): PictureFile[] {
  const paths = args.list('picture')
  const alts = args.list('alt')
  if (alts.length > paths.length)
    throw new UsageError(`there are ${alts.length} --alt, and ${paths.length} --picture`, {
      field: 'alt',
      next: 'give each --picture its --alt, in the same order',
    })
  if (paths.length > MAX_PICTURES)
    throw new UsageError(`a lot has at most ${MAX_PICTURES} pictures, and ${paths.length} are given`, {
      field: 'picture',
      next: 'leave some out',
    })
  return paths.map((path, i) => ({ path, ...cleanFile(path), alt: alts[i] ?? '' }))
}

/** Adds them, in their order. */
export async function addPictures(api: NodeApi, files: readonly PictureFile[]): Promise<NamedPicture[]> {
  const named: NamedPicture[] = []
  for (const { bytes, alt } of files) {
    const { hash } = await addWhole(api, bytes)
    named.push({ hash, ...(alt !== '' && { alt }) })
  }
  return named
}

/** Writes the pictures of an auction into a directory, each under its hash; resolves with those that nobody has now. */
export async function writePictures(api: NodeApi, pictures: readonly Picture[], directory: string): Promise<Picture[]> {
  makeDirectory(directory)
  const missing: Picture[] = []
  for (const picture of pictures) {
    const found = await readWhole(api, picture.hash).catch((error: unknown) => {
      if (error instanceof NodeError && error.code === 'PICTURE_UNAVAILABLE') return null
      throw error
    })
    if (found === null) missing.push(picture)
    else writeWhole(join(directory, pictureFileName(picture)), found.bytes)
  }
  return missing
}

/** Held against the terms; `fault` is null where the file is what was shown. */
export interface CheckedPicture {
  readonly picture: Picture
  readonly path: string
  readonly fault: string | null
}

export function checkPictures(pictures: readonly Picture[], directory: string): CheckedPicture[] {
  return pictures.map((picture) => {
    const path = join(directory, pictureFileName(picture))
    return { picture, path, fault: faultOf(picture, path) }
  })
}

export function pictureFileName({ hash, type }: Pick<Picture, 'hash' | 'type'>): string {
  return `${hash}.${ENDINGS[type]}`
}

/** Under another name until it is whole. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(`${path}.partial`, bytes)
    renameSync(`${path}.partial`, path)
  } catch (cause) {
    throw new UsageError(`cannot write ${path}: ${(cause as Error).message}`, { cause })
  }
}

function faultOf(picture: Picture, path: string): string | null {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) return 'is not there'
  const bytes = size === picture.bytes ? readFileSync(path) : null
  if (bytes === null) return `has ${size} bytes, and the terms say ${picture.bytes}`
  const hash = createHash('sha256').update(bytes).digest('hex')
  if (hash !== picture.hash) return `is not what was shown: its SHA-256 is ${hash}`
  const cleaned = cleanPicture(bytes)
  if (!cleaned.ok) return `is of the hash that the terms name, and no sound picture: it ${cleaned.rule}`
  const { type, width, height } = cleaned.picture
  if (type === picture.type && width === picture.width && height === picture.height) return null
  return `is ${type} of ${width} x ${height}, and the terms say ${picture.type} of ${picture.width} x ${picture.height}`
}

function cleanFile(path: string): { bytes: Uint8Array; removed: readonly string[] } {
  const cleaned = cleanPicture(readWholeFile(path))
  if (cleaned.ok) return cleaned.picture
  throw new UsageError(`--picture ${path} ${cleaned.rule}`, { field: 'picture', next: cleaned.next })
}

function readWholeFile(path: string): Buffer {
  try {
    const { size } = statSync(path)
    if (size > MAX_READ_BYTES)
      throw new UsageError(`--picture ${path} has ${size} bytes`, {
        field: 'picture',
        next: 'make it smaller: 2048 pixels a side are plenty',
      })
    return readFileSync(path)
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    throw new UsageError(`cannot read --picture ${path}: ${(cause as Error).message}`, {
      field: 'picture',
      cause,
    })
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    throw new UsageError(`cannot make the directory ${path}: ${(cause as Error).message}`, {
      field: 'pictures',
      cause,
    })
  }
}
