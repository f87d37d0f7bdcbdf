/**
 * Room `commands`: how a command gets to the home of its auction, and what becomes of it when an answer is lost.
 */

import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import type { PeerTable } from '../mesh/peer-table.js'
import type { Submission } from '../submissions/submission.js'
import { submitFailure } from '../submissions/submit-failure.js'
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
   * Brings it there in the order of the calls for its auction, and follows one that moves to another home meanwhile.
   * Commands of one lane are in one request to another home at a time, so that they are decided in that order too.
   */
  enqueue(submission: Submission): void {
    const { auctionId } = submission.command
    if (!this.#homes.has(auctionId) || !this.#lookups.idle(auctionId)) this.#enter(submission, 0)
    else this.#send(submission, 0)
  }

  /** Where the home has to be looked up, or may have changed: what comes after waits for that. */
  #enter(submission: Submission, move: number): void {
    this.#lookups
      .run(submission.command.auctionId, (home) => {
        if (home === null) submission.settle(NOT_FOUND)
        else this.#send(submission, move)
      })
      .catch((error: unknown) => {
        const { auctionId } = submission.command
        this.#deps.logger.error({ err: error, auctionId }, "an auction's home could not be looked up")
        submission.settle(NOT_LOOKED_UP)
      })
  }

  /** To the home as it is known. */
  #send(submission: Submission, move: number): void {
    const home = this.#homes.get(submission.command.auctionId) as string
    const settle = (result: SubmitResult) => {
      if (isAway(result)) this.#again(submission, move)
      else submission.settle(result)
    }
    const sent = { ...submission, settle }
    if (home === this.#nodeId) this.#deps.auctionHouse.enqueue(sent)
    else this.#forwarder(home).enqueue(sent)
  }

  /** The auction has left the home that was asked. */
  #again(submission: Submission, move: number): void {
    if (move === MAX_MOVES) {
      submission.settle(MOVED)
      return
    }
    this.#left.add(submission.command.auctionId)
    this.#enter(submission, move + 1)
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
const NOT_LOOKED_UP = submitFailure('BUSY', "the auction's home could not be looked up; nothing was done, try again")
/** To the client it is all one whether its home is away or not found yet. */
const MOVED = submitFailure(
  'HOME_UNREACHABLE',
  'the auction has moved to another home, which is not known here yet; nothing was done',
)

function isAway(result: SubmitResult): boolean {
  return !result.ok && result.code === 'NOT_HOME'
}
