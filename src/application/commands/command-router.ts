/**
 * Room `commands`: how a command gets to the home of its auction, and what becomes of it when an answer is lost.
 */

import type { OpenedAuction } from '../../domain/auction.js'
import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import type { PeerTable } from '../mesh/peer-table.js'
import type { Submission } from '../submissions/submission.js'
import { submitFailure } from '../submissions/submit-failure.js'
import { Lookups } from '../turns/lookups.js'
import { ClusterCommands } from './cluster-commands.js'
import { HomeForwarder, type HomeForwarderDeps } from './home-forwarder.js'
import type { MovingAuctions } from './moving-auctions.js'

export interface CommandRouterDeps extends HomeForwarderDeps {
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly eventLog: Pick<PublishingEventLog, 'onPublished'>
  readonly auctionHouse: Pick<AuctionHouse, 'enqueue'>
  readonly movingAuctions: MovingAuctions
  readonly peerTable: PeerTable
}

export interface CommandRouterOptions {
  readonly nodeId: string
  /** Whether the auction is of a cluster, where another home may answer when one does not. */
  readonly isShared: (state: OpenedAuction) => boolean
}

/** An auction's home as it is known here. */
interface KnownHome {
  readonly nodeId: string
  readonly isShared: boolean
}

/** Homes' ids are cached up to this many auctions. */
const MAX_CACHED_HOMES = 10_000
/** A home that has just changed is heard of within moments. */
const MAX_MOVES = 8
const MOVE_DELAY_MS = 100

/** Brings each command to the auction's home: to this node's own house, or over the mesh. */
export class CommandRouter {
  readonly #deps: CommandRouterDeps
  readonly #options: CommandRouterOptions
  readonly #clusterCommands: ClusterCommands
  readonly #forwarders = new Map<string, HomeForwarder>()
  readonly #homes = new Map<string, KnownHome>()
  readonly #lookups = new Lookups((auctionId) => this.#look(auctionId))
  /** Auctions whose next home is not known yet. */
  readonly #left = new Set<string>()

  constructor(deps: CommandRouterDeps, options: CommandRouterOptions) {
    this.#deps = deps
    this.#options = options
    this.#clusterCommands = new ClusterCommands({ ...deps, send: (submission) => this.#deliver(submission) })
    deps.eventLog.onPublished(({ commit: { auctionId }, state }) => this.#heard(auctionId, state))
  }

  /**
   * Brings it there in the order of the calls for its auction, and follows one that moves to another home meanwhile.
   * Commands of one lane are in one request to another home at a time, so that they are decided in that order too.
   */
  enqueue(submission: Submission): void {
    const { auctionId } = submission.command
    if (!this.#homes.has(auctionId) || !this.#lookups.idle(auctionId))
      this.#enter(submission, () => this.#send(submission))
    else this.#send(submission)
  }

  /** Where the home has to be looked up, or may have changed: what comes after waits for that. */
  #enter(submission: Submission, go: () => void): void {
    this.#lookups
      .run(submission.command.auctionId, (home) => {
        if (home === null) submission.settle(NOT_FOUND)
        else go()
      })
      .catch((error: unknown) => {
        const { auctionId } = submission.command
        this.#deps.logger.error({ err: error, auctionId }, "an auction's home could not be looked up")
        submission.settle(NOT_LOOKED_UP)
      })
  }

  /** A commit of the auction has been stored. */
  #heard(auctionId: string, state: OpenedAuction): void {
    const known = this.#homes.get(auctionId)
    if (known === undefined || known.nodeId === state.home.nodeId) return
    this.#homes.set(auctionId, this.#known(state))
    this.#clusterCommands.moved(auctionId)
  }

  /** Where the home is known. */
  #send(submission: Submission): void {
    if (this.#homes.get(submission.command.auctionId)?.isShared) this.#clusterCommands.enqueue(submission)
    else this.#follow(submission, 0)
  }

  /** To the home; if the auction moves meanwhile, to the next one. */
  #follow(submission: Submission, move: number): void {
    const settle = (result: SubmitResult) => {
      if (isAway(result)) this.#again(submission, move)
      else submission.settle(result)
    }
    this.#deliver({ ...submission, settle })
  }

  #deliver(submission: Submission): void {
    const { auctionId } = submission.command
    const home = this.#homes.get(auctionId)
    if (home === undefined) this.#enter(submission, () => this.#deliver(submission))
    else if (home.nodeId === this.#options.nodeId) this.#deps.auctionHouse.enqueue(submission)
    else this.#forwarder(home.nodeId).enqueue(submission)
  }

  /** The auction has left the home that was asked. */
  #again(submission: Submission, move: number): void {
    if (move === MAX_MOVES) {
      submission.settle(MOVED)
      return
    }
    this.#left.add(submission.command.auctionId)
    this.#enter(submission, () => this.#follow(submission, move + 1))
  }

  async #look(auctionId: string): Promise<KnownHome | null> {
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

  async #homeOf(auctionId: string): Promise<KnownHome | null> {
    const record = await this.#deps.auctions.find(auctionId)
    const home = record && this.#known(record.state)
    if (home !== null) {
      if (this.#homes.size >= MAX_CACHED_HOMES) this.#homes.clear()
      this.#homes.set(auctionId, home)
    }
    return home
  }

  #known(state: OpenedAuction): KnownHome {
    return { nodeId: state.home.nodeId, isShared: this.#options.isShared(state) }
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
const NOT_LOOKED_UP = submitFailure('BUSY', "the auction's home could not be looked up; nothing was done, try again")
/** To the client it is all one whether its home is away or not found yet. */
const MOVED = submitFailure(
  'HOME_UNREACHABLE',
  'the auction has moved to another home, which is not known here yet; nothing was done',
)

function isAway(result: SubmitResult): boolean {
  return !result.ok && result.code === 'NOT_HOME'
}
