import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeApi } from '../../ports/node/node-api.js'
import type { Logger } from '../../ports/system/logger.js'
import { jsonTime } from './json-shapes.js'
import type { ReplyMessage } from './messages.js'

export type MovingMessage = Extract<ReplyMessage, { type: 'auction_moving' }>
/** `text` is the message's JSON, made once for all who hear it. */
export type MovingListener = (message: MovingMessage, text: string) => void

export interface MovingWatchDeps {
  readonly api: Pick<NodeApi, 'moving'>
  readonly logger: Logger
}

const WAIT_MS = 20_000
/** Between two questions to a node that answers at once that nothing has changed, as one does that stops. */
const IDLE_MS = 50
const RETRY_MS = 1_000
const WORDS = {
  moving: 'moving to another node; your bid is not placed yet',
  over: 'bids are answered again',
}

/** Which auctions move to another home, as the gateway's node knows it, for those who watch them. */
export class MovingWatch {
  readonly #deps: MovingWatchDeps
  readonly #listeners = new Map<string, Set<MovingListener>>()
  readonly #stopped = new AbortController()
  #moving: ReadonlyMap<string, number> = new Map()

  constructor(deps: MovingWatchDeps) {
    this.#deps = deps
  }

  start(): void {
    void this.#run()
  }

  /** Does not wait for a call under way: the node's stop ends that. */
  stop(): void {
    this.#stopped.abort()
    this.#listeners.clear()
  }

  /** Null if the auction does not move. */
  of(auctionId: string): MovingMessage | null {
    const since = this.#moving.get(auctionId)
    return since === undefined ? null : messageOf(auctionId, since)
  }

  /** Hears when the auction begins to move (at once if it does already), and when that is over. */
  listen(auctionId: string, listener: MovingListener): () => void {
    const listeners = this.#listeners.get(auctionId) ?? new Set()
    this.#listeners.set(auctionId, listeners.add(listener))
    const now = this.of(auctionId)
    if (now) listener(now, JSON.stringify(now))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(auctionId) === listeners) this.#listeners.delete(auctionId)
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    let known: number | null = null
    let isAway = false
    while (!signal.aborted) {
      let pauseMs = 0
      try {
        const { version, auctions } = await this.#deps.api.moving({ after: known, waitMs: WAIT_MS })
        if (version === known) pauseMs = IDLE_MS
        known = version
        isAway = false
        this.#take(new Map(auctions.map(({ auctionId, since }) => [auctionId, since])))
      } catch (error) {
        if (!isAway) this.#deps.logger.warn({ err: error }, 'the node does not say which auctions move')
        isAway = true
        known = null
        pauseMs = RETRY_MS
      }
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  #take(moving: ReadonlyMap<string, number>): void {
    const before = this.#moving
    this.#moving = moving
    for (const [auctionId, since] of moving) if (!before.has(auctionId)) this.#notify(messageOf(auctionId, since))
    for (const auctionId of before.keys()) if (!moving.has(auctionId)) this.#notify(messageOf(auctionId, null))
  }

  #notify(message: MovingMessage): void {
    const listeners = this.#listeners.get(message.auction_id)
    if (listeners === undefined) return
    const text = JSON.stringify(message)
    for (const listener of [...listeners]) listener(message, text)
  }
}

function messageOf(auctionId: string, since: number | null): MovingMessage {
  return {
    type: 'auction_moving',
    auction_id: auctionId,
    moving: since !== null,
    since: jsonTime(since),
    message: since === null ? WORDS.over : WORDS.moving,
  }
}
