/**
 * Room `home`: the one writer of an auction: its mailbox, batches and answers, its start and its end on time.
 *
 * Long because loading, holding and letting go of actors share one state.
 */

import { dueAt, UNOPENED } from '../../domain/auction.js'
import type { OpenAuction } from '../../domain/commands.js'
import { decide } from '../../domain/decide.js'
import type { Home } from '../../domain/party.js'
import { NO_SECRETS } from '../../domain/pricing.js'
import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { AuctionRepository, SecretRepository } from '../../ports/store/auction-repository.js'
import type { EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { Outcome, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { type Metrics, NO_METRICS } from '../../ports/system/metrics.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import { sealCommit } from '../log/commit.js'
import { AuctionHeldError, type HeldAuctions } from '../log/held-auctions.js'
import type { Published } from '../log/publishing-event-log.js'
import { OWN_FORK } from '../proof/equivocation-watch.js'
import type { Replication } from '../replication/replication.js'
import { repeats } from '../submissions/home-command.js'
import { answerTo, type Submission } from '../submissions/submission.js'
import { submitFailure } from '../submissions/submit-failure.js'
import { ActorMeasures } from './actor-measures.js'
import {
  AuctionActor,
  type AuctionActorDeps,
  failureOf,
  type HandoverCourier,
  ID_UNDER_WAY,
  type LoadedAuction,
} from './auction-actor.js'
import { CommandsUnderWay } from './commands-under-way.js'
import { DueTimes } from './due-times.js'
import type { FirstComparison } from './first-comparison.js'
import { type HomeLog, HomeStopsError, OpenedBeforeError } from './home-log.js'
import type { Outages } from './outages.js'
import { faultOfOwnLog } from './own-log-check.js'

export interface AuctionHouseDeps extends Omit<AuctionActorDeps, 'measures' | 'commands'> {
  readonly metrics?: Metrics
  readonly timers: Timers
  readonly eventLog: HomeLog
  readonly auctions: Pick<AuctionRepository, 'find' | 'due' | 'unrevealed'>
  readonly secrets: SecretRepository
  readonly replication: Pick<Replication, 'reachable' | 'awaitReplicas'>
  readonly outages: Outages
  readonly heldAuctions: HeldAuctions
  readonly equivocations: Pick<EquivocationRepository, 'among'>
  readonly firstComparison: Pick<FirstComparison, 'of' | 'over'>
}

export interface AuctionHouseOptions {
  readonly nodeId: string
  /** How often idle actors are unloaded, and so the least time that one stays. */
  readonly unloadIntervalMs?: number
}

/** An opening as it is asked for. */
export interface Opening {
  readonly commandId: string
  /** Of all that is asked for, as it was asked. */
  readonly fingerprint: string
  /** What that comes to now. Made only where the id is new; throws a `NodeError` where it cannot be made. */
  readonly command: () => OpenAuction
}

const UNLOAD_INTERVAL_MS = 60_000
const MAX_CHECKED = 100_000
const REVEAL_RETRY_MS = 5_000
const STOPS = failureOf(new HomeStopsError())
const SECRETS_LOST = 'what was left with its home (the reserve and the maxima) is not there'

/**
 * The auctions whose home is this node: loads an actor when there is something to do, keeps one per auction, opens
 * and closes on time, and unloads what lies idle.
 */
export class AuctionHouse {
  readonly #deps: AuctionHouseDeps & AuctionActorDeps
  readonly #nodeId: string
  readonly #unloadIntervalMs: number
  readonly #actors = new Map<string, { actor: AuctionActor; used: boolean }>()
  readonly #opening = new Map<string, Promise<SubmitResult>>()
  readonly #due: DueTimes
  /** Auctions whose log was held against what is stored, or that were opened here, since the start. */
  readonly #checked = new Set<string>()
  #unlisten: (() => void) | null = null
  #sweep: Timer | null = null
  #accepting = false

  constructor(deps: AuctionHouseDeps, options: AuctionHouseOptions) {
    const measures = new ActorMeasures(deps.metrics ?? NO_METRICS)
    this.#deps = { ...deps, measures, commands: new CommandsUnderWay() }
    this.#nodeId = options.nodeId
    this.#unloadIntervalMs = options.unloadIntervalMs ?? UNLOAD_INTERVAL_MS
    this.#due = new DueTimes(deps, (auctionId) => this.#tick(auctionId))
  }

  /** Takes up the auctions left by the last run: what fell due meanwhile is opened or closed now. */
  async start(): Promise<void> {
    if (this.#accepting) return
    this.#accepting = true
    this.#deps.outages.start((now) => this.#due.dueBy(now) > 0)
    this.#unlisten = this.#deps.eventLog.onPublished((published) => this.#onPublished(published))
    for (const { auctionId, dueAt } of await this.#deps.auctions.due(this.#nodeId)) this.#due.set(auctionId, dueAt)
    for (const auctionId of await this.#deps.auctions.unrevealed(this.#nodeId)) this.#reveal(auctionId)
    this.#scheduleSweep()
    // While it waits for peers that may know better, nobody can bid either.
    void this.#deps.firstComparison.over().then(() => {
      if (this.#accepting) this.#deps.outages.over('starting')
    })
  }

  /** Refuses what comes from now on and waits for what is being written. */
  async stop(): Promise<void> {
    if (!this.#accepting) return
    this.#accepting = false
    this.#sweep?.cancel()
    this.#deps.outages.stop()
    this.#due.clear()
    await Promise.allSettled([...this.#opening.values()])
    for (const { actor } of this.#actors.values()) await actor.settled()
    this.#unlisten?.()
    this.#actors.clear()
  }

  /** Decides a client's command for an auction of this home. */
  enqueue(submission: Submission): void {
    const { command, settle } = submission
    const { auctionId, replicas } = command
    const held = this.#deps.heldAuctions.find(auctionId)
    if (!this.#accepting) settle(STOPS)
    else if (held !== null) settle(failureOf(new AuctionHeldError(held)))
    else if (replicas === undefined) this.#actor(auctionId).enqueue(submission)
    else
      this.#withReplicas(command, () => answerTo(submission, (one) => this.#actor(auctionId).enqueue(one))).then(
        settle,
        (error: unknown) => settle(submitFailure(error)),
      )
  }

  /**
   * Keeps ids from being decided while outcomes of theirs are stored that another home has decided. Null if one of
   * them is being decided now; the answer is to be called afterwards.
   */
  holdCommands(commandIds: readonly string[], auctionId: string): (() => void) | null {
    const { commands } = this.#deps
    const taken = commands.takeAll(commandIds, auctionId)
    if (taken === null) return null
    return () => {
      for (const one of taken) commands.release(one)
    }
  }

  /** Makes another node the home of an auction; see `AuctionActor.handOver`. */
  async handOver(auctionId: string, to: Home, courier: HandoverCourier): Promise<SubmitResult> {
    if (!this.#accepting) return STOPS
    const home = (await this.#deps.auctions.find(auctionId))?.state.home.nodeId
    if (home !== this.#nodeId) return submitFailure('NOT_HOME', 'this node is not the home of that auction')
    return this.#actor(auctionId).handOver(to, courier)
  }

  /** What was accepted is acknowledged only once as many replicas have stored it as the client asks for. */
  async #withReplicas(
    { commandId, replicas }: { readonly commandId: string; readonly replicas?: number | undefined },
    work: () => Promise<SubmitResult>,
  ): Promise<SubmitResult> {
    if (replicas === undefined) return work()
    const { replication, outcomes } = this.#deps
    // What has been done before is not refused any more.
    if (replication.reachable < replicas && (await outcomes.find([commandId])).size === 0) {
      const message = `${replicas} replicas were asked for, and the home reaches ${replication.reachable}; nothing was done`
      return submitFailure('TOO_FEW_REPLICAS', message)
    }
    const result = await work()
    if (!result.ok || result.outcome.status !== 'accepted') return result
    const { auctionId, seq } = result.outcome
    const stored = await replication.awaitReplicas(auctionId, seq, replicas)
    if (stored >= replicas) return result
    return submitFailure(
      'NOT_REPLICATED',
      `accepted as event ${seq} and durable at the home, but only ${stored} of ${replicas} replicas have stored it; ask again with the same id`,
    )
  }

  /**
   * Opens an auction here. The outcome of an open is kept like any other's: asking again opens nothing twice. Openings
   * under one id are decided one after the other. Rejects with what `command` throws.
   */
  open(opening: Opening, replicas?: number): Promise<SubmitResult> {
    if (!this.#accepting) return Promise.resolve(STOPS)
    const { commandId } = opening
    const before = this.#opening.get(commandId)?.catch(() => undefined)
    const opened = this.#withReplicas({ commandId, replicas }, async () => {
      await before
      const taken = this.#deps.commands.take(commandId, '')
      if (taken === null) return ID_UNDER_WAY
      return this.#open(opening).finally(() => this.#deps.commands.release(taken))
    })
      .catch((error: unknown) => {
        if (error instanceof NodeError) throw error
        return submitFailure(error)
      })
      .finally(() => {
        if (this.#opening.get(commandId) === opened) this.#opening.delete(commandId)
      })
    this.#opening.set(commandId, opened)
    return opened
  }

  async #open({ commandId, fingerprint, command: commandOf }: Opening): Promise<SubmitResult> {
    const earlier = (await this.#deps.outcomes.find([commandId])).get(commandId)
    if (earlier !== undefined) return this.#openedBefore(fingerprint, earlier)
    const command = commandOf()
    const { now } = command
    const decision = decide({ auction: UNOPENED, secrets: NO_SECRETS }, command)
    if (!decision.accepted) {
      const { rejection } = decision
      const outcome: Outcome = { status: 'rejected', commandId, auctionId: '', at: now, rejection }
      await this.#deps.outcomes.record([{ outcome, fingerprint }])
      return { ok: true, outcome }
    }
    const { events, next } = decision
    const commit = sealCommit({ auctionId: null, firstSeq: 1, prevHash: null, events }, this.#deps.signer)
    const outcome: Outcome = { status: 'accepted', commandId, auctionId: commit.auctionId, seq: 1, at: now }
    try {
      await this.#deps.eventLog.append({
        commit,
        prevHash: null,
        events,
        state: next.auction,
        secret: { secrets: next.secrets, sealed: [] },
        outcomes: [{ outcome, fingerprint }],
      })
    } catch (error) {
      if (error instanceof OpenedBeforeError) return this.#openedBefore(fingerprint, error.earlier)
      throw error
    }
    return { ok: true, outcome }
  }

  #openedBefore(asked: string, { outcome, fingerprint }: RecordedOutcome): SubmitResult {
    if (repeats(asked, fingerprint)) return { ok: true, outcome }
    const { commandId } = outcome
    const at = this.#deps.clock.now()
    const rejection = { code: 'COMMAND_ID_REUSED' } as const
    return { ok: true, outcome: { status: 'rejected', commandId, auctionId: '', at, rejection } }
  }

  #actor(auctionId: string): AuctionActor {
    const entry = this.#actors.get(auctionId)
    if (entry !== undefined && !entry.actor.broken) {
      entry.used = true
      return entry.actor
    }
    const before = entry?.actor
    const actor = new AuctionActor(this.#deps, auctionId, async () => {
      // A broken one may still have a write under way.
      await before?.settled()
      const auction = await this.#load(auctionId)
      if (auction === null) void actor.settled().then(() => this.#forget(auctionId, actor))
      return auction
    })
    this.#actors.set(auctionId, { actor, used: true })
    return actor
  }

  /** Anybody can ask for auctions that are not here. */
  #forget(auctionId: string, actor: AuctionActor): void {
    if (this.#actors.get(auctionId)?.actor === actor) this.#actors.delete(auctionId)
  }

  async #load(auctionId: string): Promise<LoadedAuction | null> {
    const own = await this.#deps.auctions.find(auctionId)
    const isNew = own?.state.home.nodeId === this.#nodeId && !this.#checked.has(auctionId)
    // What peers hold counts in either log.
    if (isNew) await this.#deps.firstComparison.of(auctionId)
    await this.#deps.eventLog.prepare(auctionId)
    const record = await this.#deps.auctions.find(auctionId)
    if (record === null || record.state.home.nodeId !== this.#nodeId) return null
    const secrets = await this.#deps.secrets.secrets(auctionId)
    if (secrets !== null && this.#checked.has(auctionId)) return { ...record, secrets }
    const { equivocations, firstComparison, heldAuctions } = this.#deps
    await firstComparison.of(auctionId)
    // Until now nobody could bid: the next run gives back that time, so nothing may be answered in it.
    if (!this.#accepting) throw new HomeStopsError()
    if ((await equivocations.among([auctionId])).has(auctionId)) heldAuctions.hold(auctionId, 'forked', OWN_FORK)
    // It opened the auction, or has agreed to take it over: it had them once.
    if (secrets === null) heldAuctions.hold(auctionId, 'secrets-lost', SECRETS_LOST)
    const loaded = { ...record, secrets: secrets ?? NO_SECRETS }
    const fault = secrets && (await faultOfOwnLog(this.#deps, loaded))
    if (fault !== null) heldAuctions.hold(auctionId, 'damaged', fault)
    const held = heldAuctions.find(auctionId)
    if (held !== null) throw new AuctionHeldError(held)
    this.#noteChecked(auctionId)
    return loaded
  }

  /** An auction is held no more, and its log may have grown meanwhile: what is due of it is done now. */
  async takeUp(auctionId: string): Promise<void> {
    const record = await this.#deps.auctions.find(auctionId)
    if (record === null || record.state.home.nodeId !== this.#nodeId || !this.#accepting) return
    this.#checked.delete(auctionId)
    this.#actors.get(auctionId)?.actor.retire()
    this.#due.set(auctionId, null)
    this.#due.set(auctionId, dueAt(record.state))
    this.#reveal(auctionId)
  }

  /** From here on this process knows what it has written. */
  #noteChecked(auctionId: string): void {
    if (this.#checked.size >= MAX_CHECKED) this.#checked.clear()
    this.#checked.add(auctionId)
  }

  #onPublished({ commit, events, state }: Published): void {
    const isHome = state.home.nodeId === this.#nodeId
    this.#due.set(commit.auctionId, isHome ? dueAt(state) : null)
    if (!isHome) {
      this.#checked.delete(commit.auctionId)
      this.#actors.get(commit.auctionId)?.actor.depose()
      return
    }
    if (commit.firstSeq === 1) this.#noteChecked(commit.auctionId)
    const more = events.some(({ type }) => type === 'AuctionClosed' || type === 'MaximaRevealed')
    const isLeft = state.status === 'closed' && events[0]?.type === 'AuctionTakenOver'
    if ((more || isLeft) && this.#accepting) this.#reveal(commit.auctionId)
  }

  /** The start or the end of an auction has come. */
  #tick(auctionId: string): void {
    const settle = (result: SubmitResult) => {
      if (result.ok) return
      if (result.code === 'NOT_HOME') return this.#notReady(auctionId)
      // Its end waits until somebody has looked.
      if (result.code === 'AUCTION_HELD') return this.#due.set(auctionId, null)
      // Closing on time is owed even when the disk is full for a while.
      this.#deps.logger.warn({ auctionId, result }, 'a due auction could not be moved on; trying again')
      this.#due.retry(auctionId)
    }
    this.#actor(auctionId).enqueue({ command: { type: 'due', auctionId }, settle })
  }

  /** It moved meanwhile; or its log names this node, which has not got what goes with it and can do nothing for it. */
  #notReady(auctionId: string): void {
    this.#due.set(auctionId, null)
    this.#deps.logger.warn({ auctionId }, 'a due auction is left alone: this node has nothing of what its home keeps')
  }

  /** Opens what is still sealed after a close, page by page: each page's commit asks for the next. */
  #reveal(auctionId: string): void {
    const again = (why: object) => {
      if (!this.#accepting) return
      this.#deps.logger.warn({ ...why, auctionId }, 'maxima could not be revealed; trying again')
      this.#deps.timers.after(REVEAL_RETRY_MS, () => this.#reveal(auctionId))
    }
    const settle = (result: SubmitResult) => {
      if (!result.ok && result.code !== 'NOT_HOME' && result.code !== 'AUCTION_HELD') again({ result })
    }
    const left = async () => {
      await this.#deps.eventLog.prepare(auctionId)
      return (await this.#deps.secrets.sealed(auctionId, 1)).length > 0
    }
    left().then(
      (isAny) => {
        if (isAny && this.#accepting) this.#actor(auctionId).enqueue({ command: { type: 'reveal', auctionId }, settle })
      },
      (err: unknown) => {
        if (!(err instanceof AuctionHeldError)) again({ err })
      },
    )
  }

  #scheduleSweep(): void {
    this.#sweep = this.#deps.timers.after(this.#unloadIntervalMs, () => {
      this.#unloadIdle()
      if (this.#accepting) this.#scheduleSweep()
    })
  }

  #unloadIdle(): void {
    for (const [auctionId, entry] of this.#actors) {
      const { actor, used } = entry
      if (actor.idle && (!used || actor.broken)) this.#actors.delete(auctionId)
      else entry.used = false
    }
  }

  /** Commands that wait for their auctions, all together and for the one with the most. */
  get waiting(): { readonly all: number; readonly most: number } {
    let all = 0
    let most = 0
    for (const { actor } of this.#actors.values()) {
      all += actor.waiting
      most = Math.max(most, actor.waiting)
    }
    return { all, most }
  }

  /** How many auctions of this home are to start or to end by then. */
  dueBy(now: number): number {
    return this.#due.dueBy(now)
  }

  /** Which of these auctions have this node as their home. Those in memory cost no look at the store. */
  async homesAmong(auctionIds: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const here = new Set<string>()
    for (const auctionId of auctionIds) {
      const isHome =
        this.#actors.get(auctionId)?.actor.hasLoaded ||
        (await this.#deps.auctions.find(auctionId))?.state.home.nodeId === this.#nodeId
      if (isHome) here.add(auctionId)
    }
    return here
  }

  /** How many auctions are in memory. */
  get loaded(): number {
    return this.#actors.size
  }
}
