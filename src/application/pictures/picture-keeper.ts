import type { Picture } from '../../domain/pictures/picture.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { PictureKind, PictureStore } from '../../ports/store/picture-store.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { Budgets } from '../budgets/budgets.js'
import { nodeIdOf } from '../log/ids.js'
import { isMove } from '../log/move-rule.js'
import type { Published, PublishingEventLog } from '../log/publishing-event-log.js'
import type { Pictures } from './pictures.js'

export interface PictureKeeperDeps {
  readonly auctions: Pick<AuctionRepository, 'withPicture'>
  readonly budgets: Pick<Budgets, 'of'>
  readonly clock: Clock
  readonly eventLog: Pick<PublishingEventLog, 'onPublished'>
  readonly logger: Logger
  readonly pictures: Pick<Pictures, 'fetch'>
  readonly pictureStore: PictureStore
  readonly timers: Timers
}

/** One that no auction has named by then goes. */
const NEW_STAYS_MS = 24 * 3_600_000
const SWEEP_INTERVAL_MS = 3_600_000
const RETRY_MS = 30_000
/** Of others' pictures: whoever asks for one later has it fetched then. */
const MAX_TRIES = 3
/** Of this home's own: it has agreed to keep them. */
const MAX_OWN_TRIES = 2_000
const MAX_WANTED = 10_000

interface Wanted {
  readonly hash: string
  readonly home: string
  readonly kind: PictureKind
  readonly bytes: number
  readonly tries: number
}

/**
 * Sees to it that pictures are where they are needed: at the home of their auction for good, and at every other node as
 * long as it has room, so that they are there while the home is away.
 */
export class PictureKeeper {
  readonly #deps: PictureKeeperDeps
  readonly #nodeId: string
  readonly #wanted: Wanted[] = []
  readonly #timers = new Set<Timer>()
  #unlisten: (() => void) | null = null
  #fetching = false

  constructor(deps: PictureKeeperDeps, { nodeId }: { readonly nodeId: string }) {
    this.#deps = deps
    this.#nodeId = nodeId
  }

  async start(): Promise<void> {
    if (this.#unlisten !== null) return
    this.#unlisten = this.#deps.eventLog.onPublished((published) => this.#onPublished(published))
    await this.#sweep()
  }

  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#wanted.length = 0
  }

  #onPublished({ commit, events, state }: Published): void {
    const { pictures } = state.terms
    if (pictures.length === 0) return
    for (const event of events) {
      if (event.type === 'AuctionOpened') this.#attend(pictures, event.home.nodeId)
      if (!isMove(event)) continue
      if (event.to.nodeId === this.#nodeId) this.#attend(pictures, this.#nodeId, nodeIdOf(commit.signer))
      else if (nodeIdOf(commit.signer) === this.#nodeId) this.#release(pictures)
    }
  }

  /** `from`: who has them. */
  #attend(pictures: readonly Picture[], home: string, from = home): void {
    const kind = home === this.#nodeId ? 'own' : 'copy'
    for (const { hash, bytes } of pictures) {
      const here = this.#deps.pictureStore.kindOf(hash)
      if (here === null) this.#want({ hash, home: from, kind, bytes, tries: 0 })
      else if (kind === 'own') this.#move(hash, kind)
    }
  }

  /** They are another home's now, unless an auction that has stayed shows them too. */
  #release(pictures: readonly Picture[]): void {
    for (const { hash } of pictures)
      void this.#deps.auctions.withPicture(hash, this.#nodeId).then(
        (stayed) => stayed ?? this.#move(hash, 'copy'),
        (error: unknown) => this.#failed(error, hash),
      )
  }

  #move(hash: string, kind: PictureKind): void {
    this.#deps.pictureStore.move(hash, kind).catch((error: unknown) => this.#failed(error, hash))
  }

  #want(wanted: Wanted): void {
    if (this.#unlisten === null || this.#wanted.length >= MAX_WANTED) return
    this.#wanted.push(wanted)
    if (!this.#fetching) void this.#fetchAll()
  }

  /** One after the other: visitors' own wishes go first. */
  async #fetchAll(): Promise<void> {
    this.#fetching = true
    for (let next = this.#wanted.shift(); next !== undefined; next = this.#wanted.shift()) {
      if (this.#deps.pictureStore.kindOf(next.hash) === null) await this.#fetch(next)
      else if (next.kind === 'own') this.#move(next.hash, 'own')
    }
    this.#fetching = false
  }

  async #fetch(wanted: Wanted): Promise<void> {
    const { hash, home, kind, bytes, tries } = wanted
    // A home that shows too much is copied no further; what visitors ask for they get.
    if (kind === 'copy' && !this.#deps.budgets.of('picture-copies').take(home, bytes)) return
    try {
      if ((await this.#deps.pictures.fetch(hash, home, kind)) !== null) return
    } catch (error) {
      this.#failed(error, hash)
    }
    if (tries + 1 >= (kind === 'own' ? MAX_OWN_TRIES : MAX_TRIES)) return
    this.#later(RETRY_MS, () => this.#want({ ...wanted, tries: tries + 1 }))
  }

  /**
   * What a crash left between the opening of an auction and the keeping of its pictures is made good; what nobody named
   * goes.
   */
  async #sweep(): Promise<void> {
    const { auctions, clock, pictureStore } = this.#deps
    for (const { hash, usedAt } of pictureStore.list('new')) {
      try {
        if ((await auctions.withPicture(hash, this.#nodeId)) !== null) await pictureStore.move(hash, 'own')
        else if (clock.now() - usedAt > NEW_STAYS_MS) await pictureStore.drop(hash)
      } catch (error) {
        this.#failed(error, hash)
      }
    }
    this.#later(SWEEP_INTERVAL_MS, () => void this.#sweep())
  }

  #later(ms: number, work: () => void): void {
    if (this.#unlisten === null) return
    const timer = this.#deps.timers.after(ms, () => {
      this.#timers.delete(timer)
      work()
    })
    this.#timers.add(timer)
  }

  #failed(error: unknown, hash: string): void {
    this.#deps.logger.warn({ err: error, hash }, 'a picture could not be looked after')
  }
}
