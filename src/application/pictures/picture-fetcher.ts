import { createHash } from 'node:crypto'
import { MAX_PICTURE_BYTES } from '../../domain/limits.js'
import { pictureFault } from '../../domain/pictures/clean-picture.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { NodeInfo } from '../../ports/node/node-info.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { Timers } from '../../ports/system/timers.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { shuffled } from '../turns/shuffled.js'

export interface PictureFetcherDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly peerClient: Pick<PeerClient, 'pullPicture'>
  readonly peerTable: Pick<PeerTable, 'reachable'>
  readonly random: Random
  readonly timers: Timers
}

/** Peers that are asked for one picture, its home first. */
const MAX_ASKED = 8
/** Of one piece, and of the whole picture from one peer: whoever is slower loses its turn. */
const PIECE_TIMEOUT_MS = 4_000
const PEER_TIMEOUT_MS = 12_000
/** At once, and waiting for that. */
const MAX_FETCHES = 4
const MAX_WAITING = 64
/** So long a peer that gave something else, or a hash that nobody has, is not asked about again. */
const LIAR_RESTS_MS = 600_000
const MISSING_RESTS_MS = 3_000
const MAX_REMEMBERED = 10_000

/** Brings pictures from peers. What comes is worth nothing until its hash is right. */
export class PictureFetcher {
  readonly #deps: PictureFetcherDeps
  readonly #underWay = new Map<string, Promise<Uint8Array | null>>()
  readonly #waiting: (() => void)[] = []
  /** Until when (monotonic) not to ask: by hash and peer's id, or by hash. */
  readonly #resting = new Map<string, number>()
  #running = 0

  constructor(deps: PictureFetcherDeps) {
    this.#deps = deps
  }

  /** Null where no peer that can be reached has it. Rejects with BUSY where too many wait. */
  fetch(hash: string, home: string): Promise<Uint8Array | null> {
    const known = this.#underWay.get(hash)
    if (known !== undefined) return known
    if (this.#rests(hash)) return Promise.resolve(null)
    if (this.#waiting.length >= MAX_WAITING) {
      const next = 'try again in a moment'
      return Promise.reject(new NodeError('BUSY', `${MAX_WAITING} pictures are being fetched already`, { next }))
    }
    const fetched = this.#inTurn(() => this.#fromAnybody(hash, home)).finally(() => this.#underWay.delete(hash))
    this.#underWay.set(hash, fetched)
    return fetched
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_FETCHES) await new Promise<void>((go) => this.#waiting.push(go))
    this.#running += 1
    try {
      return await work()
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  async #fromAnybody(hash: string, home: string): Promise<Uint8Array | null> {
    const { logger, peerTable, random } = this.#deps
    const peers = shuffled(peerTable.reachable(), random).map(({ info }) => info)
    peers.sort((a, b) => Number(b.nodeId === home) - Number(a.nodeId === home))
    const asked = peers.filter(({ nodeId }) => !this.#rests(`${hash} ${nodeId}`)).slice(0, MAX_ASKED)
    for (const peer of asked) {
      const bytes = await this.#from(peer, hash)
      if (bytes === null) continue
      if (sha256(bytes) !== hash) {
        this.#rest(`${hash} ${peer.nodeId}`, LIAR_RESTS_MS)
        logger.warn({ peer: peer.name, hash }, 'a peer gave something else than the picture that it was asked for')
        continue
      }
      const fault = pictureFault(bytes)
      if (fault === null) return bytes
      logger.warn({ hash, fault }, 'the terms of an auction name what is no clean picture; it is not shown')
      this.#rest(hash, LIAR_RESTS_MS)
      return null
    }
    this.#rest(hash, MISSING_RESTS_MS)
    return null
  }

  async #from({ address, name, nodeId }: NodeInfo, hash: string): Promise<Uint8Array | null> {
    const { logger, peerClient, timers } = this.#deps
    const abort = new AbortController()
    const timer = timers.after(PEER_TIMEOUT_MS, () => abort.abort())
    const options = { timeoutMs: PIECE_TIMEOUT_MS, signal: abort.signal }
    const pieces: Buffer[] = []
    let length = 0
    try {
      for (;;) {
        const piece = await peerClient.pullPicture(address, { hash, offset: length }, options)
        if (piece === null) return null
        const content = Buffer.from(piece.piece, 'base64')
        length += content.length
        pieces.push(content)
        if (content.length === 0 || length > Math.min(piece.bytes, MAX_PICTURE_BYTES)) {
          this.#rest(`${hash} ${nodeId}`, LIAR_RESTS_MS)
          return null
        }
        if (length === piece.bytes) return Buffer.concat(pieces)
      }
    } catch (error) {
      logger.debug({ err: error, peer: name, hash }, 'a peer did not give a picture')
      return null
    } finally {
      timer.cancel()
    }
  }

  #rests(key: string): boolean {
    const until = this.#resting.get(key)
    return until !== undefined && this.#deps.clock.monotonicMs() < until
  }

  #rest(key: string, forMs: number): void {
    if (this.#resting.size >= MAX_REMEMBERED) this.#resting.clear()
    this.#resting.set(key, this.#deps.clock.monotonicMs() + forMs)
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
