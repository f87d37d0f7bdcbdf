import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InOrder } from '../../application/turns/in-order.js'
import { PICTURE_HASH } from '../../domain/pictures/picture.js'
import { LogFullError } from '../../ports/store/event-log.js'
import {
  PICTURE_KINDS,
  type PictureKind,
  PictureRoomError,
  type PictureStore,
  type PictureUsage,
} from '../../ports/store/picture-store.js'
import type { Clock } from '../../ports/system/clock.js'
import { syncDirectory } from './private-file.js'

export interface FilePictureStoreOptions {
  /** Bytes; of new and own ones together, and of copies. */
  readonly ownLimit: number
  readonly copyLimit: number
}

interface Entry {
  kind: PictureKind
  readonly bytes: number
  usedAt: number
}

const FOLDER = 'pictures'
/** The last use is written down no more often than this. */
const TOUCH_INTERVAL_MS = 3_600_000

/**
 * A file for each picture, `pictures/<kind>/<hash>` in the data directory, so that a copy of the directory has them
 * all. What there is stands in the names of the files; the last use in their times.
 */
export class FilePictureStore implements PictureStore {
  readonly #dir: string
  readonly #clock: Clock
  readonly #options: FilePictureStoreOptions
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>()
  /** Changes come one after the other: room is counted once. */
  readonly #order = new InOrder()

  /** Makes the folders; what a crash has left of unfinished files goes. */
  constructor(dataDir: string, { clock }: { readonly clock: Clock }, options: FilePictureStoreOptions) {
    this.#dir = join(dataDir, FOLDER)
    this.#clock = clock
    this.#options = options
    const found = PICTURE_KINDS.flatMap((kind) => this.#scan(kind))
    for (const [hash, entry] of found.sort(([, a], [, b]) => a.usedAt - b.usedAt)) {
      const known = this.#entries.get(hash)
      if (known === undefined || worth(entry.kind) > worth(known.kind)) this.#entries.set(hash, entry)
    }
  }

  async put(hash: string, bytes: Uint8Array, kind: PictureKind): Promise<boolean> {
    requireHash(hash)
    return this.#order.run(async () => {
      const known = this.#entries.get(hash)
      if (known !== undefined) {
        if (worth(kind) > worth(known.kind)) await this.#move(hash, known, kind)
        this.#use(hash, known)
        return true
      }
      if (!(await this.#makeRoom(bytes.length, kind))) return false
      await this.#write(hash, bytes, kind)
      this.#entries.set(hash, { kind, bytes: bytes.length, usedAt: this.#clock.now() })
      return true
    })
  }

  async get(hash: string): Promise<Uint8Array | null> {
    requireHash(hash)
    const entry = this.#entries.get(hash)
    if (entry === undefined) return null
    const bytes = await readFile(this.#path(hash, entry.kind)).catch(() => null)
    if (bytes !== null && sha256(bytes) === hash) {
      this.#use(hash, entry)
      return bytes
    }
    // It may just have moved.
    if (this.#entries.get(hash) !== entry || (bytes === null && !(await this.#isMissing(hash)))) return this.get(hash)
    await this.drop(hash)
    return null
  }

  kindOf(hash: string): PictureKind | null {
    requireHash(hash)
    return this.#entries.get(hash)?.kind ?? null
  }

  async move(hash: string, kind: PictureKind): Promise<boolean> {
    requireHash(hash)
    return this.#order.run(async () => {
      const entry = this.#entries.get(hash)
      if (entry === undefined) return false
      if (entry.kind !== kind) await this.#move(hash, entry, kind)
      return true
    })
  }

  async drop(hash: string): Promise<void> {
    requireHash(hash)
    return this.#order.run(() => this.#drop(hash))
  }

  list(kind: PictureKind): { hash: string; usedAt: number }[] {
    return [...this.#entries].flatMap(([hash, entry]) => (entry.kind === kind ? [{ hash, usedAt: entry.usedAt }] : []))
  }

  usage(): PictureUsage {
    let ownBytes = 0
    let copyBytes = 0
    for (const { kind, bytes } of this.#entries.values()) {
      if (kind === 'copy') copyBytes += bytes
      else ownBytes += bytes
    }
    return { ownBytes, copyBytes, ...this.#options }
  }

  #scan(kind: PictureKind): [string, Entry][] {
    const folder = join(this.#dir, kind)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return readdirSync(folder).flatMap((name) => {
      const path = join(folder, name)
      if (!PICTURE_HASH.test(name)) {
        rmSync(path, { force: true, recursive: true })
        return []
      }
      const { size, mtimeMs } = statSync(path)
      return [[name, { kind, bytes: size, usedAt: mtimeMs }] as [string, Entry]]
    })
  }

  async #makeRoom(needed: number, kind: PictureKind): Promise<boolean> {
    const usage = this.usage()
    if (kind !== 'copy') {
      if (usage.ownBytes + needed > usage.ownLimit) throw new PictureRoomError(needed, usage)
      return true
    }
    if (needed > usage.copyLimit) return false
    let taken = usage.copyBytes
    for (const { hash } of this.list('copy')) {
      if (taken + needed <= usage.copyLimit) return true
      taken -= this.#entries.get(hash)?.bytes ?? 0
      await this.#drop(hash)
    }
    return taken + needed <= usage.copyLimit
  }

