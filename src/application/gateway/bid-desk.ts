/**
 * Room `gateway`: what a gateway does for bidders without a node, whatever protocol they use: bids, events, presence,
 * limits.
 */

import type { AmountInput } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { Caller } from '../../ports/accounts/caller.js'
import type { Act, Audit } from '../../ports/audit/audit.js'
import type { CommandResult } from '../../ports/node/node-answers.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { Clock } from '../../ports/system/clock.js'
import { codeOf, outcomeAct } from '../node/node-acts.js'
import type { InOrder } from '../turns/in-order.js'
import type { AuctionFactsCache } from './auction-facts.js'
import type { AuctionBidder, Bidders } from './bidders.js'
import type { CommandIds } from './command-ids.js'
import type { GatewayMetrics } from './gateway-metrics.js'
import { GatewayRefusal } from './gateway-refusal.js'
import type { HomeBreakers } from './home-breakers.js'
import { callerIn } from './recorded.js'
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
  readonly audit: Audit
}

export interface BidRequest {
  readonly auction: string
  /** The address that it comes from, for the audit record. */
  readonly from: string
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
  /** Of the connection that it came over: what came before it there is decided before it. */
  readonly lane?: InOrder | undefined
}

/** Whom a command is made for, once it is known and counted. What has to wait is a promise. */
export type Admit = () => Caller | Promise<Caller>

/** A seller's command that may go to the node. */
export interface SellerCommand {
  readonly commandId: string
  readonly call: () => Promise<CommandResult>
}

/** On its way: what is decided next of the same connection is decided after it. */
interface Placed {
  readonly commandId: string
  readonly result: Promise<CommandResult>
}

export type BidPath = 'http' | 'ws' | 'socketio' | 'grpc'

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

  /**
   * Who it is and whether they may is found out in `admit`, in the order of the connection. Rejects with what `admit`
   * rejects with, and with `NodeError` or `GatewayRefusal`; an unknown outcome's error names the bid's id.
   */
  async bid(path: BidPath, admit: Admit, request: BidRequest): Promise<CommandResult> {
    const { breakers, clock, metrics } = this.#deps
    const startedMs = clock.monotonicMs()
    let commandId = ''
    let admitted: Caller | null = null
    const place = (caller: Caller) => {
      admitted = caller
      return this.#place(caller, request)
    }
    const enter = () => {
      const caller = admit()
      return caller instanceof Promise ? caller.then(place) : place(caller)
    }
    this.begin()
    try {
      const entered = request.lane === undefined ? enter() : request.lane.run(enter)
      const placed = entered instanceof Promise ? await entered : entered
      commandId = placed.commandId
      const result = await placed.result
      this.#record(path, request, admitted, outcomeAct(result.outcome))
      metrics.bid(path, (clock.monotonicMs() - startedMs) / 1_000, result.outcome)
      return result
    } catch (error) {
      this.#record(path, request, admitted, { command: commandId || undefined, code: codeOf(error) })
      if (admitted === null) throw error
      await breakers.failed(() => this.#homeOf(request.auction), error)
      const problem = explained(error, commandId)
      metrics.bidFailed(path, (clock.monotonicMs() - startedMs) / 1_000, problem)
      throw problem
    } finally {
      this.end()
    }
  }

  #record(
    via: BidPath,
    { kind, auction, from }: BidRequest,
    caller: Caller | null,
    became: Pick<Act, 'auction' | 'command' | 'code'>,
  ): void {
    const act = kind === 'buy-now' ? 'bid.buy-now' : 'bid'
    this.#deps.audit.record({ act, ...callerIn({ via, address: from, caller }), auction, ...became })
  }

  /** Waits for nothing where all is known already, as it is for most bids. */
  #place(caller: Caller, request: BidRequest): Placed | Promise<Placed> {
    const { bidders } = this.#deps
    const bidder = bidders.known(caller, request.auction)
    if (bidder !== null) return this.#placeAs(bidder, request)
    return bidders.bidder(caller, request.auction).then((found) => this.#placeAs(found, request))
  }

  #placeAs(bidder: AuctionBidder, request: BidRequest): Placed {
    const { clock, commandIds } = this.#deps
    const { auctionId } = bidder
    const commandId = commandIds.of('bid', request.key, bidder.as, request.keyField)
    if (bidder.own) return { commandId, result: Promise.resolve(ownAuction({ auctionId, commandId, at: clock.now() })) }
    return this.#queue(commandId, breakerOf(bidder), () => this.#send(request, bidder, commandId))
  }

  /** For the end of this turn, behind all that was queued in it before. */
  #queue(commandId: string, home: string | null, call: () => Promise<CommandResult>): Placed {
    const { breakers, turns } = this.#deps
    this.#refuseWhenClosed()
    return {
      commandId,
      result: turns.atEnd(() => (home === null || breakers.idle ? call() : breakers.call(home, call))),
    }
  }

  #send(
    { kind, amount = '', brief = false, requestId, lane }: BidRequest,
    { auctionId: auction, as }: AuctionBidder,
    commandId: string,
  ): Promise<CommandResult> {
    const { api } = this.#deps
    return kind === 'buy-now'
      ? api.buyNow({ auction, commandId, as, requestId, lane })
      : api.bid({ auction, commandId, as, kind, amount, brief, requestId, lane })
  }

  /** Any command of a seller to an auction's home, with what all of them share. */
  async command(
    auction: string,
    admit: () => Promise<SellerCommand>,
    lane?: InOrder | undefined,
  ): Promise<CommandResult> {
    let commandId = ''
    this.begin()
    try {
      const enter = async () => {
        const command = await admit()
        return this.#queue(command.commandId, await this.#homeOf(auction), command.call)
      }
      const placed = await (lane === undefined ? enter() : lane.run(enter))
      commandId = placed.commandId
      return await placed.result
    } catch (error) {
      await this.#deps.breakers.failed(() => this.#homeOf(auction), error)
      throw explained(error, commandId)
    } finally {
      this.end()
    }
  }

  async #homeOf(auction: string): Promise<string | null> {
    return breakerOf(await this.#deps.facts.of(auction))
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

/**
 * Whose breaker it is. None for an auction of a cluster: its node brings a command to whichever home answers, and no
 * longer than a few seconds; a breaker would keep bids from the new home for the faults of the old one.
 */
function breakerOf({ homeNodeId, inCluster }: Pick<AuctionBidder, 'homeNodeId' | 'inCluster'>): string | null {
  return inCluster ? null : homeNodeId
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
