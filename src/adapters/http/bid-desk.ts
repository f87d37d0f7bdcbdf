import type { Party } from '../../domain/party.js'
import type { Caller } from '../../ports/caller.js'
import type { Clock } from '../../ports/clock.js'
import { type CommandResult, type NodeApi, NodeError } from '../../ports/node-api.js'
import type { AuctionFactsCache } from './auction-facts.js'
import type { Bidders } from './bidders.js'
import type { CommandIds } from './command-ids.js'
import type { GatewayMetrics } from './gateway-metrics.js'
import type { HomeBreakers } from './home-breakers.js'
import { RequestError } from './problem.js'
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
  /** Decimal text; not for buy-now. */
  readonly amount?: string | undefined
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

  /** Rejects with `NodeError` or `RequestError`; an unknown outcome's error names the bid's id. */
  async bid(path: BidPath, caller: Caller, order: BidOrder): Promise<CommandResult> {
    const { api, bidders, clock, commandIds, metrics, turns } = this.#deps
    const { kind, amount, brief = false, requestId } = order
    const startedMs = clock.monotonicMs()
    const seconds = () => (clock.monotonicMs() - startedMs) / 1_000
    try {
      const { auctionId: auction, as, own } = await bidders.bidder(caller, order.auction)
      const commandId = commandIds.of('bid', order.key, as, order.keyField)
      if (own) {
        const rejection = { code: 'OWN_AUCTION' } as const
        const outcome = {
          status: 'rejected',
          commandId,
          auctionId: auction,
          at: clock.now(),
          rejection,
        } as const
        metrics.bid(path, seconds(), outcome)
        return { outcome, auction: null }
      }
      const result = await this.command(auction, commandId, async () => {
        await turns.end()
        return kind === 'buy-now'
          ? api.buyNow({ auction, commandId, as, requestId })
          : api.bid({ auction, commandId, as, kind, amount: amount ?? '', brief, requestId })
      })
      metrics.bid(path, seconds(), result.outcome)
      return result
    } catch (error) {
      metrics.bidFailed(path, seconds(), error)
      throw error
    }
  }

  /** Any command to an auction's home, with what all of them share. */
  async command(
    auction: string,
    commandId: string,
    call: () => Promise<CommandResult>,
  ): Promise<CommandResult> {
    if (this.#closed) {
      throw new RequestError(503, 'STOPPING', 'the gateway stops; nothing was done', {
        next: 'send it again, here or through another gateway',
        retryAfterSeconds: 2,
      })
    }
    this.begin()
    try {
      const home = async () => (await this.#deps.facts.of(auction)).homeNodeId
      return await this.#deps.breakers.call(home, call)
    } catch (error) {
      if (error instanceof NodeError && error.code === 'OUTCOME_UNKNOWN') {
        throw new RequestError(
          504,
          'OUTCOME_UNKNOWN',
          `it is not known what became of it: ${error.message}`,
          {
            next: 'ask again with this command_id as Idempotency-Key (or bid_id): nothing is done twice',
            more: { command_id: commandId },
            cause: error,
          },
        )
      }
      throw error
    } finally {
      this.end()
    }
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
