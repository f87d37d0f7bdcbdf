/**
 * Room `commands`: how a command gets to the home of its auction, and what becomes of it when an answer is lost.
 */

import type { RemoteCommand } from '../../domain/remote-command.js'
import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { submitFailure } from '../orders/submit-failure.js'
import { Lookups } from '../turns/lookups.js'
import { HomeForwarder, type HomeForwarderDeps } from './home-forwarder.js'

export interface CommandRouterDeps extends HomeForwarderDeps {
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly eventLog: Pick<PublishingEventLog, 'onPublished'>
  readonly auctionHouse: Pick<AuctionHouse, 'enqueue'>
  readonly peerTable: PeerTable
}

/** Homes' ids are cached up to this many auctions. */
const MAX_CACHED_HOMES = 10_000
/** A home that has just changed is heard of within moments. */
const MAX_MOVES = 8
const MOVE_DELAY_MS = 100

interface Given {
  readonly command: RemoteCommand
  readonly requestId: string | undefined
  readonly lane: object | undefined
}

/** Brings each command to the auction's home: to this node's own house, or over the mesh. */
export class CommandRouter {
  readonly #deps: CommandRouterDeps
  readonly #nodeId: string
  readonly #forwarders = new Map<string, HomeForwarder>()
  readonly #homes = new Map<string, string>()
  readonly #lookups = new Lookups((auctionId) => this.#look(auctionId))
  /** Auctions whose next home is not known yet. */
  readonly #left = new Set<string>()

  constructor(deps: CommandRouterDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
    deps.eventLog.onPublished(({ commit: { auctionId }, state }) => {
      if (this.#homes.has(auctionId)) this.#homes.set(auctionId, state.home.nodeId)
    })
  }

  /**
   * Brings it there in the order of the calls for its auction, and follows one that moves to another home meanwhile. Commands
   * of one lane are in one request to another home at a time, so that they are decided in that order too.
   */
  submit(
    command: RemoteCommand,
    requestId?: string | undefined,
    lane?: object | undefined,
  ): Promise<SubmitResult> {
    const { auctionId } = command
    if (!this.#homes.has(auctionId) || !this.#lookups.idle(auctionId))
      return this.#enter({ command, requestId, lane }, 0)
    return this.#send({ command, requestId, lane }, 0)
  }

  /** Where the home has to be looked up, or may have changed: what comes after waits for that. */
  #enter(given: Given, move: number): Promise<SubmitResult> {
    return this.#lookups.run(given.command.auctionId, (home) =>
      home === null ? NOT_FOUND : this.#send(given, move),
    )
  }

  /** To the home as it is known. */
  #send(given: Given, move: number): Promise<SubmitResult> {
    const { command, requestId, lane } = given
    const home = this.#homes.get(command.auctionId) as string
    const settled = (result: SubmitResult) => (isAway(result) ? this.#again(given, move) : result)
    if (home !== this.#nodeId) return this.#forwarder(home).submit(command, requestId, lane).then(settled)
    return new Promise((settle) =>
      this.#deps.auctionHouse.enqueue(command, null, requestId, (result) => settle(settled(result))),
    )
  }

  /** The auction has left the home that was asked. */
  async #again(given: Given, move: number): Promise<SubmitResult> {
    if (move === MAX_MOVES) return MOVED
    this.#left.add(given.command.auctionId)
    return this.#enter(given, move + 1)
  }

  async #look(auctionId: string): Promise<string | null> {
    if (this.#left.delete(auctionId))
      await new Promise<void>((resolve) => this.#deps.timers.after(MOVE_DELAY_MS, resolve))
    return this.#homes.get(auctionId) ?? this.#homeOf(auctionId)
  }

  /** Commands that wait to be sent to other homes. */
  get waiting(): number {
    let sum = 0
    for (const forwarder of this.#forwarders.values()) sum += forwarder.waiting
    return sum
  }

  async #homeOf(auctionId: string): Promise<string | null> {
    const home = (await this.#deps.auctions.find(auctionId))?.state.home.nodeId ?? null
    if (home !== null) {
      if (this.#homes.size >= MAX_CACHED_HOMES) this.#homes.clear()
      this.#homes.set(auctionId, home)
    }
    return home
  }

  #forwarder(home: string): HomeForwarder {
    let forwarder = this.#forwarders.get(home)
    if (forwarder === undefined) {
      forwarder = new HomeForwarder(this.#deps, () => this.#deps.peerTable.whereabouts(home))
      this.#forwarders.set(home, forwarder)
    }
    return forwarder
  }
}

const NOT_FOUND = submitFailure('AUCTION_NOT_FOUND', 'this node knows no such auction')
/** To the client it is all one whether its home is away or not found yet. */
const MOVED = submitFailure(
  'HOME_UNREACHABLE',
  'the auction has moved to another home, which is not known here yet; nothing was done',
)

function isAway(result: SubmitResult): boolean {
  return !result.ok && result.code === 'NOT_HOME'
}
