import { verdictOn } from '../../domain/notices/notice-verdict.js'
import type { DeliveryResult, NoticeChannel, NoticeTarget } from '../../ports/notices/notice-channel.js'
import type { LeasedDelivery, NoticeOutbox } from '../../ports/notices/notice-outbox.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { Timers } from '../../ports/system/timers.js'
import { pause } from '../consumers/pause.js'
import { type NoticeLinker, noticeOf } from './notice-of.js'
import { retryWait } from './retry-schedule.js'

export interface NoticeSenderDeps {
  readonly outbox: NoticeOutbox
  readonly channels: readonly NoticeChannel[]
  readonly links: NoticeLinker
  /**
   * Whether the auctions are known up to now: what was read before an outage decides nothing, and an instance that
   * waits for another sends nothing.
   */
  readonly isCurrent: () => boolean
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
}

export interface NoticeSenderOptions {
  /** Deliveries at once. */
  readonly lanes?: number
  readonly pollMs?: number
}

const LANES = 16
const POLL_MS = 1_000
/** Longer than any channel takes. */
const LEASE_MS = 5 * 60_000
const KEPT_MS = 30 * 24 * 60 * 60_000
const PRUNE_EVERY_MS = 60_000
const PRUNED_AT_ONCE = 1_000

/**
 * Sends what is due. A lease says who sends a delivery; if its process dies, the next one sends it with the same id.
 * One delivery at a time goes to one target, so one that hangs holds one lane, and what it has heard last is known.
 */
export class NoticeSender {
  readonly #deps: NoticeSenderDeps
  readonly #channels: ReadonlyMap<string, NoticeChannel>
  readonly #lanes: number
  readonly #pollMs: number
  readonly #stopping = new AbortController()
  readonly #busy = new Map<string, Promise<void>>()
  #running: Promise<void> | null = null
  /** Deliveries that are not under way any more. */
  #ended = 0
  #prunedAt = Number.NEGATIVE_INFINITY
  #wake = () => {}

  constructor(deps: NoticeSenderDeps, { lanes = LANES, pollMs = POLL_MS }: NoticeSenderOptions = {}) {
    this.#deps = deps
    this.#channels = new Map(deps.channels.map((channel) => [channel.kind, channel]))
    this.#lanes = lanes
    this.#pollMs = pollMs
  }

  /** Sends until `stop`. Idempotent. */
  start(): void {
    this.#running ??= this.#run(this.#stopping.signal)
  }

  /** Gives up what is under way: it is sent again later, with the same id. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    await Promise.all(this.#busy.values())
    await Promise.all(this.#deps.channels.map((channel) => channel.stop()))
  }

  /** Sends all that is due now; resolves when nothing is under way any more. Rejects if the outbox cannot be used. */
  async sendDue(signal: AbortSignal = this.#stopping.signal): Promise<void> {
    while (!signal.aborted && this.#deps.isCurrent()) {
      const ended = this.#ended
      if ((await this.#fill(signal)) > 0 || this.#ended > ended) continue
      if (this.#busy.size === 0) return
      await Promise.race(this.#busy.values())
    }
    await Promise.all(this.#busy.values())
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { timers, logger } = this.#deps
    while (!signal.aborted) {
      try {
        const ended = this.#ended
        const started = this.#deps.isCurrent() ? await this.#fill(signal) : 0
        // What has ended meanwhile leaves its target free for the next.
        if (started > 0 || this.#ended > ended) continue
        await this.#prune()
      } catch (error) {
        logger.warn({ err: error, retryMs: this.#pollMs }, 'notices cannot be sent; will retry')
      }
      await this.#idle(timers, signal)
    }
  }

  /** Until a lane is free, or it is time to look again. */
  async #idle(timers: Timers, signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await pause(timers, this.#pollMs, AbortSignal.any([signal, woken.signal]))
    this.#wake = () => {}
  }

  async #fill(signal: AbortSignal): Promise<number> {
    const { outbox, clock } = this.#deps
    const limit = this.#lanes - this.#busy.size
    if (limit <= 0) return 0
    const leased = await outbox.lease({ now: clock.now(), leaseMs: LEASE_MS, limit, busy: [...this.#busy.keys()] })
    for (const delivery of leased) {
      const { targetId } = delivery
      const work = this.#deliver(delivery, signal)
        .catch((error: unknown) => this.#deps.logger.warn({ err: error, id: delivery.id }, 'a delivery is not settled'))
        .finally(() => {
          this.#busy.delete(targetId)
          this.#ended += 1
          this.#wake()
        })
      this.#busy.set(targetId, work)
    }
    return leased.length
  }

  async #deliver(delivery: LeasedDelivery, signal: AbortSignal): Promise<void> {
    const { outbox, clock, links } = this.#deps
    const { auction, target, listener, id, attempts } = delivery
    const now = clock.now()
    const drop = (why: string) => outbox.settle(delivery, { state: 'dropped', why, now })
    if (target === null) return drop('target-removed')
    if (auction === null) return drop('unknown-auction')
    const verdict = verdictOn(delivery, auction, listener, now)
    if (verdict.do === 'drop') return drop(verdict.why)
    if (verdict.do === 'wait') return outbox.postpone(delivery, { dueAt: verdict.until, why: null, counts: false, now })
    const channel = this.#channels.get(target.channel) as NoticeChannel<NoticeTarget> | undefined
    if (channel === undefined) {
      const why = `this notifier has no channel for ${target.channel}`
      return outbox.settle(delivery, { state: 'failed', why, now })
    }
    const notice = noticeOf({ ...delivery, auction }, links)
    await this.#record(delivery, await channel.send({ id, attempt: attempts, target, notice }, signal), signal)
  }

  async #record(delivery: LeasedDelivery, result: DeliveryResult, signal: AbortSignal): Promise<void> {
    const { outbox, clock, random } = this.#deps
    const now = clock.now()
    switch (result.result) {
      case 'delivered':
        return outbox.settle(delivery, { state: 'delivered', why: null, now })
      case 'retry': {
        if (signal.aborted) return outbox.postpone(delivery, { dueAt: now, why: null, counts: false, now })
        const wait = retryWait(delivery.attempts, result.afterMs ?? 0, random)
        if (wait === null) return outbox.settle(delivery, { state: 'failed', why: result.why, now })
        return outbox.postpone(delivery, { dueAt: now + wait, why: result.why, counts: true, now })
      }
      case 'gone':
        await outbox.retire(delivery.targetId, result.why)
        return outbox.settle(delivery, { state: 'failed', why: result.why, now })
      case 'refused':
        return outbox.settle(delivery, { state: 'failed', why: result.why, now })
      default: {
        const unknown: never = result
        throw new Error(`unknown result ${JSON.stringify(unknown)}`)
      }
    }
  }

  async #prune(): Promise<void> {
    const { outbox, clock } = this.#deps
    if (clock.monotonicMs() - this.#prunedAt < PRUNE_EVERY_MS) return
    if ((await outbox.prune(clock.now() - KEPT_MS, PRUNED_AT_ONCE)) < PRUNED_AT_ONCE)
      this.#prunedAt = clock.monotonicMs()
  }
}
