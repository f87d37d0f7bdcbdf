/** Room `pictures`: the pictures of lots: which are kept, fetched from peers, and let go. */

import { createHash } from 'node:crypto'
import { cleanPicture, pictureTypeOf } from '../../domain/pictures/clean-picture.js'
import type { Picture, PictureType } from '../../domain/pictures/picture.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { KeptPicture, PictureAdded, PicturePiece, PictureUpload } from '../../ports/node/node-pictures.js'
import type { NamedPicture } from '../../ports/node/node-requests.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import {
  type PictureKind,
  PictureRoomError,
  type PictureStore,
  type PictureUsage,
} from '../../ports/store/picture-store.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Budgets } from '../budgets/budgets.js'
import type { PictureFetcher } from './picture-fetcher.js'
import { MAX_UPLOAD_PIECE_BYTES, refused, UploadsUnderWay } from './uploads-under-way.js'

export interface PicturesDeps {
  readonly auctions: Pick<AuctionRepository, 'withPicture'>
  readonly budgets: Pick<Budgets, 'of'>
  readonly clock: Clock
  readonly logger: Logger
  readonly pictureFetcher: Pick<PictureFetcher, 'fetch'>
  readonly pictureStore: PictureStore
}

interface Read {
  readonly bytes: Uint8Array
  readonly type: PictureType
}

/** Of those that were read last, so that the pieces of one do not each read its file. */
const MAX_CACHED_BYTES = 32 * 1024 * 1024
/** To peers. A page of commits is as large. */
export const PEER_PIECE_BYTES = 256 * 1024

/** The pictures of lots: taken in from sellers, read here, and brought from peers where they are not. */
export class Pictures {
  readonly #deps: PicturesDeps
  readonly #nodeId: string
  readonly #uploads: UploadsUnderWay
  /** Least recently used first. */
  readonly #cache = new Map<string, Read>()
  #cachedBytes = 0

  constructor(deps: PicturesDeps, { nodeId }: { readonly nodeId: string }) {
    this.#deps = deps
    this.#nodeId = nodeId
    this.#uploads = new UploadsUnderWay(deps)
  }