  /** A disk that is full gets its copies back before anything is refused. */
  async #write(hash: string, bytes: Uint8Array, kind: PictureKind): Promise<void> {
    try {
      await this.#writeFile(this.#path(hash, kind), bytes, kind !== 'copy')
    } catch (error) {
      if (!isFull(error)) throw error
      const copies = this.list('copy')
      for (const copy of copies) await this.#drop(copy.hash)
      if (kind === 'copy' || copies.length === 0) throw new LogFullError({ cause: error })
      await this.#writeFile(this.#path(hash, kind), bytes, true).catch((cause: unknown) => {
        throw isFull(cause) ? new LogFullError({ cause }) : cause
      })
    }
  }

  /** Whole or not at all. */
  async #writeFile(path: string, bytes: Uint8Array, durable: boolean): Promise<void> {
    const draft = `${path}.tmp`
    try {
      const file = await open(draft, 'w', 0o600)
      try {
        await file.writeFile(bytes)
        if (durable) await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
      if (durable) syncDirectory(dirname(path))
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
  }

  async #move(hash: string, entry: Entry, kind: PictureKind): Promise<void> {
    const [from, to] = [this.#path(hash, entry.kind), this.#path(hash, kind)]
    // A copy has not been synced.
    if (entry.kind === 'copy') {
      const file = await open(from, 'r+')
      await file.sync().finally(() => file.close())
    }
    await rename(from, to)
    entry.kind = kind
    syncDirectory(dirname(to))
  }

  async #drop(hash: string): Promise<void> {
    const entry = this.#entries.get(hash)
    if (entry === undefined) return
    this.#entries.delete(hash)
    await rm(this.#path(hash, entry.kind), { force: true })
  }

  async #isMissing(hash: string): Promise<boolean> {
    const entry = this.#entries.get(hash)
    if (entry === undefined) return true
    return statSync(this.#path(hash, entry.kind), { throwIfNoEntry: false }) === undefined
  }

  #use(hash: string, entry: Entry): void {
    const now = this.#clock.now()
    const isOld = now - entry.usedAt > TOUCH_INTERVAL_MS
    this.#entries.delete(hash)
    this.#entries.set(hash, entry)
    if (!isOld) return
    entry.usedAt = now
    // It may be gone by then; it counts as used less lately at worst.
    utimes(this.#path(hash, entry.kind), now / 1_000, now / 1_000).catch(() => {})
  }

  #path(hash: string, kind: PictureKind): string {
    return join(this.#dir, kind, hash)
  }
}

function worth(kind: PictureKind): number {
  return PICTURE_KINDS.indexOf(kind)
}

/** What is not a hash is no name of a file here. */
function requireHash(hash: string): void {
  if (!PICTURE_HASH.test(hash)) throw new RangeError('a picture is named by its SHA-256 in lower-case hex')
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
