import type { RemoteCommand, SubmitResult } from '../../ports/mesh/peer-client.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { submitFailure } from '../orders/submit-failure.js'
import { HomeForwarder, type HomeForwarderDeps } from './home-forwarder.js'

export interface CommandRouterDeps extends HomeForwarderDeps {
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly eventLog: Pick<PublishingEventLog, 'onPublished'>
  readonly auctionHouse: Pick<AuctionHouse, 'enqueue' | 'submit'>
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

  constructor(deps: CommandRouterDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
    deps.eventLog.onPublished(({ commit: { auctionId }, state }) => {
      if (this.#homes.has(auctionId)) this.#homes.set(auctionId, state.home.nodeId)
    })
  }

  /** Follows an auction that moves to another home meanwhile. */
  submit(command: RemoteCommand, requestId?: string | undefined): Promise<SubmitResult> {
    if (this.#homes.get(command.auctionId) !== this.#nodeId) return this.#follow(command, requestId)
    return new Promise((settle) =>
      this.#deps.auctionHouse.enqueue(command, null, requestId, (result) =>
        settle(isAway(result) ? this.#follow(command, requestId) : result),
      ),
    )
  }

  async #follow(command: RemoteCommand, requestId: string | undefined): Promise<SubmitResult> {
    for (let move = 0; ; move++) {
      const home = this.#homes.get(command.auctionId) ?? (await this.#homeOf(command.auctionId))
      if (home === null) return submitFailure('AUCTION_NOT_FOUND', 'this node knows no such auction')
      const result = await (home === this.#nodeId
        ? this.#deps.auctionHouse.submit(command, null, requestId)
        : this.#forwarder(home).submit(command, requestId))
      if (!isAway(result) || move === MAX_MOVES) return moved(result)
      await new Promise<void>((resolve) => this.#deps.timers.after(MOVE_DELAY_MS, resolve))
    }
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

/** To the client it is all one whether its home is away or not found yet. */
function moved(result: SubmitResult): SubmitResult {
  if (!isAway(result)) return result
  return submitFailure(
    'HOME_UNREACHABLE',
    'the auction has moved to another home, which is not known here yet; nothing was done',
  )
}

function isAway(result: SubmitResult): boolean {
  return !result.ok && result.code === 'NOT_HOME'
}
