/** Room `recovery`: the ways out for an auction that its home must not write to. */

import type { Command } from '../../domain/commands.js'
import { decide } from '../../domain/decide.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { MemberDirectory } from '../../ports/members/member-directory.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { LostSecrets, TakenBack } from '../../ports/node/node-answers.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { HandoverRepository } from '../../ports/store/handover-repository.js'
import type { OutcomeRepository } from '../../ports/store/outcome-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Signer } from '../../ports/system/signer.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { HomeLog } from '../home/home-log.js'
import type { Outages } from '../home/outages.js'
import { sealCommit } from '../log/commit.js'
import type { HeldAuctions } from '../log/held-auctions.js'
import type { PeerTable } from '../mesh/peer-table.js'
import type { Replicator } from '../replication/replicator.js'
import { auctionNow } from '../submissions/home-command.js'
import { type OwnLog, type OwnLogDeps, readOwnLog } from './own-log.js'

export interface RecoveryDeps extends Omit<OwnLogDeps, 'eventLog'> {
  readonly auctionHouse: Pick<AuctionHouse, 'takeUp'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly clock: Clock
  readonly eventLog: Pick<HomeLog, 'append' | 'read'>
  readonly handovers: Pick<HandoverRepository, 'keep'>
  readonly heldAuctions: HeldAuctions
  readonly members: Pick<MemberDirectory, 'members'>
  readonly outcomes: Pick<OutcomeRepository, 'find'>
  readonly outages: Pick<Outages, 'at'>
  readonly peerClient: Pick<PeerClient, 'pullCommits'>
  readonly peerTable: Pick<PeerTable, 'reachable'>
  readonly replicator: Pick<Replicator, 'takeBack'>
  readonly signer: Signer
  readonly logger: Logger
}

export interface RecoveryRequest {
  readonly auctionId: string
  /** Go on although members that may hold more of the auction cannot be asked. */
  readonly withoutPeers?: boolean | undefined
}

const PULL_TIMEOUT_MS = 10_000
/** Outcomes that are written at once. */
const OUTCOMES_PAGE = 1_000
/** The most ids that are named. */
const MAX_TOLD = 100
const RESERVE_LOST = 'its reserve is lost: nobody could close it as it was promised'

/**
 * The ways out for an auction that its home holds: to take back from peers what the home has signed and lost, and go on
 * being its home; or to give the auction up, by an event that everybody sees.
 */
export class Recovery {
  readonly #deps: RecoveryDeps
  readonly #nodeId: string
  readonly #busy = new Set<string>()

  constructor(deps: RecoveryDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
  }

