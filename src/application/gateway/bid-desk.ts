import type { AmountInput } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { Caller } from '../../ports/accounts/caller.js'
import { type CommandResult, type NodeApi, NodeError } from '../../ports/node/node-api.js'
import type { Clock } from '../../ports/system/clock.js'
import type { AuctionFactsCache } from './auction-facts.js'
import type { AuctionBidder, Bidders } from './bidders.js'
import type { CommandIds } from './command-ids.js'
import type { GatewayMetrics } from './gateway-metrics.js'
import { GatewayRefusal } from './gateway-refusal.js'
import type { HomeBreakers } from './home-breakers.js'
import type { Turns } from './turns.js'

export interface BidDeskDeps {
  readonly api: NodeApi
  readonly bidders: Bidders
  readonly breakers: HomeBreakers
  readonly clock: Clock
  readonly commandIds: CommandIds
  readonly facts: AuctionFactsCache
  readonly metrics: GatewayMetrics
  readonly turns: Turns
}

export interface BidOrder {
  readonly auction: string
  readonly kind: 'plain' | 'max' | 'buy-now'
  /** Not for buy-now. */
  readonly amount?: AmountInput | undefined
  /** The client's own id for the bid. */
  readonly key?: string | undefined
  /** What the client calls the key. */
  readonly keyField?: string
  /** The answer need not hold the auction. */
  readonly brief?: boolean
  /** Goes with it to the home, for the log. */
  readonly requestId?: string | undefined
}

export type BidPath = 'http' | 'ws' | 'socketio'

/** Where bids and sellers' commands of all surfaces go through on their way to the node. */
export class BidDesk {
  readonly #deps: BidDeskDeps
  /** Commands under way. */
  #pending = 0
  #idle: (() => void)[] = []
  #closed = false

  constructor(deps: BidDeskDeps) {
    this.#deps = deps
  }

  /** Rejects with `NodeError` or `GatewayRefusal`; an unknown outcome's error names the bid's id. */
  async bid(path: BidPath, caller: Caller, order: BidOrder): Promise<CommandResult> {
    const { bidders, breakers, clock, commandIds, metrics, turns } = this.#deps
    const startedMs = clock.monotonicMs()
    let commandId = ''
    this.begin()
    try {
      const bidder = bidders.known(caller, order.auction) ?? (await bidders.bidder(caller, order.auction))
      commandId = commandIds.of('bid', order.key, bidder.as, order.keyField)
      let result: CommandResult
      if (bidder.own) result = ownAuction({ auctionId: bidder.auctionId, commandId, at: clock.now() })
      else {
        this.#refuseWhenClosed()
        await turns.end()
        if (breakers.idle) result = await this.#place(order, bidder, commandId)
        else
          result = await breakers.call(
            () => this.#homeOf(bidder.auctionId),
            () => this.#place(order, bidder, commandId),
          )
      }
      metrics.bid(path, (clock.monotonicMs() - startedMs) / 1_000, result.outcome)
      return result
    } catch (error) {
      await breakers.failed(() => this.#homeOf(order.auction), error)
      const told = explained(error, commandId)
      metrics.bidFailed(path, (clock.monotonicMs() - startedMs) / 1_000, told)
      throw told
    } finally {
      this.end()
    }
  }

  #place(
    { kind, amount = '', brief = false, requestId }: BidOrder,
    { auctionId: auction, as }: AuctionBidder,
    commandId: string,
  ): Promise<CommandResult> {
    const { api } = this.#deps
    return kind === 'buy-now'
      ? api.buyNow({ auction, commandId, as, requestId })
      : api.bid({ auction, commandId, as, kind, amount, brief, requestId })
  }

  /** Any command to an auction's home, with what all of them share. */
  async command(
    auction: string,
    commandId: string,
    call: () => Promise<CommandResult>,
  ): Promise<CommandResult> {
    this.#refuseWhenClosed()
    this.begin()
    try {
      return await this.#deps.breakers.call(() => this.#homeOf(auction), call)
    } catch (error) {
      throw explained(error, commandId)
    } finally {
      this.end()
    }
  }

  async #homeOf(auction: string): Promise<string> {
    return (await this.#deps.facts.of(auction)).homeNodeId
  }

  #refuseWhenClosed(): void {
    if (!this.#closed) return
    throw new GatewayRefusal('STOPPING', 'the gateway stops; nothing was done', {
      next: 'send it again, here or through another gateway',
      retryAfterSeconds: 2,
    })
  }

  /** Somebody waits for an answer: the gateway does not stop before `end`. */
  begin(): void {
    this.#pending += 1
  }

  end(): void {
    this.#pending -= 1
    if (this.#pending === 0) for (const done of this.#idle.splice(0)) done()
  }

  /** Takes no more commands. */
  close(): void {
    this.#closed = true
  }

  /** Resolves once no command is under way. */
  idle(): Promise<void> {
    return this.#pending === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Whom a seller's command is made for: an admin acts for the seller where the auction is at home on this node. */
  async sellerFor(auction: string, caller: Caller): Promise<Party> {
    if (!caller.roles.includes('admin')) return caller.party
    const { state, homeState } = await this.#deps.api.show({ auction })
    return homeState === 'self' ? state.seller : caller.party
  }
}

function ownAuction(named: { auctionId: string; commandId: string; at: number }): CommandResult {
  return { outcome: { status: 'rejected', ...named, rejection: { code: 'OWN_AUCTION' } }, auction: null }
}

function explained(error: unknown, commandId: string): unknown {
  if (!(error instanceof NodeError) || error.code !== 'OUTCOME_UNKNOWN') return error
  return new GatewayRefusal('OUTCOME_UNKNOWN', `it is not known what became of it: ${error.message}`, {
    next: 'ask again with this command_id as Idempotency-Key (or bid_id): nothing is done twice',
    more: { command_id: commandId },
    cause: error,
  })
}