  /** `account`: who sends it through this node's user; null: the user itself, who has the node's whole room. */
  async add(upload: PictureUpload, account: string | null): Promise<PictureAdded> {
    const taken = this.#uploads.take(account ?? this.#nodeId, upload)
    if (typeof taken === 'number') return { picture: null, next: taken }
    return { picture: await this.#keep(taken, account), next: upload.bytes }
  }

  /**
   * Those that an opening names, as terms have them; they stay from then on until it is known whether it was opened.
   */
  async named(pictures: readonly NamedPicture[], account: string | null): Promise<Picture[]> {
    const found: Picture[] = []
    for (const [i, { hash, alt = '' }] of pictures.entries()) {
      const bytes = await this.#deps.pictureStore.get(hash)
      const cleaned = bytes && cleanPicture(bytes)
      if (!cleaned?.ok) throw notHere(hash, `pictures.${i}`)
      await this.#store(hash, cleaned.picture.bytes, account)
      found.push({ ...factsOf(hash, cleaned.picture), alt })
    }
    return found
  }

  async piece(hash: string, offset: number): Promise<PicturePiece> {
    const { bytes, type } = await this.#read(hash)
    return { type, ...pieceOf(bytes, offset, MAX_UPLOAD_PIECE_BYTES) }
  }

  /** For a peer: of what is here, and of nothing that would have to be fetched. Null where it is not. */
  async pieceHere(hash: string, offset: number): Promise<{ bytes: number; piece: string } | null> {
    const found = await this.#here(hash)
    if (found === null) return null
    const { bytes, piece } = pieceOf(found.bytes, offset, PEER_PIECE_BYTES)
    return { bytes, piece }
  }

  /** False where no peer that can be reached has it. */
  async fetch(hash: string, home: string, kind: PictureKind): Promise<Uint8Array | null> {
    const bytes = await this.#deps.pictureFetcher.fetch(hash, home)
    if (bytes === null) return null
    await this.#deps.pictureStore.put(hash, bytes, kind).catch((error: unknown) => {
      // It can be shown, and fetched again.
      this.#deps.logger.warn({ err: error, hash }, 'a picture of a peer could not be kept')
    })
    return bytes
  }

  get usage(): PictureUsage {
    return this.#deps.pictureStore.usage()
  }

  async #keep(file: Buffer, account: string | null): Promise<KeptPicture> {
    const cleaned = cleanPicture(file)
    if (!cleaned.ok) throw refused(cleaned.rule, cleaned.next)
    const { picture } = cleaned
    const hash = createHash('sha256').update(picture.bytes).digest('hex')
    await this.#store(hash, picture.bytes, account)
    return { ...factsOf(hash, picture), removed: picture.removed }
  }

  /** Against the room that this node has for its own, and that one seller has in it. */
  async #store(hash: string, bytes: Uint8Array, account: string | null): Promise<void> {
    const { pictureStore, budgets } = this.#deps
    const kind = pictureStore.kindOf(hash)
    const budget = budgets.of('picture-uploads')
    const takesRoom = kind === null || kind === 'copy'
    if (takesRoom && account !== null && !budget.take(account, bytes.length)) {
      const { limit } = budget.terms
      throw new NodeError(
        'PICTURES_FULL',
        `${Math.round(budget.used(account))} of the ${limit} bytes of pictures that one seller may add in a day are used; nothing was kept`,
        {
          field: 'picture',
          next: 'add smaller ones, or try again later: what is used comes back within a day',
        },
      )
    }
    try {
      await pictureStore.put(hash, bytes, 'new')
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === 'DISK_FULL')
        throw new NodeError('DISK_FULL', 'the node has no disk space left for the picture; nothing was kept', {
          next: 'try again when it has',
          cause: error,
        })
      if (!(error instanceof PictureRoomError)) throw error
      throw new NodeError('PICTURES_FULL', `the node has no room for the picture: ${error.message}`, {
        field: 'picture',
        next: 'give the node more room for pictures (--pictures-own-mb)',
        cause: error,
      })
    }
  }

  async #read(hash: string): Promise<Read> {
    const here = await this.#here(hash)
    if (here !== null) return here
    const named = await this.#deps.auctions.withPicture(hash, null)
    if (named === null) throw notHere(hash, 'hash')
    const isOwn = (await this.#deps.auctions.withPicture(hash, this.#nodeId)) !== null
    const bytes = await this.fetch(hash, named.state.home.nodeId, isOwn ? 'own' : 'copy')
    if (bytes === null)
      throw new NodeError('PICTURE_UNAVAILABLE', `no node that has the picture ${hash} can be reached now`, {
        field: 'hash',
        next: 'try again when the auction’s home is back',
      })
    return this.#remember(hash, bytes)
  }

  async #here(hash: string): Promise<Read | null> {
    const known = this.#cache.get(hash)
    if (known !== undefined) return this.#remember(hash, known.bytes)
    const bytes = await this.#deps.pictureStore.get(hash)
    return bytes && this.#remember(hash, bytes)
  }

  #remember(hash: string, bytes: Uint8Array): Read {
    const known = this.#cache.get(hash)
    const read = known ?? { bytes, type: pictureTypeOf(bytes) as PictureType }
    this.#cache.delete(hash)
    this.#cache.set(hash, read)
    if (known === undefined) this.#cachedBytes += bytes.length
    for (const [
      oldest,
      {
        bytes: { length },
      },
    ] of this.#cache) {
      if (this.#cachedBytes <= MAX_CACHED_BYTES) break
      this.#cache.delete(oldest)
      this.#cachedBytes -= length
    }
    return read
  }
}

function factsOf(
  hash: string,
  { bytes, type, width, height }: Read & { readonly width: number; readonly height: number },
): Omit<Picture, 'alt'> {
  return { hash, bytes: bytes.length, type, width, height }
}

function pieceOf(whole: Uint8Array, offset: number, most: number) {
  const content = whole.subarray(offset, offset + most)
  const end = offset + content.length
  return {
    bytes: whole.length,
    piece: Buffer.from(content).toString('base64'),
    next: content.length === 0 || end >= whole.length ? null : end,
  }
}

function notHere(hash: string, field: string): NodeError {
  return new NodeError('PICTURE_NOT_FOUND', `there is no picture ${hash} here`, {
    field,
    next:
      field === 'hash'
        ? 'give the hash of a picture that an auction names'
        : 'add the picture first, and name the hash that the answer gives: one that no auction names is kept for a day',
  })
}
