import { createHash } from 'node:crypto'
import { PICTURE_HASH } from '../../../src/domain/pictures/picture.js'
import {
  PICTURE_KINDS,
  type PictureKind,
  PictureRoomError,
  type PictureStore,
  type PictureUsage,
} from '../../../src/ports/store/picture-store.js'

interface Entry {
  kind: PictureKind
  bytes: Uint8Array
  usedAt: number
}

const PLENTY = 1_024 * 1_024 * 1_024

export class MemoryPictureStore implements PictureStore {
  /** What its clock says. */
  now = 0
  readonly #entries = new Map<string, Entry>()
  readonly #limits: { readonly ownLimit: number; readonly copyLimit: number }

  constructor(limits = { ownLimit: PLENTY, copyLimit: PLENTY }) {
    this.#limits = limits
  }

  async put(hash: string, bytes: Uint8Array, kind: PictureKind): Promise<boolean> {
    requireHash(hash)
    const known = this.#entries.get(hash)
    if (known !== undefined) {
      if (PICTURE_KINDS.indexOf(kind) > PICTURE_KINDS.indexOf(known.kind)) known.kind = kind
      this.#use(hash, known)
      return true
    }
    const usage = this.usage()
    if (kind !== 'copy' && usage.ownBytes + bytes.length > usage.ownLimit)
      throw new PictureRoomError(bytes.length, usage)
    if (kind === 'copy') {
      if (bytes.length > usage.copyLimit) return false
      for (const { hash: oldest } of this.list('copy')) {
        if (this.usage().copyBytes + bytes.length <= usage.copyLimit) break
        this.#entries.delete(oldest)
      }
    }
    this.#entries.set(hash, { kind, bytes, usedAt: this.now })
    return true
  }

  async get(hash: string): Promise<Uint8Array | null> {
    requireHash(hash)
    const entry = this.#entries.get(hash)
    if (entry === undefined) return null
    if (createHash('sha256').update(entry.bytes).digest('hex') !== hash) {
      this.#entries.delete(hash)
      return null
    }
    this.#use(hash, entry)
    return entry.bytes
  }

  /** As a disk does it. */
  damage(hash: string): void {
    const entry = this.#entries.get(hash)
    if (entry !== undefined) entry.bytes = entry.bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte))
  }

  kindOf(hash: string): PictureKind | null {
    requireHash(hash)
    return this.#entries.get(hash)?.kind ?? null
  }

  async move(hash: string, kind: PictureKind): Promise<boolean> {
    requireHash(hash)
    const entry = this.#entries.get(hash)
    if (entry !== undefined) entry.kind = kind
    return entry !== undefined
  }

  async drop(hash: string): Promise<void> {
    requireHash(hash)
    this.#entries.delete(hash)
  }

  list(kind: PictureKind): { hash: string; usedAt: number }[] {
    return [...this.#entries].flatMap(([hash, entry]) => (entry.kind === kind ? [{ hash, usedAt: entry.usedAt }] : []))
  }

  usage(): PictureUsage {
    const sum = (copies: boolean) =>
      [...this.#entries.values()]
        .filter(({ kind }) => (kind === 'copy') === copies)
        .reduce((total, { bytes }) => total + bytes.length, 0)
    return { ownBytes: sum(false), copyBytes: sum(true), ...this.#limits }
  }

  #use(hash: string, entry: Entry): void {
    this.#entries.delete(hash)
    this.#entries.set(hash, entry)
  }
}

function requireHash(hash: string): void {
  if (!PICTURE_HASH.test(hash)) throw new RangeError('a picture is named by its SHA-256 in lower-case hex')
}
