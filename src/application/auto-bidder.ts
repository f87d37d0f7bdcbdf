import { minimumBid, type OpenedAuction } from '../domain/auction.js'
import type { Minor } from '../domain/money.js'
import type { Party } from '../domain/party.js'
import type { AuctionRepository } from '../ports/auction-repository.js'
import type { AutoBid, AutoBidRepository } from '../ports/auto-bid-repository.js'
import type { Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import type { Random } from '../ports/random.js'
import type { Timer, Timers } from '../ports/timers.js'
import type { CommandRouter } from './command-router.js'
import { newCommandId } from './ids.js'
import type { PublishingEventLog } from './publishing-event-log.js'

export interface AutoBidderDeps {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly autoBids: AutoBidRepository
  readonly router: Pick<CommandRouter, 'submit'>
  readonly eventLog: PublishingEventLog
}

/** Wait before a home that could not be reached is tried again. */
const RETRY_MS = 1_000

interface Order {
  autoBid: AutoBid
  running: boolean
  /** Something happened while it was running. */
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
  readonly #orders = new Map<string, Order>()
  #unlisten: (() => void) | null = null

  constructor(deps: AutoBidderDeps, self: Party) {
    this.#deps = deps
    this.#self = self
  }

  /** Takes up the standing orders of the last run. */
  async start(): Promise<void> {
    if (this.#unlisten) return
    this.#unlisten = this.#deps.eventLog.onPublished(({ commit }) => this.#wake(commit.auctionId))
    for (const autoBid of await this.#deps.autoBids.list()) {
      if (isOver(autoBid)) continue
      this.#orders.set(autoBid.auctionId, { autoBid, running: false, again: false, retry: null })
      this.#wake(autoBid.auctionId)
    }
  }

  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
    for (const { retry } of this.#orders.values()) retry?.cancel()
  }

  /** Sets the user's limit for an auction, in place of an earlier one. */
  async set(auctionId: string, limit: Minor): Promise<AutoBid> {
    const current = await this.find(auctionId)
    const pending = current?.pending ?? null
    const autoBid: AutoBid = { auctionId, limit, state: 'active', pending, updatedAt: this.#deps.clock.now() }
    await this.#deps.autoBids.save(autoBid)
    const order = this.#orders.get(auctionId)
    if (order) order.autoBid = autoBid
    else this.#orders.set(auctionId, { autoBid, running: false, again: false, retry: null })
    this.#wake(auctionId)
    return autoBid
  }

  /** Stops bidding; a bid already placed stands. Null where there is no such order. */
  async cancel(auctionId: string): Promise<AutoBid | null> {
    const current = await this.find(auctionId)
    if (!current) return null
    const autoBid: AutoBid = { ...current, state: 'stopped', updatedAt: this.#deps.clock.now() }
    await this.#deps.autoBids.save(autoBid)
    const order = this.#orders.get(auctionId)
    order?.retry?.cancel()
    if (order && !order.running) this.#orders.delete(auctionId)
    else if (order) order.autoBid = autoBid
    return autoBid
  }

  async find(auctionId: string): Promise<AutoBid | null> {
    return this.#orders.get(auctionId)?.autoBid ?? (await this.#deps.autoBids.find(auctionId))
  }

  list(): Promise<AutoBid[]> {
    return this.#deps.autoBids.list()
  }

  #wake(auctionId: string): void {
    const order = this.#orders.get(auctionId)
    if (!order || !this.#unlisten) return
    order.again = true
    if (!order.running) void this.#run(auctionId, order)
  }

  async #run(auctionId: string, order: Order): Promise<void> {
    order.running = true
    order.retry?.cancel()
    try {
      while (order.again && this.#unlisten) {
        order.again = false
        await this.#step(auctionId, order)
      }
    } catch (error) {
      this.#deps.logger.error({ err: error, auctionId }, 'the auto-bidder stumbled; trying again')
      this.#retryLater(auctionId, order)
    } finally {
      order.running = false
      if (isOver(order.autoBid)) this.#orders.delete(auctionId)
    }
  }

  /** Looks at the auction as this node knows it, and bids once where that is called for. */
  async #step(auctionId: string, order: Order): Promise<void> {
    const record = await this.#deps.auctions.find(auctionId)
    if (!record || isOver(order.autoBid)) return
    const { state } = record
    if (order.autoBid.pending === null) {
      const next = this.#nextState(state, order.autoBid)
      if (next !== order.autoBid.state) await this.#save(order, { state: next })
      const amount = this.#amountDue(state, order.autoBid)
      if (amount === null) return
      await this.#save(order, { pending: { bidId: newCommandId('bid', this.#deps), amount } })
    }
    await this.#place(auctionId, order)
  }

  #nextState(state: OpenedAuction, autoBid: AutoBid): AutoBid['state'] {
    if (state.status === 'cancelled') return 'stopped'
    if (state.status === 'closed') {
      return state.result.sold && state.result.winner.id === this.#self.id ? 'won' : 'lost'
    }
    if (state.leader?.id === this.#self.id) return 'active'
    return minimumBid(state) > autoBid.limit ? 'outbid' : 'active'
  }

  /** The least that could lead, or null where no bid is due. */
  #amountDue(state: OpenedAuction, autoBid: AutoBid): Minor | null {
    const now = this.#deps.clock.now()
    if (state.status !== 'open' || state.leader?.id === this.#self.id) return null
    if (state.closesAt !== null && now >= state.closesAt) return null
    const minimum = minimumBid(state)
    return minimum <= autoBid.limit ? minimum : null
  }

  async #place(auctionId: string, order: Order): Promise<void> {
    const { pending } = order.autoBid
    if (pending === null) return
    const result = await this.#deps.router.submit({
      type: 'bid',
      auctionId,
      commandId: pending.bidId,
      bidder: this.#self,
      kind: 'plain',
      amount: pending.amount,
    })
    if (!result.ok) {
      this.#deps.logger.debug(
        { auctionId, code: result.code },
        'an auto-bid has no outcome yet; asking again',
      )
      this.#retryLater(auctionId, order)
      return
    }
    await this.#save(order, { pending: null })
    const { outcome } = result
    this.#deps.logger.debug({ auctionId, status: outcome.status }, 'an auto-bid was decided')
    if (outcome.status === 'accepted' && outcome.bid?.leads) return
    // What outbid it at the home will show here with the commit that is on its way; until then wait for that.
    if (outcome.status === 'rejected' && outcome.rejection.code !== 'BID_TOO_LOW') return
    this.#retryLater(auctionId, order)
  }

  #retryLater(auctionId: string, order: Order): void {
    order.retry?.cancel()
    order.retry = this.#deps.timers.after(RETRY_MS, () => this.#wake(auctionId))
  }

  async #save(order: Order, change: Partial<AutoBid>): Promise<void> {
    const stopped = order.autoBid.state === 'stopped'
    order.autoBid = { ...order.autoBid, ...change, updatedAt: this.#deps.clock.now() }
    if (stopped) order.autoBid = { ...order.autoBid, state: 'stopped' }
    await this.#deps.autoBids.save(order.autoBid)
  }
}

/** An order that will not bid any more, whatever happens. One that was outbid may: its limit can be raised. */
function isOver({ state, pending }: AutoBid): boolean {
  return pending === null && (state === 'won' || state === 'lost' || state === 'stopped')
}
