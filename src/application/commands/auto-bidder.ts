/** Long because what sets an auto-bid, what bids for it and what ends it are one state machine. */

import { minimumBid, type OpenedAuction } from '../../domain/auction.js'
import type { Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { RejectionCode } from '../../domain/rejection.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { AutoBid, AutoBidRepository } from '../../ports/store/auto-bid-repository.js'
import type { ParticipationRepository } from '../../ports/store/participation-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { FirstComparison } from '../home/first-comparison.js'
import type { HeldAuctions } from '../log/held-auctions.js'
import { newCommandId } from '../log/ids.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import { answerTo } from '../submissions/submission.js'
import type { CommandRouter } from './command-router.js'

export interface AutoBidderDeps {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly autoBids: AutoBidRepository
  readonly participations: Pick<ParticipationRepository, 'add'>
  readonly router: Pick<CommandRouter, 'enqueue'>
  readonly eventLog: PublishingEventLog
  readonly firstComparison: Pick<FirstComparison, 'over'>
  readonly heldAuctions: Pick<HeldAuctions, 'onBehind'>
}

/** The wait before a bid is sent again; it doubles each time. */
interface Backoff {
  readonly firstMs: number
  readonly mostMs: number
}

/** After no outcome: nothing is stored, and the home may be back at any moment. */
const UNANSWERED: Backoff = { firstMs: 1_000, mostMs: 5_000 }
/** After a refusal, which both nodes store. */
const REFUSED: Backoff = { firstMs: 1_000, mostMs: 60_000 }
/** Refusals in a row, with nothing new in the auction, after which its home would refuse for ever. */
export const MAX_REFUSALS = 20

interface RunningAutoBid {
  autoBid: AutoBid
  /** Refusals in a row since the last event of the auction. */
  unanswered: number
  refusals: number
  running: boolean
  /** An event arrived during the present run. */
  again: boolean
  retry: Timer | null
}

/**
 * Bids for this node's user, step by step, up to limits that never leave this node. Each bid is the least that could
 * lead; none is made while the user leads. A bid is written down before it is sent: after a crash the same bid is
 * asked about again, so that nothing is bid twice.
 */
export class AutoBidder {
  readonly #deps: AutoBidderDeps
  readonly #self: Party
  readonly #running = new Map<string, RunningAutoBid>()
  readonly #changes = new Map<string, Promise<void>>()
  #unlisten: (() => void) | null = null
  /** Those of the last run that its user has not set again: they wait for the first comparison. */
  readonly #resumed = new Set<string>()
  #isCompared = false

  constructor(deps: AutoBidderDeps, self: Party) {
    this.#deps = deps
    this.#self = self
  }

  /**
   * Resumes the auto-bids of the last run, once the node has compared itself with its peers: what an old backup says of
   * limits may be above what its user has allowed since.
   */
  async start(): Promise<void> {
    if (this.#unlisten) return
    const { autoBids, eventLog, heldAuctions } = this.#deps
    const unlisten = [
      eventLog.onPublished(({ commit }) => this.#onEvent(commit.auctionId)),
      heldAuctions.onBehind(() => this.#pause()),
    ]
    this.#unlisten = () => {
      for (const end of unlisten) end()
    }
    for (const autoBid of await autoBids.list()) {
      this.#take(autoBid)
      this.#resumed.add(autoBid.auctionId)
    }
    void this.#begin()
  }

  async #begin(): Promise<void> {
    await this.#deps.firstComparison.over()
    this.#isCompared = true
    for (const auctionId of this.#resumed) this.#wake(auctionId)
  }

  #pause(): void {
    const paused = [...this.#resumed].filter((auctionId) => this.#running.has(auctionId))
    this.#resumed.clear()
    for (const auctionId of paused)
      this.#change(auctionId, (current) =>
        current === null || isOver(current)
          ? current
          : { ...current, state: 'paused', pending: null, updatedAt: this.#deps.clock.now() },
      ).then(
        () => this.#deps.logger.warn({ auctionId }, 'an auto-bid is paused: this database is an old backup'),
        (error: unknown) => this.#deps.logger.error({ err: error, auctionId }, 'an auto-bid could not be paused'),
      )
  }

  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
    for (const { retry } of this.#running.values()) retry?.cancel()
  }

  /** Sets the user's limit for an auction, in place of an earlier one. */
  async set(auctionId: string, limit: Minor): Promise<AutoBid> {
    this.#resumed.delete(auctionId)
    const autoBid = await this.#change(auctionId, (current): AutoBid => {
      const pending = current?.pending ?? null
      return { auctionId, limit, state: 'active', refusal: null, pending, updatedAt: this.#deps.clock.now() }
    })
    this.#onEvent(auctionId)
    return autoBid
  }

  /** Stops bidding; a placed bid stands. Null if there is no such auto-bid. */
  cancel(auctionId: string): Promise<AutoBid | null> {
    return this.#change(
      auctionId,
      (current) => current && { ...current, state: 'stopped', pending: null, updatedAt: this.#deps.clock.now() },
    )
  }

  async find(auctionId: string): Promise<AutoBid | null> {
    return this.#running.get(auctionId)?.autoBid ?? (await this.#deps.autoBids.find(auctionId))
  }

  list(): Promise<AutoBid[]> {
    return this.#deps.autoBids.list()
  }

  /** What was refused before may be accepted now. */
  #onEvent(auctionId: string): void {
    const auto = this.#running.get(auctionId)
    if (!auto) return
    auto.unanswered = 0
    auto.refusals = 0
    this.#wake(auctionId)
  }

  #wake(auctionId: string): void {
    const auto = this.#running.get(auctionId)
    if (!auto || !this.#unlisten || (!this.#isCompared && this.#resumed.has(auctionId))) return
    auto.again = true
    if (!auto.running) void this.#run(auctionId, auto)
  }

  async #run(auctionId: string, auto: RunningAutoBid): Promise<void> {
    auto.running = true
    auto.retry?.cancel()
    try {
      while (auto.again && this.#unlisten) {
        auto.again = false
        await this.#step(auctionId, auto)
      }
    } catch (error) {
      this.#deps.logger.error({ err: error, auctionId }, 'the auto-bidder stumbled; trying again')
      this.#retryLater(auctionId, auto, waitMs(UNANSWERED, ++auto.unanswered))
    } finally {
      auto.running = false
      this.#take(auto.autoBid)
    }
  }

  /** Bids once if a bid is due, and learns the outcome of a pending bid. */
  async #step(auctionId: string, auto: RunningAutoBid): Promise<void> {
    if (auto.autoBid.pending === null) {
      const state = await this.#look(auctionId)
      const amount = state && this.#amountDue(state, auto.autoBid)
      if (amount === null) return
      const pending = { bidId: newCommandId('bid', this.#deps), amount }
      await this.#update(auctionId, { pending })
    }
    await this.#place(auctionId, auto)
    // What the auction has come to meanwhile woke nobody up.
    await this.#look(auctionId)
  }

  /**
   * Brings the auto-bid's state up to date with the auction as this node knows it. Null if it does not bid any more.
   */
  async #look(auctionId: string): Promise<OpenedAuction | null> {
    const record = await this.#deps.auctions.find(auctionId)
    const autoBid = await this.find(auctionId)
    if (!record || !autoBid || isOver(autoBid)) return null
    const next = this.#nextState(record.state, autoBid)
    // No bid can have been accepted of an auction that was cancelled.
    if (next === 'stopped') await this.#update(auctionId, { state: next, pending: null })
    else if (next !== autoBid.state) await this.#update(auctionId, { state: next })
    return record.state
  }

  #nextState(state: OpenedAuction, autoBid: AutoBid): AutoBid['state'] {
    if (state.status === 'cancelled') return 'stopped'
    if (state.status === 'closed') {
      return state.result.sold && state.result.winner.id === this.#self.id ? 'won' : 'lost'
    }
    if (state.leader?.id === this.#self.id) return 'active'
    return isWithin(autoBid.limit, minimumBid(state)) ? 'active' : 'outbid'
  }

  /** The least amount that could lead, or null if no bid is due. */
  #amountDue(state: OpenedAuction, autoBid: AutoBid): Minor | null {
    // The home's clock decides whether the end has come; this node's may be wrong.
    if (state.status !== 'open' || state.leader?.id === this.#self.id) return null
    const minimum = minimumBid(state)
    return isWithin(autoBid.limit, minimum) ? minimum : null
  }

  async #place(auctionId: string, auto: RunningAutoBid): Promise<void> {
    const { pending } = auto.autoBid
    if (pending === null) return
    const { bidId: commandId, amount } = pending
    const result = await answerTo(
      { command: { type: 'PlaceBid', auctionId, commandId, bidder: this.#self, kind: 'plain', amount } },
      (submission) => this.#deps.router.enqueue(submission),
    )
    if (!result.ok) {
      this.#deps.logger.debug({ auctionId, code: result.code }, 'an auto-bid has no outcome yet; asking again')
      this.#retryLater(auctionId, auto, waitMs(UNANSWERED, ++auto.unanswered))
      return
    }
    auto.unanswered = 0
    const { outcome } = result
    if (outcome.status === 'accepted') await this.#noteParticipation(auctionId)
    await this.#update(auctionId, { pending: null })
    this.#deps.logger.debug({ auctionId, status: outcome.status }, 'an auto-bid was decided')
    if (outcome.status === 'rejected') return this.#refused(auctionId, auto, outcome.rejection.code)
    // What stood in its way, or has overtaken it since, shows here with a commit that is on its way, or has shown long
    // ago: the outcome of a bid that was asked for before a restart is an old one. So look again, and not before a
    // moment has passed.
    this.#retryLater(auctionId, auto, UNANSWERED.firstMs)
  }

  async #refused(auctionId: string, auto: RunningAutoBid, code: RejectionCode): Promise<void> {
    const lasts = afterRefusal(code)
    // How it ended stands in the log, which is on its way.
    if (lasts === 'over') return
    auto.refusals += 1
    if (lasts === 'passing' && auto.refusals < MAX_REFUSALS)
      return this.#retryLater(auctionId, auto, waitMs(REFUSED, auto.refusals))
    this.#deps.logger.warn({ auctionId, code }, 'an auto-bid has ended: the home refuses its bids')
    await this.#update(auctionId, { state: 'refused', refusal: code })
  }

  /** The bid stands: a full disk of this node must not lose it. */
  async #noteParticipation(auctionId: string): Promise<void> {
    await this.#deps.participations.add(auctionId).catch((error: unknown) => {
      this.#deps.logger.warn({ auctionId, err: error }, 'that this node takes part could not be noted')
    })
  }

  #retryLater(auctionId: string, auto: RunningAutoBid, ms: number): void {
    auto.retry?.cancel()
    auto.retry = this.#deps.timers.after(ms, () => this.#wake(auctionId))
  }

  /** Stores a step's change, unless the auto-bid has been stopped or paused meanwhile. */
  async #update(auctionId: string, change: Partial<AutoBid>): Promise<void> {
    await this.#change(auctionId, (current) =>
      current === null || isHalted(current) ? current : { ...current, ...change, updatedAt: this.#deps.clock.now() },
    )
  }

  /** Changes of one auto-bid follow one another, and none counts before it is on disk. */
  async #change<T extends AutoBid | null>(auctionId: string, change: (current: AutoBid | null) => T): Promise<T> {
    const before = this.#changes.get(auctionId) ?? Promise.resolve()
    const turn = before.then(async () => {
      const current = await this.find(auctionId)
      const next = change(current)
      if (next === null || next === current) return next
      await this.#deps.autoBids.save(next)
      this.#take(next)
      return next
    })
    const settled = turn.then(
      () => {},
      () => {},
    )
    this.#changes.set(auctionId, settled)
    try {
      return await turn
    } finally {
      if (this.#changes.get(auctionId) === settled) this.#changes.delete(auctionId)
    }
  }

  #take(autoBid: AutoBid): void {
    const { auctionId } = autoBid
    const auto = this.#running.get(auctionId)
    if (auto) auto.autoBid = autoBid
    else if (!isOver(autoBid))
      this.#running.set(auctionId, {
        autoBid,
        unanswered: 0,
        refusals: 0,
        running: false,
        again: false,
        retry: null,
      })
    if (!auto || auto.running || !isOver(autoBid)) return
    auto.retry?.cancel()
    this.#running.delete(auctionId)
  }
}