  /**
   * Fetches what peers hold of the auction and this node has signed, word for word, and goes on as its home. What they
   * do not hold, the home's secrets, stays lost: an event says so of maxima, and without its reserve the auction stays
   * held. Rejects with `NodeError`.
   */
  takeBack(request: RecoveryRequest): Promise<TakenBack> {
    return this.#alone(request, async () => {
      const { auctionId } = request
      const { because, next } = this.#held(auctionId)
      if (because !== 'behind')
        throw new NodeError('NOT_HELD', 'no peer holds events of it that this node has lost', {
          field: 'auction',
          next,
        })
      const fetched = await this.#fetch(request)
      const own = await this.#ownLog(auctionId)
      await this.#keep(auctionId, own)
      const lost = lossOf(own)
      if (isLive(own) && own.isReserveLost) this.#deps.heldAuctions.turn(auctionId, 'secrets-lost', RESERVE_LOST)
      else {
        if (isLive(own) && own.lost.length > 0) await this.#write(auctionId, own, lossCommand(own))
        await this.#release(auctionId)
      }
      this.#deps.logger.warn({ auctionId, ...fetched, lost }, 'an auction was taken back from peers')
      return { auctionId, ...fetched, lost, isHeld: this.#deps.heldAuctions.find(auctionId) !== null }
    })
  }

  /**
   * Goes on with an auction of this home whose log is whole, and of whose secrets the last ones may be lost: an event
   * says so of maxima; without its reserve the auction is held. Rejects with `NodeError`, or as an append does.
   */
  async goOnWithoutLost(auctionId: string): Promise<void> {
    const own = await this.#readOwn(auctionId)
    await this.#keep(auctionId, own)
    if (!isLive(own)) return
    if (own.isReserveLost) this.#deps.heldAuctions.hold(auctionId, 'secrets-lost', RESERVE_LOST)
    else if (own.lost.length > 0) await this.#write(auctionId, own, lossCommand(own))
    this.#deps.logger.warn({ auctionId, lost: lossOf(own) }, 'what a home kept of an auction had to be made anew')
  }

  /**
   * Ends an auction that is held: nobody wins. Takes back before that what peers hold of it. Rejects with `NodeError`.
   */
  giveUp(request: RecoveryRequest & { readonly reason: string }): Promise<void> {
    return this.#alone(request, async () => {
      const { auctionId, reason } = request
      const { because } = this.#held(auctionId)
      if (because === 'behind') await this.#fetch(request)
      const own = await this.#ownLog(auctionId)
      if (!isLive(own))
        throw new NodeError('NOT_HELD', `the auction is ${own.state.status}: there is nothing to give up`, {
          field: 'auction',
          next: 'restart the node; it is held no more',
        })
      await this.#write(auctionId, own, (now) => [{ type: 'GiveUp', now, reason }])
      await this.#release(auctionId)
      this.#deps.logger.warn({ auctionId, reason }, 'an auction was given up')
    })
  }

  async #alone<T>({ auctionId }: RecoveryRequest, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(auctionId)) throw new NodeError('BUSY', 'the auction is being taken back or given up already')
    this.#busy.add(auctionId)
    try {
      return await work()
    } finally {
      this.#busy.delete(auctionId)
    }
  }

  #held(auctionId: string) {
    const held = this.#deps.heldAuctions.find(auctionId)
    if (held !== null) return held
    throw new NodeError(
      'NOT_HELD',
      'the auction is not held by this node: there is nothing to take back or to give up',
      {
        field: 'auction',
        next: 'see `vendue status` for those that are',
      },
    )
  }

  /** From every peer that can be reached, until none of them has more. */
  async #fetch({ auctionId, withoutPeers = false }: RecoveryRequest) {
    const { auctions, peerTable } = this.#deps
    const reachable = peerTable.reachable().map(({ info }) => info)
    this.#demand(reachable, withoutPeers)
    const before = (await auctions.find(auctionId))?.head.seq ?? 0
    const asked = new Map(reachable.map((info) => [info.nodeId, info]))
    for (let isMore = true; isMore; ) {
      isMore = false
      for (const info of [...asked.values()]) {
        const events = await this.#fetchFrom(auctionId, info)
        if (events === null) asked.delete(info.nodeId)
        else isMore ||= events > 0
      }
    }
    const absent = this.#demand([...asked.values()], withoutPeers)
    const untilSeq = (await auctions.find(auctionId))?.head.seq ?? 0
    if (untilSeq === 0)
      throw new NodeError('PEERS_AWAY', 'no peer that can be reached holds the auction', {
        next: 'start those that do',
      })
    return { fromSeq: before + 1, untilSeq, peers: [...asked.values()].map(({ name }) => name), absent }
  }

  /**
   * Names of the members that are not among these and may hold more. Throws `NodeError` unless it goes on without them.
   */
  #demand(asked: readonly { readonly nodeId: string }[], withoutPeers: boolean): string[] {
    const ids = new Set(asked.map(({ nodeId }) => nodeId))
    const absent = this.#deps.members
      .members()
      .filter(({ nodeId, role }) => nodeId !== this.#nodeId && role !== 'operator' && !ids.has(nodeId))
      .map(({ name }) => name)
    if (absent.length === 0 || withoutPeers) return absent
    throw new NodeError('PEERS_AWAY', `members that may hold more of it cannot be asked: ${absent.join(', ')}`, {
      next: 'start them, or put out with `vendue mesh revoke` those that are gone for good; `--without-peers` goes on without them, and where one of them holds more after all, that will be a second history',
    })
  }

  /** Resolves with the number of events that came; null if the peer does not answer. */
  async #fetchFrom(
    auctionId: string,
    { nodeId, address }: { readonly nodeId: string; readonly address: string },
  ): Promise<number | null> {
    const { auctions, logger, peerClient, replicator } = this.#deps
    let events = 0
    for (;;) {
      const fromSeq = ((await auctions.find(auctionId))?.head.seq ?? 0) + 1
      const pages = await peerClient
        .pullCommits(address, [{ auctionId, fromSeq }], { timeoutMs: PULL_TIMEOUT_MS })
        .catch((error: unknown) => {
          logger.warn({ err: error, nodeId, auctionId }, 'a peer did not say what it holds of an auction')
          return null
        })
      if (pages === null) return null
      const commits = pages[0]?.commits.filter((commit) => commit.auctionId === auctionId) ?? []
      if (commits.length === 0) return events
      const intake = await replicator.takeBack(commits, nodeId)
      events += intake.events
      // A second history: the proof is kept by now, and nothing goes on from here.
      if (this.#deps.heldAuctions.find(auctionId)?.because === 'forked')
        throw new NodeError('AUCTION_HELD', 'peers hold another history of it, signed by this node')
      if (intake.stored === 0) return events
    }
  }

  async #ownLog(auctionId: string): Promise<OwnLog> {
    const { because, why } = this.#held(auctionId)
    if (because === 'forked' && this.#busy.has(auctionId)) this.#deps.logger.warn({ auctionId }, why)
    return this.#readOwn(auctionId)
  }

  async #readOwn(auctionId: string): Promise<OwnLog> {
    const own = await readOwnLog(this.#deps, auctionId)
    if (typeof own !== 'string' && own.state.home.nodeId === this.#nodeId) return own
    const next = 'stop the node and run `vendue repair`'
    if (typeof own === 'string') throw new NodeError('AUCTION_HELD', `its log does not hold: ${own}`, { next })
    throw new NodeError('NOT_HOME', 'this node is not its home')
  }

  /** What the log says of commands that are unknown here, and what is left of the secrets. */
  async #keep(auctionId: string, own: OwnLog): Promise<void> {
    const { handovers, outcomes } = this.#deps
    for (let i = 0; i < own.outcomes.length; i += OUTCOMES_PAGE) {
      const page = own.outcomes.slice(i, i + OUTCOMES_PAGE)
      const known = await outcomes.find(page.map(({ outcome }) => outcome.commandId))
      const missing = page.filter(({ outcome }) => known.get(outcome.commandId)?.outcome.status !== 'accepted')
      if (missing.length > 0) await handovers.keep(auctionId, { outcomes: missing, sealed: [], secrets: null })
    }
    // Without its reserve nothing is kept that looks whole.
    if (isLive(own) && own.isReserveLost) return
    await handovers.keep(auctionId, { outcomes: [], sealed: [], secrets: own.secrets })
  }

  /** Nothing else writes to the auction, since it is held. */
  async #write(auctionId: string, own: OwnLog, commands: (now: number) => readonly Command[]): Promise<void> {
    const { clock, eventLog, heldAuctions, outages, signer } = this.#deps
    const now = auctionNow(clock, own.state.at)
    const events: AuctionEvent[] = []
    let at = { auction: own.state, secrets: own.secrets }
    const { closesAt } = own.state
    if (closesAt !== null && now >= closesAt) {
      const since = outages.at(closesAt) ?? heldAuctions.find(auctionId)?.since ?? now
      const given = decide(at, { type: 'GiveTimeBack', now, since: Math.max(since, own.state.at) })
      if (given.accepted) {
        events.push(...given.events)
        at = given.next
      }
    }
    for (const command of commands(now)) {
      const decision = decide(at, command)
      if (!decision.accepted) throw new Error(`a home’s own ${command.type} was refused: ${decision.rejection.code}`)
      events.push(...decision.events)
      at = decision.next
    }
    const { seq, hash: prevHash } = own.head
    const commit = sealCommit({ auctionId, firstSeq: seq + 1, prevHash, events }, signer)
    const secret = { secrets: at.secrets, sealed: [] }
    await eventLog.append({ commit, prevHash, events, state: at.auction, secret })
  }

  async #release(auctionId: string): Promise<void> {
    this.#deps.heldAuctions.release(auctionId)
    await this.#deps.auctionHouse.takeUp(auctionId)
  }
}

function isLive({ state }: OwnLog): boolean {
  return state.status === 'open' || state.status === 'scheduled'
}

function lossCommand({ lost, secrets }: OwnLog): (now: number) => readonly Command[] {
  const since = lost[0]?.seq ?? 1
  return (now) => [{ type: 'LoseMaxima', now, since, leaderMax: secrets.leaderMax }]
}

function lossOf({ isReserveLost, lost, state }: OwnLog): LostSecrets {
  return {
    reserve: isReserveLost,
    maxima: lost.length,
    maximaOf: lost.slice(0, MAX_TOLD).map(({ bidId }) => bidId),
    leading: lost.some(({ bidId }) => bidId === state.leadingBidId),
  }
}