/** An auto-bid that will not bid any more, whatever happens. One that was outbid may: its limit can be raised. */
function isOver({ state, pending }: AutoBid): boolean {
  return isHalted({ state }) || state === 'refused' || (pending === null && (state === 'won' || state === 'lost'))
}

function isHalted({ state }: Pick<AutoBid, 'state'>): boolean {
  return state === 'stopped' || state === 'paused'
}

/** Null: no bid could lead. */
function isWithin(limit: Minor, minimum: Minor | null): minimum is Minor {
  return minimum !== null && minimum <= limit
}

function waitMs({ firstMs, mostMs }: Backoff, nth: number): number {
  return Math.min(mostMs, firstMs * 2 ** (nth - 1))
}

/**
 * What a refusal means for an auto-bid. `passing`: this node does not know yet what the home knows, or the auction may
 * go on; `over`: the auction has ended; `final`: another bid would be refused as well.
 */
function afterRefusal(code: RejectionCode): 'passing' | 'over' | 'final' {
  switch (code) {
    case 'ALREADY_LEADING':
    case 'AUCTION_ENDED':
    case 'BID_TOO_LOW':
    case 'BUY_NOW_AVAILABLE':
    case 'COMMAND_ID_REUSED':
    case 'NOT_OPEN_YET':
      return 'passing'
    case 'AUCTION_CANCELLED':
    case 'AUCTION_CLOSED':
      return 'over'
    case 'BUY_NOW_WITHDRAWN':
    case 'EXTENSION_NOT_LATER':
    case 'HAS_BIDS':
    case 'MAX_BELOW_PRICE':
    case 'NO_BUY_NOW':
    case 'NO_END_TIME':
    case 'NOT_DUE':
    case 'NOT_SELLER':
    case 'OWN_AUCTION':
    case 'PAST_HARD_STOP':
    case 'TERMS_INVALID':
      return 'final'
    default: {
      const unknown: never = code
      throw new Error(`unknown rejection ${String(unknown)}`)
    }
  }
}
